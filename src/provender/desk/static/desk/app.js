// Everything here is a convenience: each page works without it.
"use strict";

const typing = (element) => element.closest("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");

// Selecting rows: tick all, and say how many.
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-check-all]");
  if (all) for (const box of all.closest("table").querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
  const count = event.target.closest("form[data-bulk]")?.querySelector("[data-count]");
  if (count) count.textContent = count.closest("form").querySelectorAll("tbody :checked").length;
});

// Keys: "/" searches, "n" makes a new order, arrows walk through a list or through what was found.
const walk = (links, step) => {
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
  next?.focus();
  return Boolean(next);
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const arrows = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const search = event.target.closest(".search");
  if (search) {
    const links = [...search.querySelectorAll(".found a")];
    if (arrows && links.length && walk(links, arrows)) event.preventDefault();
    if (event.key === "Escape") { search.querySelector(".found").replaceChildren(); event.target.blur(); }
    return;
  }
  if (typing(event.target)) return;
  if (event.key === "/") {
    const field = document.querySelector("[data-search]");
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  } else if (event.key === "n") {
    const url = document.documentElement.dataset.newOrder;
    if (url) { event.preventDefault(); location.assign(url); }
  } else if (arrows && !event.target.closest("button, [popover], summary")) {
    const links = [...document.querySelectorAll("table[data-rows] tbody a.ref")];
    if (links.length && walk(links, arrows)) event.preventDefault();
  }
});

// A form that came back with errors: begin at the first.
const wrong = document.querySelector("main [aria-invalid=true]") || document.querySelector("[data-errors]");
wrong?.focus();
