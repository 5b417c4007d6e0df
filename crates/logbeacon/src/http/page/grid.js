// Grid: a table of any length, of which only the rows in sight are elements.
//
// Knows rows, columns and keys. Does not know records: `cell` makes what is in a cell. All rows are
// equally high, so a row's place is its number.

import { el } from "./dom.js";

const SPARE_ROWS = 12;
const NEAR_END_ROWS = 60;
const MIN_WIDTH_PX = 48;

export class Grid {
  #columns = [];
  #count = 0;
  #selected = -1;
  #first = -1;
  #last = -1;

  /**
   * `cell(index, column)` makes a cell's content, `rowClass(index)` its classes; `onOpen(index)` is
   * called for a chosen row, `onNearEnd()` when more rows are wanted, `onWidth(name, px)` when a
   * column was dragged.
   */
  constructor(host, label, calls) {
    Object.assign(this, { host, rowClass: () => "", onNearEnd() {}, onWidth() {}, onScroll() {} }, calls);
    this.head = el("div", { class: "grid-head", role: "rowgroup" });
    this.body = el("div", { class: "grid-body", role: "rowgroup" });
    host.classList.add("grid");
    host.tabIndex = 0;
    host.setAttribute("role", "grid");
    host.setAttribute("aria-label", label);
    host.replaceChildren(this.head, this.body);
    host.addEventListener("scroll", () => {
      this.onScroll();
      this.#draw(false);
    }, { passive: true });
    host.addEventListener("keydown", (event) => this.#key(event));
    this.body.addEventListener("click", (event) => this.#click(event));
    new ResizeObserver(() => this.#draw(true)).observe(host);
  }

  /** `{name, title, width}`: a width is CSS for a column of the grid. */
  setColumns(columns) {
    this.#columns = columns;
    this.host.style.setProperty("--columns", columns.map(({ width }) => width).join(" "));
    this.host.setAttribute("aria-colcount", columns.length);
    this.head.replaceChildren(el("div", { role: "row", class: "grid-row" },
      ...columns.map((column) => this.#header(column))));
    this.#draw(true);
  }

  #header({ name, title, tools = null }) {
    const handle = el("span", { class: "grip", "aria-hidden": "true" });
    const header = el("div", { role: "columnheader", class: `cell cell-${kindOf(name)}` },
      tools ?? el("span", { text: title ?? name }), handle);
    handle.addEventListener("pointerdown", (event) => this.#drag(event, header, name));
    return header;
  }

  #drag(event, header, name) {
    event.preventDefault();
    const begin = { x: event.clientX, width: header.offsetWidth };
    const handle = event.target;
    handle.setPointerCapture(event.pointerId);
    let width = begin.width;
    handle.onpointermove = ({ clientX }) => {
      width = Math.max(MIN_WIDTH_PX, Math.round(begin.width + clientX - begin.x));
      const widths = this.#columns.map((column) => (column.name === name ? `${width}px` : column.width));
      this.host.style.setProperty("--columns", widths.join(" "));
    };
    handle.onpointerup = () => {
      handle.onpointermove = null;
      handle.onpointerup = null;
      if (width !== begin.width) this.onWidth(name, width);
    };
  }

  get rowHeight() {
    return parseFloat(getComputedStyle(this.host).getPropertyValue("--row-height")) || 30;
  }

  get selected() {
    return this.#selected;
  }

  /** Shows so many rows. */
  setCount(count) {
    this.#count = count;
    this.host.setAttribute("aria-rowcount", count + 1);
    this.#draw(true);
  }

  /** Marks a row, and brings it into sight. */
  select(index, reveal = true) {
    this.#selected = index;
    if (reveal && index >= 0) this.#reveal(index);
    this.#draw(true);
  }

  toTop() {
    this.host.scrollTop = 0;
  }

  #reveal(index) {
    const { host, rowHeight, head } = this;
    const top = index * rowHeight;
    const room = host.clientHeight - head.offsetHeight - rowHeight;
    if (top < host.scrollTop) host.scrollTop = top;
    else if (top > host.scrollTop + room) host.scrollTop = top - room;
  }

  /** Makes the rows in sight; `always` if what is in them may have changed. */
  #draw(always) {
    const { host, rowHeight } = this;
    const first = Math.max(0, Math.floor(host.scrollTop / rowHeight) - SPARE_ROWS);
    const last = Math.min(this.#count, Math.ceil((host.scrollTop + host.clientHeight) / rowHeight) + SPARE_ROWS);
    if (!always && first === this.#first && last === this.#last) return;
    [this.#first, this.#last] = [first, last];
    this.body.style.height = `${this.#count * rowHeight}px`;
    const rows = [];
    for (let index = first; index < last; index += 1) rows.push(this.#row(index, rowHeight));
    this.body.replaceChildren(...rows);
    const isShown = this.#selected >= first && this.#selected < last;
    if (isShown) host.setAttribute("aria-activedescendant", `${host.id}-${this.#selected}`);
    else host.removeAttribute("aria-activedescendant");
    if (this.#count && last > this.#count - NEAR_END_ROWS) this.onNearEnd();
  }

  #row(index, rowHeight) {
    const isSelected = index === this.#selected;
    const row = el("div", {
      role: "row",
      id: `${this.host.id}-${index}`,
      class: `grid-row ${this.rowClass(index)}`,
      "aria-rowindex": index + 2,
      "aria-selected": String(isSelected),
      data: { index },
    }, ...this.#columns.map(({ name }) =>
      el("div", { role: "gridcell", class: `cell cell-${kindOf(name)}` }, ...[this.cell(index, name)].flat())));
    row.style.top = `${index * rowHeight}px`;
    return row;
  }

  #click(event) {
    const row = event.target.closest(".grid-row");
    const isSelecting = getSelection()?.toString();
    if (row && !isSelecting && !event.target.closest("button")) this.onOpen(Number(row.dataset.index));
  }

  #key(event) {
    if (event.target !== this.host || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.host.clientHeight / this.rowHeight) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key === "Enter" && this.#selected >= 0) this.onOpen(this.#selected);
    else return;
    event.preventDefault();
  }

  /** Moves the mark by rows. */
  move(by) {
    if (!this.#count) return;
    const from = this.#selected < 0 ? (by > 0 ? -1 : 0) : this.#selected;
    this.select(Math.min(Math.max(from + by, 0), this.#count - 1));
    this.onMove?.(this.#selected);
  }
}

/** Columns with a look of their own. */
const kindOf = (name) => (["time", "level", "service", "message"].includes(name) ? name : "other");
