/* Goes on to the platform as soon as this browser can be known again: by our cookie, else by platform storage.
   Where neither works, a tab of its own is offered before the platform's single-use launch is spent. */
(async () => {
  "use strict";
  const place = document.getElementById("login");
  const goOn = () => window.location.replace(document.getElementById("continue").href);
  const cookieReaches = async () => {
    try {
      const answer = await fetch(place.dataset.cookieCheck, { credentials: "same-origin", cache: "no-store" });
      return (await answer.json()).reaches === true;
    } catch {
      return false;
    }
  };
  if (await cookieReaches()) return goOn();
  const value = place.dataset.storageValue;
  const kept = await askPlatformStorage(place, "lti.put_data", { value }, 2500);
  if (kept && kept.value === value) return goOn();
  place.hidden = true;
  document.getElementById("own-tab").hidden = false;
})();
