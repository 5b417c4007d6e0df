// Detail: the panel about one record: its fields, its JSON, its context and its trace.
//
// Knows the panel and its tabs. What is in a tab is in a file of its own. What somebody does there
// (a clause, a column, another record) goes out.

import { contextOf } from "./context.js";
import { byId, el, iconButton } from "./dom.js";
import { fieldsOf } from "./field_list.js";
import { treeOf } from "./json_tree.js";
import { levelBadge } from "./levels.js";
import { distance, exact, lengthText, toMs } from "./moment.js";
import { copy } from "./notice.js";
import { now } from "./api.js";
import { valueText } from "./record.js";
import { traceOf } from "./trace.js";

const SIDES = [["fields", "Fields"], ["json", "JSON"], ["context", "Context"], ["trace", "Trace"]];
const FILL = { fields: fieldsOf, json: treeOf, context: contextOf, trace: traceOf };

export class Detail {
  #record = null;
  #state = null;
  #asked = new AbortController();

  /** See `page.js` for the calls. */
  constructor(calls) {
    this.calls = calls;
    this.panel = byId("detail");
    this.head = byId("detail-head");
    this.tabs = byId("detail-tabs");
    this.body = byId("detail-body");
    this.tabs.append(...SIDES.map(([side, title]) => el("button", {
      type: "button",
      role: "tab",
      id: `side-${side}`,
      "aria-controls": "detail-body",
      text: title,
      on: { click: () => calls.onSide(side) },
    })));
    this.tabs.addEventListener("keydown", (event) => this.#key(event));
  }

  get record() {
    return this.#record;
  }

  /** Shows a record; null closes the panel. */
  show(record, state) {
    const hasChanged = record !== this.#record || state.side !== this.#state?.side
      || state.zone !== this.#state?.zone || state.wide !== this.#state?.wide;
    const hasLook = state.query !== this.#state?.query || state.columns !== this.#state?.columns;
    this.#record = record;
    this.#state = state;
    this.panel.hidden = !record;
    document.body.classList.toggle("has-detail", Boolean(record));
    document.body.classList.toggle("is-wide", Boolean(record) && state.wide);
    if (!record) {
      this.#asked.abort();
      return;
    }
    if (hasChanged) this.#draw();
    else if (hasLook && state.side === "fields") this.#fill();
  }

  #draw() {
    const { value, line } = this.#record;
    const { zone, side, wide } = this.#state;
    const { onStep, onClose, onWide } = this.calls;
    this.head.replaceChildren(
      el("div", { class: "detail-tools" },
        levelBadge(value.level), this.#time(value.time, zone), el("span", { class: "spring" }),
        iconButton("up", "Record above", () => onStep(-1), { key: "k" }),
        iconButton("down", "Record below", () => onStep(1), { key: "j" }),
        iconButton("copy", "Copy as JSON", () => copy(line, "Record"), { key: "y" }),
        iconButton("wide", wide ? "Beside the table" : "Whole width", onWide, { key: "w", class: "icon as-wide" }),
        iconButton("close", "Close", onClose, { key: "Esc" })),
      el("p", { class: "detail-message", text: valueText(value.message) }));
    for (const tab of this.tabs.children) {
      const isOn = tab.id === `side-${side}`;
      tab.setAttribute("aria-selected", String(isOn));
      tab.tabIndex = isOn ? 0 : -1;
    }
    this.body.setAttribute("aria-labelledby", `side-${side}`);
    this.body.scrollTop = 0;
    this.#fill();
  }

  #time(time, zone) {
    if (!time) return null;
    const ago = now() - toMs(time);
    const text = ago >= 0 ? `${lengthText(Math.max(ago, 1000))} ago` : "in the future";
    return el("span", { class: "detail-time" }, el("time", { datetime: time, text: exact(time, zone) }),
      el("small", { text: `UTC${distance(toMs(time), zone)} · ${text}` }));
  }

  #fill() {
    this.#asked.abort();
    this.#asked = new AbortController();
    FILL[this.#state.side](this.body, this.#record, this.#state, { ...this.calls, signal: this.#asked.signal });
  }

  /** Arrows go from tab to tab. */
  #key(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = SIDES.findIndex(([side]) => side === this.#state.side);
    const [side] = SIDES[(at + by + SIDES.length) % SIDES.length];
    this.calls.onSide(side);
    byId(`side-${side}`).focus();
  }
}
