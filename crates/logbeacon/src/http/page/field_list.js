// Field list: the fields of one record, with what can be done with each.
//
// Knows one record. A clause for the query or a field for a column goes out.

import { el, iconButton } from "./dom.js";
import { copy } from "./notice.js";
import { clause, hasClause } from "./query.js";
import { MEMBERS, valueText } from "./record.js";

/** Fills the panel. */
export function fieldsOf(body, record, state, { onClause, onColumn, onSide }) {
  const names = Object.keys(record.value).filter((name) => name !== "message");
  names.sort((a, b) => order(a) - order(b) || a.localeCompare(b));
  const columns = new Set(state.columns.map(({ name }) => name));
  const tools = (name, value) => {
    const text = clause(name, value);
    const pressed = (isOn) => ({ "aria-pressed": String(isOn) });
    return el("span", { class: "field-tools" },
      name === "time" ? null : iconButton("plus", `Only ${text}`, () => onClause(text), pressed(hasClause(state.query, text))),
      name === "time" ? null : iconButton("minus", `Without ${text}`, () => onClause(`-${text}`), pressed(hasClause(state.query, `-${text}`))),
      iconButton("table", `Column ${name}`, () => onColumn(name), pressed(columns.has(name))),
      iconButton("copy", `Copy the value of ${name}`, () => copy(valueText(value), name)));
  };
  const row = (name) => {
    const value = record.value[name];
    const shown = name === "trace_id"
      ? el("button", { type: "button", class: "link mono", text: value, title: "Show the trace", on: { click: () => onSide("trace") } })
      : el("span", { class: `mono ${typeof value === "string" ? "" : "is-literal"}`, text: valueText(value) });
    return el("div", { class: "field" }, el("dt", { text: name }), el("dd", {}, shown, tools(name, value)));
  };
  body.replaceChildren(el("dl", { class: "fields" }, ...names.map(row)));
}

const order = (name) => (MEMBERS.includes(name) ? MEMBERS.indexOf(name) : MEMBERS.length);
