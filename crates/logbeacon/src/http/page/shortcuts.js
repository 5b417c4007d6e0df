// Shortcuts: keys, and the page that lists them.
//
// Knows keys. What a key does is given by name. Keys do nothing while somebody types.

import { byId, el } from "./dom.js";

const KEYS = [
  ["Search", [["/", "query", "Go to the query"], ["r", "refresh", "Search again"],
    ["[", "earlier", "Earlier range"], ["]", "later", "Later range"], ["z", "zoomOut", "Wider range"],
    ["1", "records", "Records"], ["2", "patterns", "Patterns"], ["l", "live", "Live, and back"]]],
  ["Records", [["j", "next", "Next record"], ["k", "previous", "Previous record"],
    ["Enter", "open", "Open the marked record"], ["Escape", "close", "Close"],
    ["f", "fields", "Its fields"], ["v", "json", "Its JSON"], ["c", "context", "What is around it"],
    ["t", "trace", "Its trace"], ["w", "wide", "Panel over the whole width"], ["y", "copy", "Copy it as JSON"]]],
  ["Page", [["u", "link", "Copy a link to all of this"], ["b", "facets", "Show or hide fields"],
    ["d", "theme", "Light, dark, as the system"], ["?", "help", "This page"]]],
];

const SYNTAX = [
  ["payment failed", "both words, anywhere"],
  ["\"payment failed\"", "the words in a row"],
  ["level>=warn", "warnings and worse"],
  ["service:=checkout", "the field is exactly this"],
  ["user:an*", "the field has a word that begins so"],
  ["duration_ms>500", "numbers, also with units: >1.5s"],
  ["-path:/health", "not these"],
  ["a or (b c)", "one of both; “and” is silent"],
  ["~\"order \\d+\"", "a regular expression"],
  ["* | stats count() by service", "count, sum, avg, p99 …"],
  ["* | patterns 20", "messages without what varies"],
];

/** `actions` has a function for each name. */
export function listenToKeys(actions) {
  const all = new Map(KEYS.flatMap(([, keys]) => keys.map(([key, name]) => [key, name])));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    // Enter on a button presses it.
    if (event.key === "Enter" && event.target.closest("button, a, summary, select")) return;
    const action = actions[all.get(event.key)];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

const isTyping = (target) => target.closest?.("input, textarea, select, [contenteditable]") !== null;

/** Shows the keys, and how queries are written. */
export function showHelp() {
  const dialog = byId("help");
  const row = ([key, , text]) => el("tr", {}, el("td", {}, el("kbd", { text: key })), el("td", { text }));
  const example = ([query, text]) => el("tr", {}, el("td", {}, el("code", { text: query })), el("td", { text }));
  byId("help-body").replaceChildren(
    ...KEYS.map(([title, keys]) => el("section", {}, el("h3", { text: title }), el("table", {}, el("tbody", {}, ...keys.map(row))))),
    el("section", { class: "syntax" }, el("h3", { text: "Queries" }), el("table", {}, el("tbody", {}, ...SYNTAX.map(example)))));
  dialog.showModal();
}
