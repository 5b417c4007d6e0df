// Facets: the fields at the side, and the frequent values of those that are open.
//
// Knows the route. Only fields that somebody has opened are counted, so a wide record costs no
// more than a narrow one. A clause for the query goes out, or a field for a column.

import { getJson } from "./api.js";
import { amount } from "./chart.js";
import { knownFields } from "./completion.js";
import { byId, el, iconButton } from "./dom.js";
import { clause, hasClause, split } from "./query.js";
import { valueText } from "./record.js";
import { remember, setting } from "./settings.js";

const FEW = 6;
const MANY = 50;
/** These have too many values, or are shown elsewhere. */
const NOT_SHOWN = new Set(["time", "message", "level"]);
const FIRST = ["service", "host", "logger", "stream"];

export class Facets {
  #open = new Set(setting("facets", ["service", "host"]));
  #long = new Set();
  #search = null;
  #state = null;

  /** `onClause(text)`, `onColumn(name)`, `onSummary(summary)`. */
  constructor(calls) {
    Object.assign(this, calls);
    this.list = byId("facet-list");
    this.wanted = byId("facet-search");
    this.wanted.addEventListener("input", () => this.#draw());
  }

  /** Shows the fields of a search. */
  async load(search, state) {
    this.#search = search;
    this.#state = state;
    this.names = (await knownFields()).filter((name) => !NOT_SHOWN.has(name));
    this.names.sort((a, b) => order(a) - order(b) || a.localeCompare(b));
    this.#draw();
    const open = this.names.filter((name) => this.#open.has(name));
    if (!open.length) return null;
    return this.#count(open, FEW);
  }

  async #count(fields, count) {
    const search = this.#search;
    const { filter } = split(search.query);
    const params = { query: filter || "*", ...search.params, field: fields, count, timeout: "10s" };
    const { facets, _summary: summary } = await getJson("/api/v1/facets", params, search.signal);
    const found = new Map(facets.map(({ field, values }) => [field, values]));
    for (const field of fields) this.#fill(field, found.get(field) ?? [], summary);
    return summary;
  }

  #draw() {
    const wanted = this.wanted.value.trim().toLowerCase();
    const names = (this.names ?? []).filter((name) => name.toLowerCase().includes(wanted));
    const kept = new Map([...this.list.children].map((item) => [item.dataset.field, item]));
    this.list.replaceChildren(...names.map((name) => kept.get(name) ?? this.#item(name)));
    for (const item of this.list.children) this.#mark(item);
    byId("facet-none").hidden = names.length > 0;
  }

  #item(name) {
    const details = el("details", { open: this.#open.has(name) },
      el("summary", {}, el("span", { text: name })), el("ul", { class: "facet-values" }));
    const item = el("div", { class: "facet", data: { field: name } }, details,
      iconButton("table", `Column ${name}`, () => this.onColumn(name), { class: "icon as-column" }));
    details.addEventListener("toggle", () => this.#toggled(item, details, name));
    return item;
  }

  /** Shows which fields are columns now. */
  mark(state) {
    this.#state = state;
    for (const item of this.list.children) this.#mark(item);
  }

  #mark(item) {
    const isColumn = this.#state?.columns.some(({ name }) => name === item.dataset.field);
    item.querySelector(".as-column").setAttribute("aria-pressed", String(Boolean(isColumn)));
  }

  #toggled(item, details, name) {
    const isNew = details.open && !this.#open.has(name);
    if (details.open) this.#open.add(name);
    else this.#open.delete(name);
    remember("facets", [...this.#open]);
    if (isNew && this.#search) this.#count([name], FEW).catch((problem) => this.#failed(item, problem));
  }

  #failed(item, problem) {
    if (problem.name === "AbortError") return;
    item.querySelector(".facet-values").replaceChildren(el("li", { class: "muted", text: problem.message }));
  }

  #fill(field, values, summary) {
    const item = [...this.list.children].find((one) => one.dataset.field === field);
    if (!item) return;
    const most = Math.max(1, ...values.map(({ count }) => count));
    const rows = values.map(({ value, count }) => this.#value(field, value, count / most, count));
    const isCut = values.length >= FEW && !this.#long.has(field);
    const more = isCut ? el("li", {}, el("button", {
      type: "button",
      class: "link",
      text: "more",
      on: { click: () => { this.#long.add(field); this.#count([field], MANY); } },
    })) : null;
    this.#long.delete(field);
    const none = summary.complete ? "no values here" : "too many values to count";
    item.querySelector(".facet-values").replaceChildren(
      ...(rows.length ? rows : [el("li", { class: "muted", text: none })]), ...(more ? [more] : []));
  }

  #value(field, value, share, count) {
    const text = clause(field, value);
    const { query } = this.#state;
    const shown = valueText(value) || "(empty)";
    const [isOn, isOut] = [hasClause(query, text), hasClause(query, `-${text}`)];
    const bar = el("i", { class: "share" });
    bar.style.width = `${(share * 100).toFixed(1)}%`;
    const only = el("button", {
      type: "button",
      class: "facet-value",
      title: isOn ? `Take ${text} out of the query` : `Only ${text}`,
      "aria-pressed": String(isOn),
      on: { click: () => this.onClause(text) },
    }, bar, el("span", { text: shown }), el("b", { text: amount(count) }));
    return el("li", { class: isOut ? "is-out" : "" }, only,
      iconButton("minus", `Without ${shown}`, () => this.onClause(`-${text}`), { class: "icon without" }));
  }
}

const order = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
