/* LTI platform storage (LTI Client Side postMessages 1.0): one question to the platform, asked until answered or given up.
   Only the authorize origin is asked, only its answer to this very question counts, and silence is an answer:
   Canvas's mobile apps say nothing. */
"use strict";
const askPlatformStorage = (place, subject, extra, milliseconds) =>
  new Promise((resolve) => {
    const { storageTarget: target, storageOrigin: origin, storageKey: key } = place.dataset;
    const platform = window.parent !== window ? window.parent : window.opener;
    if (!target || !platform) return resolve(null);
    const frame = () => {
      if (target === "_parent") return platform;
      try {
        return platform.frames[target] || null;
      } catch {
        return null;
      }
    };
    const messageId = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join("");
    const done = (answer) => {
      window.removeEventListener("message", hear);
      clearTimeout(timer);
      clearInterval(asking);
      resolve(answer);
    };
    const hear = (event) => {
      const data = event.data;
      if (event.origin !== origin || !data || data.message_id !== messageId) return;
      if (data.subject !== `${subject}.response`) return;
      done(data.error ? null : data);
    };
    const ask = () => {
      const listener = frame();
      if (listener) listener.postMessage({ subject, key, message_id: messageId, ...extra }, origin);
    };
    const timer = setTimeout(() => done(null), milliseconds);
    window.addEventListener("message", hear);
    ask();
    /* On a page that is loaded again the platform's frame may be there later than we are, and miss what was said. */
    const asking = setInterval(ask, 250);
  });
