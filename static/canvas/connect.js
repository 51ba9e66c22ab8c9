/* "Connect Canvas": a ticket for a window of its own, then wait until the account is connected and go on. */
(function () {
  "use strict";
  var waiting = null;
  var EVERY = 3000;
  var LONGEST = 600000;

  function headers() {
    var own = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
    own.Accept = "application/json";
    return own;
  }

  function say(text) {
    var status = document.querySelector("[data-connect-status]");
    if (status) status.textContent = text;
  }

  function stop() {
    if (waiting) window.clearInterval(waiting.timer);
    waiting = null;
  }

  /* Read the course now that it may be read: in the part of the page that asked for it (`data-then`), where a
     form beside it must not lose what was typed, else by showing the page again. */
  function goOn() {
    if (!waiting) return;
    var part = waiting.part && document.querySelector(waiting.part);
    stop();
    if (part) {
      window.htmx.trigger(part, "connected");
      return;
    }
    say("Connected. Reading the course…");
    var main = document.querySelector("[data-address]");
    var address = main ? main.dataset.address : location.pathname;
    window.htmx.ajax("GET", address, { source: document.body, target: document.body, swap: "innerHTML" });
  }

  function ask() {
    if (!waiting) return;
    if (Date.now() - waiting.since > LONGEST) {
      stop();
      say("");
      return;
    }
    fetch(waiting.address, { headers: headers(), cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.json() : {}; })
      .then(function (answer) { if (answer.connected) goOn(); })
      .catch(function () { /* the next question may get through */ });
  }

  function wait(address, part) {
    stop();
    waiting = { address: address, part: part, since: Date.now(), timer: window.setInterval(ask, EVERY) };
    say("Waiting for Canvas in the other window…");
  }

  function connect(link) {
    /* Opened at once, while the click still allows it; its address follows. */
    var opened = window.open("", "canvas-consent", "width=800,height=860");
    fetch(link.dataset.connect, { method: "POST", headers: headers() })
      .then(function (answer) {
        if (!answer.ok) throw new Error("refused");
        return answer.json();
      })
      .then(function (answer) {
        if (!opened) {
          say("The browser blocked the window. Allow windows of this site and press the button again.");
          return;
        }
        opened.location = new URL(answer.url, location.origin).href;
        wait(link.dataset.connected, link.dataset.then);
      })
      .catch(function () {
        if (opened) opened.close();
        say("The window could not be opened. Reload this page and try again.");
      });
  }

  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[data-connect]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    connect(link);
  });

  window.addEventListener("message", function (event) {
    if (event.origin !== location.origin) return;
    if (event.data && event.data.subject === "mastery.canvasConnected") goOn();
  });

  window.addEventListener("focus", ask);
})();
