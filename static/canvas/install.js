/* The install page: copy buttons, and telling Canvas that registration is over (LTI Dynamic Registration 1.0, 3.7). */
(() => {
  "use strict";

  const say = (text) => {
    const status = document.getElementById("install-status");
    if (status) status.textContent = text;
  };

  /* Inside a frame the clipboard may be closed to scripts; selecting the text is the next best thing. */
  const copy = async (source) => {
    const text = source.textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-lti-close]");
    if (!button) return;
    if ("ltiClose" in button.dataset) {
      (window.opener || window.parent).postMessage({ subject: "org.imsglobal.lti.close" }, "*");
      return;
    }
    const done = await copy(document.getElementById(button.dataset.copy));
    say(done ? "Copied." : "Your browser did not allow copying; select the text and copy it.");
    if (done) {
      const before = button.innerHTML;
      button.textContent = "Copied";
      setTimeout(() => { button.innerHTML = before; }, 2000);
    }
  });

  document.querySelectorAll("[data-copy], [data-lti-close]").forEach((button) => { button.disabled = false; });
})();
