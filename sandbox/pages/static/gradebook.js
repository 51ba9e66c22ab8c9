/* Keeps the gradebook and the log fresh: asks for the fragment again and swaps it when it changed. */
(() => {
  "use strict";
  const region = document.querySelector("[data-refresh]");
  if (!region) return;
  const pause = Number(region.dataset.every || 2000);
  let stamp = "";
  let shown = "";

  const refresh = async () => {
    if (document.hidden) return;
    const answer = await fetch(region.dataset.refresh, { headers: { "If-None-Match": stamp }, cache: "no-store" });
    if (answer.status !== 200) return;
    const body = await answer.text();
    stamp = answer.headers.get("ETag") || "";
    if (body === shown) return;
    shown = body;
    const { scrollTop, scrollLeft } = region;
    const focused = region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    region.innerHTML = body;
    region.scrollTop = scrollTop;
    region.scrollLeft = scrollLeft;
    if (focused) region.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };

  setInterval(() => refresh().catch(() => undefined), pause);
})();
