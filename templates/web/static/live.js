// A send in progress: the server tells what changed, and the page shows it until somebody holds it still.
"use strict";

(function () {
  const live = document.querySelector("[data-live]");
  if (!live || !window.EventSource) {
    return;
  }
  const still = document.createElement("button");
  still.type = "button";
  still.className = "quiet still";
  live.after(still);
  let source = null;

  function go() {
    source = new EventSource(live.dataset.live);
    source.addEventListener("tally", (event) => {
      live.innerHTML = event.data;
    });
    // Other buttons are to be there: the page knows which. Never under the hands of who fills in a form.
    source.addEventListener("changed", () => {
      stop();
      if (!document.querySelector("main details[open]")) {
        location.reload();
      }
    });
    source.addEventListener("over", stop);
    source.addEventListener("full", stop);
    still.textContent = "Hold the figures still";
  }

  function stop() {
    source.close();
    source = null;
    still.textContent = "Show the figures live";
  }

  still.addEventListener("click", () => (source ? stop() : go()));
  go();
})();
