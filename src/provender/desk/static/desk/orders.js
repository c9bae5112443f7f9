// Quick hands in the form of an order. Without this file Enter shows what the order comes to, and Tab goes on.
"use strict";

const sheet = document.querySelector("[data-sheet]");

// Enter goes on to the next field that matters, Ctrl+Enter sends; in a text of many lines Enter stays what it is.
sheet?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    sheet.querySelector("[data-main]")?.click();
    return;
  }
  if (!event.target.matches("input:not([type=hidden])")) return;
  event.preventDefault();
  const stops = [...sheet.querySelectorAll("[data-stop]")];
  const after = stops.find((stop) => event.target.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING);
  (after ?? sheet.querySelector("[data-main]"))?.focus();
  after?.select?.();
});

// A form is sent once, however often the button is pressed.
sheet?.addEventListener("submit", (event) => {
  if (sheet.dataset.sent) event.preventDefault();
  sheet.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => { if (sheet) delete sheet.dataset.sent; });
