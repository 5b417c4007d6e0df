// JSON tree: one record as JSON whose branches fold.
//
// Knows JSON. Dotted names are shown as the branches that they were when they were logged; what is
// copied is the record as it is stored.

import { el } from "./dom.js";
import { copy } from "./notice.js";
import { nested } from "./record.js";

/** Fills the panel. */
export function treeOf(body, record) {
  const pretty = () => {
    const exactly = (_, value) => (typeof value === "bigint" ? JSON.rawJSON?.(String(value)) ?? String(value) : value);
    return JSON.stringify(record.value, exactly, 2);
  };
  const button = (text, click) => el("button", { type: "button", class: "small", text, on: { click } });
  const tree = el("div", { class: "tree mono" }, branch("", nested(record.value), true));
  const fold = (isOpen) => tree.querySelectorAll("details").forEach((one) => { one.open = isOpen; });
  body.replaceChildren(
    el("div", { class: "row tree-tools" },
      button("Copy", () => copy(pretty(), "JSON")),
      button("Unfold all", () => fold(true)),
      button("Fold all", () => fold(false))),
    tree);
}

function branch(name, value, isOpen) {
  const isList = Array.isArray(value);
  const key = name === "" ? [] : [el("span", { class: "tree-key", text: name }), ": "];
  if (value === null || typeof value !== "object") return el("div", { class: "leaf" }, ...key, leaf(value));
  const members = Object.entries(value);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (!members.length) return el("div", { class: "leaf" }, ...key, `${open}${close}`);
  const count = el("small", { class: "muted", text: ` ${members.length} ${isList ? "values" : "fields"}` });
  return el("details", { open: isOpen || members.length <= 12 },
    el("summary", {}, ...key, open, count),
    el("div", { class: "branch" }, ...members.map(([inner, one]) => branch(inner, one, false))),
    el("div", { class: "leaf", text: close }));
}

function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  const text = kind === "string" ? JSON.stringify(value) : String(value);
  return el("span", { class: `tree-${kind}`, text });
}
