// Prices that were typed and not saved: ask before the page, or its rows, are left.
"use strict";

let unsaved = false;

document.addEventListener("input", (event) => {
  if (event.target.matches(".prices input")) unsaved = true;
});

document.addEventListener("submit", (event) => {
  if (event.target.querySelector(".prices")) unsaved = false;
});

addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!unsaved || event.detail.target.id !== "rows") return;
  if (confirm("The prices that you typed aren’t saved. Leave them?")) unsaved = false;
  else event.preventDefault();
});
