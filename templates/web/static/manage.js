// The look of mail is shown while it is typed, and each colour has a field to pick it from.
"use strict";

(function () {
  const form = document.querySelector("form.look");
  if (!form || form.querySelector("fieldset[disabled]")) return;
  const buttons = { light: document.getElementById("show-light"), dark: document.getElementById("show-dark") };
  let shown = "light";
  let timer;

  function showSoon() {
    clearTimeout(timer);
    timer = setTimeout(() => form.requestSubmit(buttons[shown]), 700);
  }

  for (const scheme of Object.keys(buttons)) {
    buttons[scheme].addEventListener("click", () => { shown = scheme; });
  }
  for (const text of form.querySelectorAll(".colour input")) {
    const picker = document.createElement("input");
    picker.type = "color";
    picker.value = text.value;
    picker.setAttribute("aria-label", "Pick: " + text.labels[0].textContent);
    text.after(picker);
    picker.addEventListener("input", () => { text.value = picker.value; text.dispatchEvent(new Event("input", { bubbles: true })); });
    text.addEventListener("input", () => {
      if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value;
      shown = text.name.startsWith("dark.") ? "dark" : "light";
    });
  }
  form.addEventListener("input", () => { if (form.checkValidity()) showSoon(); });
})();
