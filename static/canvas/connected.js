/* The consent's window: tell the page that opened it, then close. Where no page waits, it stays. */
(function () {
  "use strict";
  if (!window.opener || window.opener === window) return;
  window.opener.postMessage({ subject: "mastery.canvasConnected" }, location.origin);
  window.setTimeout(function () { window.close(); }, 1200);
})();
