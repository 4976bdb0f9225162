// What htmx leaves open on the desk's pages: to say so when the server cannot be asked.
"use strict";

(function () {
  const said = document.getElementById("said");

  function say(words) {
    said.textContent = words;
  }

  document.addEventListener("htmx:beforeRequest", () => say(""));
  document.addEventListener("htmx:sendError", () => {
    say("The server cannot be reached, so nothing was changed. Try again in a moment.");
  });
  document.addEventListener("htmx:timeout", () => {
    say("The server did not answer in time. Reload the page to see what was done.");
  });
  document.addEventListener("htmx:responseError", (event) => {
    const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    const words = page.querySelector("main .lead");
    say(words ? words.textContent : "That did not work, and nothing was changed. Reload the page and try again.");
  });
})();
