/* The little script there is: the frame's height, the session on Back, errors in words, focus after moving. */
(function () {
  "use strict";

  /* The height our content needs, told to the frame around us (lti.frameResize). It holds no secret. */
  var lastHeight = 0;
  function tellHeight() {
    if (window.parent === window || !document.body) return;
    var height = Math.max(400, Math.ceil(document.body.getBoundingClientRect().height) + 24);
    if (Math.abs(height - lastHeight) < 2) return;
    lastHeight = height;
    window.parent.postMessage({ subject: "lti.frameResize", height: height }, "*");
  }

  function say(text) {
    var live = document.getElementById("live");
    if (live) live.textContent = text;
  }

  function trouble(text) {
    var box = document.getElementById("trouble");
    if (!box) return;
    box.textContent = text;
    box.hidden = !text;
    if (text) box.scrollIntoView({ block: "nearest" });
  }

  /* A run at work is asked every second; what is read out is each new step of it. */
  var lastStep = "";
  function tellStep() {
    var step = document.querySelector("#working label, #working p");
    if (!step || step.textContent === lastStep) return;
    lastStep = step.textContent;
    say(lastStep);
  }

  function moved() {
    /* Who hid or showed names stays at that switch. */
    if (document.activeElement && document.activeElement.id === "names-switch") return;
    var main = document.getElementById("main");
    var wrong = document.querySelector("[aria-invalid=true], .error-summary");
    var place = wrong || main;
    if (place) place.focus({ preventScroll: !wrong });
    if (!wrong) {
      window.scrollTo(0, 0);
      if (window.parent !== window) {
        window.parent.postMessage({ subject: "lti.scrollToTop" }, "*");
      }
    }
    say(document.title);
  }

  /* A browser thinks a control visible that the first column of a wide table covers in part. Only for who comes by
     keyboard: under a mouse that is pressed nothing may move. */
  function uncover(control) {
    if (!control.matches(":focus-visible")) return;
    var region = control.closest(".scroll"), cell = control.closest("td");
    var head = region && cell && cell.parentElement.querySelector("th[scope=row]");
    if (!head) return;
    var covered = head.getBoundingClientRect().right + 8 - control.getBoundingClientRect().left;
    if (covered > 0) region.scrollLeft -= covered;
  }

  /* "Choose all" boxes: <input type=checkbox data-check-all="name">, of the form or of [data-check-scope] around it. */
  function checkAll(box) {
    var name = box.getAttribute("data-check-all");
    (box.closest("[data-check-scope]") || box.form).querySelectorAll('input[type=checkbox][name="' + name + '"]:not(:disabled)').forEach(function (one) {
      one.checked = box.checked;
    });
  }

  /* The address says which course the page belongs to: a frame that is reloaded without cookies says nothing else. */
  function withPlace(path) {
    var own = document.querySelector("[data-place]");
    if (!own || /[?&]at=/.test(path)) return path;
    var parts = path.split("#");
    parts[0] += (parts[0].indexOf("?") < 0 ? "?" : "&") + "at=" + encodeURIComponent(own.dataset.place);
    return parts.join("#");
  }

  /* A launch answers with the page itself: let the address be the page's own, so Back and Reload work. */
  function ownAddress() {
    var own = document.querySelector("[data-address]");
    if (own && location.pathname.indexOf("/lti/") === 0) {
      history.replaceState({ htmx: true }, "", withPlace(own.dataset.address));
    }
  }

  /* A long list starts where its chosen entry is. */
  function showChosen() {
    document.querySelectorAll(".choices").forEach(function (list) {
      var chosen = list.querySelector("input:checked");
      if (chosen) list.scrollTop = chosen.closest(".choice").offsetTop - list.offsetTop - 48;
    });
  }

  /* The folded parts that are open: what comes back for the alignment's form keeps them so. */
  function tellOpen(event) {
    var form = document.getElementById("alignment-form");
    if (!form || event.detail.verb !== "post") return;
    var open = Array.from(form.querySelectorAll("details[id][open]")).map(function (one) { return one.id; });
    event.detail.parameters.open = open.concat("known");
  }

  function start() {
    document.documentElement.classList.add("scripted");
    showChosen();
    ownAddress();
    tellHeight();
    if (window.ResizeObserver) new ResizeObserver(tellHeight).observe(document.body);
    var body = document.body;

    body.addEventListener("change", function (event) {
      if (event.target.matches("[data-check-all]")) checkAll(event.target);
    });
    body.addEventListener("focusin", function (event) { uncover(event.target); });
    body.addEventListener("click", function (event) {
      if (event.target.closest("[data-print]")) window.print();
      /* What a person opens in a wide table is brought into its view. */
      var why = event.target.closest("details.why");
      if (why && event.target.closest("summary")) setTimeout(function () {
        if (why.open) why.scrollIntoView({ block: "nearest", inline: "nearest" });
      });
    });

    /* Going back asks the server again, and htmx does not send hx-headers then. */
    body.addEventListener("htmx:historyCacheMiss", function (event) {
      var headers = JSON.parse(body.getAttribute("hx-headers") || "{}");
      Object.keys(headers).forEach(function (name) {
        event.detail.xhr.setRequestHeader(name, headers[name]);
      });
    });

    /* The same address again, as of a run that is waited for, is no step to go back over. */
    body.addEventListener("htmx:beforeHistoryUpdate", function (event) {
      var update = event.detail.history;
      if (!update.path) return;
      update.path = withPlace(update.path);
      if (update.path === location.pathname + location.search) update.type = "replace";
    });

    body.addEventListener("htmx:configRequest", tellOpen);
    body.addEventListener("htmx:beforeRequest", function () { trouble(""); });
    body.addEventListener("htmx:sendError", function () {
      trouble("The tool could not be reached. Nothing was changed. Check the connection and try again.");
    });
    body.addEventListener("htmx:timeout", function () {
      trouble("The answer is taking too long. Reload this page to see what happened before trying again.");
    });

    /* The rule comes with the class under it: what is on its way for the class is of the rule before. */
    body.addEventListener("htmx:beforeSwap", function (event) {
      var shown = document.getElementById("class");
      if (shown && event.detail.target.id === "rule") htmx.trigger(shown, "htmx:abort");
    });

    /* Any other error is a whole page that says what to do: show it as one. */
    body.addEventListener("htmx:beforeSwap", function (event) {
      var status = event.detail.xhr.status;
      if (status < 400 || status === 409 || status === 422) return;
      if (!/<main/.test(event.detail.xhr.responseText)) {
        trouble("The tool could not answer (" + status + "). Reload this page; if it stays, open the tool from Canvas again.");
        return;
      }
      event.detail.shouldSwap = true;
      event.detail.isError = false;
      event.detail.target = body;
      event.detail.swapOverride = "innerHTML";
    });
    body.addEventListener("htmx:afterSettle", function (event) {
      tellHeight();
      showChosen();
      tellStep();
      if (event.detail.target === body || event.target === body) moved();
    });
    body.addEventListener("htmx:historyRestore", moved);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
