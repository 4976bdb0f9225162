// Dragging an article of a draft to another place. The buttons beside it do the same without a pointer.
"use strict";

(function () {
  let dragged = null;

  const cardOf = (node) => (node instanceof Element ? node.closest(".card") : null);
  const listOf = (node) => (node instanceof Element ? node.closest(".cards") : null);

  function neighbour(card, way) {
    const next = card[way];
    return next && next.matches(".card") ? next.dataset.id : "0";
  }

  document.addEventListener("pointerdown", (event) => {
    const grip = event.target instanceof Element && event.target.closest(".grip");
    const card = grip && cardOf(grip);
    if (card) card.draggable = true;
  });

  document.addEventListener("dragstart", (event) => {
    const card = cardOf(event.target);
    if (!card || !card.draggable) return;
    dragged = { card, list: card.parentElement, before: card.nextElementSibling };
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.id);
    card.classList.add("dragged");
  });

  document.addEventListener("dragover", (event) => {
    const list = dragged && listOf(event.target);
    if (!list) return;
    event.preventDefault();
    const over = cardOf(event.target);
    if (!over) {
      if (!list.contains(dragged.card)) list.append(dragged.card);
    } else if (over !== dragged.card) {
      const box = over.getBoundingClientRect();
      over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged.card);
    }
  });

  document.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    const { card, list, before } = dragged;
    const form = card.querySelector("form.do");
    const stayed = card.parentElement === list && card.nextElementSibling === before;
    if (stayed || !form) return;
    dragged.done = true;
    const values = Object.fromEntries(new FormData(form));
    delete values.seen;
    htmx.ajax("POST", form.getAttribute("action"), {
      source: form,
      target: "#board",
      swap: "outerHTML",
      values: {
        ...values,
        do: "place",
        after: neighbour(card, "previousElementSibling"),
        before: neighbour(card, "nextElementSibling"),
        topic: card.parentElement.dataset.topic,
      },
    });
  });

  // The button that was pressed may be gone with its article: then one goes on beside Undo, not from the top.
  document.addEventListener("htmx:afterSettle", () => {
    const undo = document.getElementById("undo");
    if (document.activeElement === document.body && undo) undo.focus({ preventScroll: true });
  });

  document.addEventListener("dragend", () => {
    if (!dragged) return;
    const { card, list, before, done } = dragged;
    card.draggable = false;
    card.classList.remove("dragged");
    if (!done) list.insertBefore(card, before);
    dragged = null;
  });
})();
