/* The platform page's half of LTI postMessages (lti.md 10): ui/shared/lti/jquery/{messages,platform_storage}.ts.
   Storage lives as long as this page, per tool origin. */
(() => {
  "use strict";
  const KEY_LIMIT = 500;
  const CHARACTER_LIMIT = 4096;
  const FORWARDING = "post_message_forwarding";
  const stores = new Map();
  const counts = new Map();

  class Refusal extends Error {
    constructor(code, message) {
      super(message || code);
      this.code = code;
      this.text = message;
    }
  }

  const requireField = (data, name) => {
    if (!data[name]) throw new Refusal("bad_request", `Missing required '${name}' field`);
  };

  const storeOf = (origin) => {
    if (!stores.has(origin)) {
      stores.set(origin, new Map());
      counts.set(origin, { keys: 0, characters: 0 });
    }
    return stores.get(origin);
  };

  const putData = (data, origin) => {
    requireField(data, "key");
    requireField(data, "message_id");
    const store = storeOf(origin);
    const count = counts.get(origin);
    if (!data.value) {
      if (store.has(data.key)) {
        count.keys -= 1;
        count.characters -= data.key.length + store.get(data.key).length;
        store.delete(data.key);
      }
      return { key: data.key };
    }
    const value = String(data.value);
    const size = data.key.length + value.length;
    if (count.keys + 1 > KEY_LIMIT || count.characters + size > CHARACTER_LIMIT) {
      throw new Refusal("storage_exhaustion", "Reached key limit for tool");
    }
    count.keys += 1; /* as Canvas does, also when the key was there already */
    count.characters += size;
    store.set(data.key, value);
    return { key: data.key, value: data.value };
  };

  const getData = (data, origin) => {
    requireField(data, "key");
    requireField(data, "message_id");
    return { key: data.key, value: storeOf(origin).get(data.key) ?? null };
  };

  const frameResize = (data) => {
    const height = Number.parseInt(data.height, 10);
    const frame = document.getElementById("tool_content");
    if (frame && height > 0) frame.style.height = `${Math.min(height, 20000)}px`;
    return {};
  };

  const fetchWindowSize = () => ({
    height: window.innerHeight,
    width: window.innerWidth,
    offset: { top: document.getElementById("tool_content")?.offsetTop || 0, left: 0 },
    footer: 0,
    scrollY: window.scrollY,
  });

  const scrollToTop = () => {
    document.getElementById("tool_content")?.scrollIntoView({ block: "start" });
    return {};
  };

  const showAlert = (data) => {
    const place = document.getElementById("tool-alert");
    if (place) place.textContent = String(data.body || "");
    return {};
  };

  const handlers = {
    "lti.put_data": putData,
    "lti.get_data": getData,
    "lti.frameResize": frameResize,
    "lti.fetchWindowSize": fetchWindowSize,
    "lti.scrollToTop": scrollToTop,
    "lti.showAlert": showAlert,
    "lti.screenReaderAlert": showAlert,
    "lti.capabilities": () => ({ supported_messages: supported() }),
  };
  const inFrame = new Set(["lti.put_data", "lti.get_data"]);
  const supported = () =>
    Object.keys(handlers).map((subject) => (inFrame.has(subject) ? { subject, frame: FORWARDING } : { subject }));

  const answer = (data, origin) => {
    const response = { subject: `${data.subject}.response`, message_id: data.message_id };
    const handler = handlers[data.subject];
    if (!handler) return { ...response, error: { code: "unsupported_subject" } };
    try {
      return { ...response, ...handler(data, origin) };
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      const error = problem.text ? { code: problem.code, message: problem.text } : { code: problem.code };
      return { ...response, error };
    }
  };

  const parsed = (raw) => {
    if (typeof raw !== "string") return raw;
    try {
      return JSON.parse(raw);
    } catch {
      return null;
    }
  };

  const forwarder = () => document.querySelector(`iframe[name="${FORWARDING}"]`)?.contentWindow;

  window.addEventListener("message", (event) => {
    const data = parsed(event.data);
    if (!data || typeof data !== "object") return;
    if (event.source === forwarder() && event.origin === window.location.origin) {
      if (data.forwarded) {
        const reply = answer(data.forwarded, data.toolOrigin);
        event.source.postMessage({ reply, ticket: data.ticket }, window.location.origin);
      }
      return;
    }
    if (typeof data.subject !== "string") return;
    if (data.subject.endsWith(".response")) return;
    event.source.postMessage(answer(data, event.origin), event.origin);
  });

  const form = document.getElementById("tool_form");
  if (form && form.dataset.autosubmit === "true") form.submit();
})();
