// Record table: records in columns that somebody chose.
//
// Knows records, columns and the zone. Does not know where records come from: a list comes in,
// the record that was chosen goes out.

import { el, iconButton } from "./dom.js";
import { Grid } from "./grid.js";
import { levelBadge, levelClass } from "./levels.js";
import { local, toMs } from "./moment.js";
import { valueText } from "./record.js";

const WIDTHS = {
  time: "158px",
  level: "74px",
  service: "112px",
  host: "124px",
  trace_id: "150px",
  message: "minmax(320px, 1fr)",
};

export class RecordTable {
  #rows = [];
  #columns = [];
  #zone = "UTC";

  constructor(host, label, { onOpen, onNearEnd, onColumns, onOrder, onScroll = () => {} }) {
    this.calls = { onColumns, onOrder };
    this.grid = new Grid(host, label, {
      cell: (index, name) => this.#cell(this.#rows[index], name),
      rowClass: (index) => `${levelClass(this.#rows[index].value.level)} has-level`,
      onOpen: (index) => onOpen(this.#rows[index]),
      onMove: (index) => onOpen(this.#rows[index], true),
      onNearEnd,
      onScroll,
      onWidth: (name, width) => onColumns(this.#columns.map((column) =>
        (column.name === name ? { name, width } : column))),
    });
  }

  get rows() {
    return this.#rows;
  }

  /** Says how rows are shown. */
  configure({ columns, zone, order }) {
    this.#zone = zone;
    this.#columns = columns;
    const hasMessage = columns.some(({ name }) => name === "message");
    this.grid.setColumns(columns.map(({ name, width }, index) => {
      const isLast = !hasMessage && index === columns.length - 1;
      const usual = WIDTHS[name] ?? "140px";
      const own = width ? `${width}px` : isLast ? "minmax(140px, 1fr)" : usual;
      return { name, width: own, tools: this.#tools(name, order) };
    }));
  }

  #tools(name, order) {
    if (name === "time") {
      const next = order === "desc" ? "Oldest first" : "Newest first";
      return el("span", { class: "header-tools" }, el("span", { text: name }),
        iconButton(order === "desc" ? "down" : "up", next, () => this.calls.onOrder()));
    }
    const remove = () => this.calls.onColumns(this.#columns.filter((column) => column.name !== name));
    return el("span", { class: "header-tools" }, el("span", { text: name, title: name }),
      this.#columns.length > 1 ? iconButton("close", `Remove the column ${name}`, remove) : null);
  }

  show(rows) {
    this.#rows = rows;
    this.grid.setCount(rows.length);
  }

  /** Marks the record of that id; whether it is among the rows. */
  select(id, reveal) {
    const index = id ? this.#rows.findIndex((row) => id.startsWith(row.time) && row.id === id) : -1;
    this.grid.select(index, reveal);
    return index >= 0;
  }

  #cell(record, name) {
    const value = record.value[name];
    switch (name) {
      case "time": return value ? this.#time(value) : "";
      case "level": return levelBadge(value);
      case "message": return [
        el("span", { class: "text", text: valueText(value) }),
        el("span", { class: "rest", text: record.rest(this.#columns.map((column) => column.name)) }),
      ];
      default: return el("span", { class: "text", title: valueText(value), text: valueText(value) });
    }
  }

  #time(value) {
    const text = local(toMs(value), this.#zone);
    return el("time", { datetime: value, title: value },
      el("span", { class: "date", text: text.slice(5, 10) }), " ", text.slice(11));
  }
}
