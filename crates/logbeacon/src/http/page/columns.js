// Columns: the panel in which columns are chosen and put in order.
//
// Knows names of fields. A list of columns comes in, another one goes out.

import { knownFields } from "./completion.js";
import { el, iconButton } from "./dom.js";
import { attachMenu } from "./menu.js";
import { DEFAULT_COLUMNS } from "./state.js";

/** Gives a button the panel. `columns()` are those of now. */
export function attachColumns(button, columns, onColumns) {
  attachMenu(button, "Columns", (panel) => {
    const draw = async () => {
      const chosen = columns();
      const change = (list) => {
        onColumns(list);
        draw();
      };
      panel.replaceChildren(
        el("h2", { text: "Columns" }),
        el("ol", { class: "column-list" }, ...chosen.map((column, index) => item(chosen, index, change))),
        await adder(chosen, change),
        el("button", {
          type: "button",
          class: "entry",
          text: "The usual columns",
          on: { click: () => change(DEFAULT_COLUMNS.map((name) => ({ name, width: null }))) },
        }));
    };
    draw();
  });
}

function item(chosen, index, change) {
  const { name } = chosen[index];
  const moved = (by) => {
    const list = [...chosen];
    list.splice(index + by, 0, ...list.splice(index, 1));
    change(list);
  };
  const tool = (glyph, label, click, isOff) => iconButton(glyph, `${label}: ${name}`, click, { disabled: isOff });
  return el("li", {}, el("span", { class: "mono", text: name }),
    tool("up", "Move to the left", () => moved(-1), index === 0),
    tool("down", "Move to the right", () => moved(1), index === chosen.length - 1),
    tool("close", "Remove", () => change(chosen.filter((_, at) => at !== index)), chosen.length === 1));
}

async function adder(chosen, change) {
  const taken = new Set(chosen.map(({ name }) => name));
  const names = (await knownFields()).filter((name) => !taken.has(name));
  const input = el("input", { "aria-label": "Field for a column", placeholder: "Add a field …", list: "column-names", autocomplete: "off" });
  const add = (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name && !taken.has(name)) change([...chosen, { name, width: null }]);
  };
  input.addEventListener("input", (event) => {
    // A name that was picked from the list is added at once.
    if (event.inputType === "insertReplacementText" || event.inputType === undefined) add(event);
  });
  return el("form", { class: "row", on: { submit: add } }, input,
    el("datalist", { id: "column-names" }, ...names.map((name) => el("option", { value: name }))),
    el("button", { class: "small", text: "Add" }));
}

/** The columns with one more in front of the message, or without it. */
export function toggledColumn(columns, name) {
  if (columns.some((column) => column.name === name)) {
    return columns.length > 1 ? columns.filter((column) => column.name !== name) : columns;
  }
  const at = columns.findIndex((column) => column.name === "message");
  const list = [...columns];
  list.splice(at < 0 ? list.length : at, 0, { name, width: null });
  return list;
}
