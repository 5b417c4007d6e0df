// Notice: what the page says about itself: small ones that pass, and loud ones that stay.
//
// Knows places of the page. Does not know why something is said.

import { byId, el, icon } from "./dom.js";

const PASSES_MS = 4000;

/** Says something that passes. */
export function toast(text) {
  const note = el("div", { class: "toast", text });
  byId("toasts").append(note);
  setTimeout(() => note.remove(), PASSES_MS);
}

/** Copies a text, and says so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyByHand(text)) {
      toast("The browser does not let this page copy");
      return;
    }
  }
  toast(`${what} copied`);
}

/** For pages that were not loaded safely: there the clipboard is closed. */
function copyByHand(text) {
  const area = el("textarea", { class: "unseen" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

const shown = new Map();

/**
 * Shows the loud notices about something, instead of those before:
 * `{kind: "error" | "warning" | "info", title, text, actions: [[label, call]]}`.
 */
export function showNotices(about, notices) {
  shown.set(about, notices);
  byId("notices").replaceChildren(...[...shown.values()].flat().map(({ kind, title, text, actions = [] }) =>
    el("div", { class: `notice ${kind}`, role: "alert" }, icon("warning"),
      el("div", {}, el("b", { text: title }), " ", el("span", { text })),
      ...actions.map(([label, click]) =>
        el("button", { type: "button", class: "small", text: label, on: { click } })))));
}

/** What a place shows that has nothing else to show. */
export function emptyState({ title, text, actions = [], extra = null }) {
  const buttons = actions.map(([label, click]) =>
    el("button", { type: "button", text: label, on: { click } }));
  return el("div", { class: "empty" }, icon("search"), el("h2", { text: title }),
    el("p", { text }), extra, buttons.length ? el("div", { class: "actions" }, ...buttons) : null);
}
