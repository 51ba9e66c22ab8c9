/* The hidden frame at the authorize origin: hands a tool's storage messages to the platform page and brings the answer back. */
(() => {
  "use strict";
  const waiting = new Map();
  let next = 1;

  const parsed = (raw) => {
    if (typeof raw !== "string") return raw;
    try {
      return JSON.parse(raw);
    } catch {
      return null;
    }
  };

  window.addEventListener("message", (event) => {
    if (event.source === window.parent && event.origin === window.location.origin) {
      const tool = event.data && waiting.get(event.data.ticket);
      if (!tool) return;
      waiting.delete(event.data.ticket);
      tool.source.postMessage(event.data.reply, tool.origin);
      return;
    }
    const data = parsed(event.data);
    if (!data || typeof data.subject !== "string") return;
    const ticket = next++;
    waiting.set(ticket, { source: event.source, origin: event.origin });
    window.parent.postMessage({ forwarded: data, toolOrigin: event.origin, ticket }, window.location.origin);
  });
})();
