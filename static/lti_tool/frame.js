/* Lets the platform's frame be as high as this page (Canvas: lti.frameResize). The height is no secret. */
(() => {
  "use strict";
  if (window.parent === window) return;
  const tell = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height) + 24;
    window.parent.postMessage({ subject: "lti.frameResize", height }, "*");
  };
  new ResizeObserver(tell).observe(document.documentElement);
  tell();
})();
