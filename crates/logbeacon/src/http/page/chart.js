// Chart: stacked bars or lines over time, with a brush.
//
// Knows shapes and moments. Does not know records or queries: what is counted comes in as series,
// what somebody selects goes out as two moments. Colours are classes of the series.

import { el, svg } from "./dom.js";
import { local } from "./moment.js";
import { marks } from "./range.js";

const MARGIN = { left: 44, right: 8, top: 8, bottom: 20 };
/** A pointer that moves less has clicked. */
const CLICK_PX = 4;

/**
 * Data of a chart: `from`, `to` and `step` in milliseconds, `kind` (`bars` or `lines`), `zone`, and
 * `series`: a list of `{name, class, values}` with a value (or null) for each step from `from` on.
 */
export class Chart {
  #data = null;
  #selection = null;
  #drag = null;

  /** `onBrush(from, to)` is called with what was selected, in milliseconds. */
  constructor(host, label, onBrush = null) {
    this.host = host;
    this.onBrush = onBrush;
    this.picture = svg("svg", { class: "chart", role: "img", "aria-label": label });
    this.tip = el("div", { class: "tip", hidden: true });
    this.spoken = el("p", { class: "unseen", "aria-live": "polite" });
    host.append(this.picture, this.tip, this.spoken);
    new ResizeObserver(() => this.#draw()).observe(host);
    if (onBrush) this.#listen();
    this.picture.addEventListener("pointermove", (event) => this.#point(event));
    this.picture.addEventListener("pointerleave", () => this.#hideTip());
  }

  show(data) {
    this.#data = data;
    this.#selection = null;
    this.#draw();
  }

  #frame() {
    const { width, height } = this.host.getBoundingClientRect();
    const { left, right, top, bottom } = MARGIN;
    return { width, height, left, top, across: width - left - right, down: height - top - bottom };
  }

  #x(ms) {
    const { from, to } = this.#data;
    const { left, across } = this.#frame();
    return left + ((ms - from) / (to - from)) * across;
  }

  #ms(x) {
    const { from, to } = this.#data;
    const { left, across } = this.#frame();
    return from + Math.min(Math.max((x - left) / across, 0), 1) * (to - from);
  }

  #draw() {
    const frame = this.#frame();
    if (!this.#data || frame.across <= 0 || frame.down <= 0) return;
    this.picture.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    const most = highest(this.#data);
    const y = (value) => frame.top + frame.down * (1 - value / most);
    const shapes = this.#data.kind === "lines" ? this.#lines(y) : this.#bars(y);
    this.mark = svg("rect", { class: "chart-mark", y: frame.top, height: frame.down, width: 0 });
    this.picture.replaceChildren(
      ...this.#grid(frame, most, y), ...shapes, this.mark);
    this.#drawSelection();
  }

  #grid(frame, most, y) {
    const level = (value) => [
      svg("line", { class: "chart-line", x1: frame.left, x2: frame.width - 8, y1: y(value), y2: y(value) }),
      svg("text", { class: "chart-text", x: frame.left - 6, y: y(value) + 4, "text-anchor": "end" },
        short(value)),
    ];
    const { from, to, zone } = this.#data;
    const moment = ({ at, text }) => {
      const x = this.#x(at);
      if (x < frame.left + 14 || x > frame.width - 20) return null;
      return svg("text", { class: "chart-text", x, y: frame.height - 5, "text-anchor": "middle" }, text);
    };
    const fit = Math.max(2, Math.floor(frame.across / 90));
    const levels = frame.down > 60 ? [0, most / 2, most] : [0, most];
    return [...levels.flatMap(level), ...marks(from, to, fit, zone).map(moment).filter(Boolean)];
  }

  /** One path for each series: hundreds of bars are few elements. */
  #bars(y) {
    const { series, from, to, step } = this.#data;
    const count = Math.ceil((to - from) / step);
    const below = new Array(count).fill(0);
    return series.map(({ class: name, values }) => {
      let path = "";
      for (let index = 0; index < count; index += 1) {
        const value = values[index] ?? 0;
        if (!value) continue;
        const [left, right] = [this.#x(from + index * step), this.#x(Math.min(to, from + (index + 1) * step))];
        const gap = right - left > 4 ? 1 : 0;
        const [top, bottom] = [y(below[index] + value), y(below[index])];
        // What is rare must be seen beside what is frequent.
        const seen = Math.max(bottom - top, 1.5);
        path += `M${left.toFixed(1)} ${bottom.toFixed(1)}H${(right - gap).toFixed(1)}V${(bottom - seen).toFixed(1)}H${left.toFixed(1)}z`;
        below[index] += value;
      }
      return svg("path", { class: `chart-bar ${name}`, d: path });
    });
  }

  #lines(y) {
    const { series, from, step } = this.#data;
    return series.map(({ class: name, values }) => {
      let path = "";
      let isDown = false;
      values.forEach((value, index) => {
        if (value === null || value === undefined) {
          isDown = false;
          return;
        }
        path += `${isDown ? "L" : "M"}${this.#x(from + index * step).toFixed(1)} ${y(value).toFixed(1)}`;
        isDown = true;
      });
      return svg("path", { class: `chart-curve ${name}`, d: path });
    });
  }

  /** What is at the pointer. */
  #point(event) {
    if (!this.#data) return;
    const box = this.host.getBoundingClientRect();
    const x = event.clientX - box.left;
    if (this.#drag) {
      this.#select(this.#drag.ms, this.#ms(x));
      return;
    }
    const { from, step } = this.#data;
    this.#showTip(Math.floor((this.#ms(x) - from) / step), x);
  }

  #showTip(index, x) {
    const { from, to, step, series, zone } = this.#data;
    const begin = from + index * step;
    if (begin >= to) return;
    const rows = series.filter(({ values }) => values[index]).reverse().map((one) => el("tr", {},
      el("td", {}, el("i", { class: `dot ${one.class}` })), el("td", { text: one.name }),
      el("td", { class: "number", text: amount(one.values[index]) })));
    const digits = step < 1000 ? 3 : 0;
    this.tip.replaceChildren(
      el("b", { text: local(begin, zone, digits) }),
      rows.length ? el("table", {}, ...rows) : el("p", { text: "nothing" }));
    this.tip.hidden = false;
    const { width } = this.#frame();
    const left = Math.min(Math.max(x + 12, 0), width - this.tip.offsetWidth - 4);
    this.tip.style.left = `${x + 12 > left ? Math.max(0, x - this.tip.offsetWidth - 12) : left}px`;
  }

  #hideTip() {
    this.tip.hidden = true;
  }

  #listen() {
    const { picture } = this;
    const x = (event) => event.clientX - this.host.getBoundingClientRect().left;
    picture.addEventListener("pointerdown", (event) => {
      if (!this.#data || event.button !== 0) return;
      picture.setPointerCapture(event.pointerId);
      this.#drag = { x: x(event), ms: this.#ms(x(event)) };
      this.#hideTip();
    });
    picture.addEventListener("pointerup", (event) => {
      const drag = this.#drag;
      this.#drag = null;
      if (!drag) return;
      const hasMoved = Math.abs(x(event) - drag.x) >= CLICK_PX;
      if (hasMoved) this.#finish(drag.ms, this.#ms(x(event)));
      else this.#finish(...this.#stepAt(drag.ms));
    });
    picture.addEventListener("pointercancel", () => {
      this.#drag = null;
      this.#select(null);
    });
    this.host.tabIndex = 0;
    this.host.addEventListener("keydown", (event) => this.#key(event));
  }

  #stepAt(ms) {
    const { from, step } = this.#data;
    const begin = from + Math.floor((ms - from) / step) * step;
    return [begin, begin + step];
  }

  /** Arrows move the selection by a step, with Shift they stretch it; Enter takes it. */
  #key(event) {
    if (!this.#data) return;
    const { from, to, step } = this.#data;
    const [begin, end] = this.#selection ?? [from - step, from];
    const by = { ArrowLeft: -step, ArrowRight: step }[event.key];
    if (event.key === "Enter" && this.#selection) this.#finish(begin, end);
    else if (event.key === "Escape" && this.#selection) this.#select(null);
    else if (by && event.shiftKey) this.#select(begin, Math.min(to, Math.max(begin + step, end + by)));
    else if (by) {
      const next = Math.min(Math.max(from, begin + by), to - step);
      this.#select(next, next + step);
      this.#say(Math.floor((next - from) / step));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #say(index) {
    const { from, step, series, zone } = this.#data;
    const counts = series.filter(({ values }) => values[index])
      .map(({ name, values }) => `${name} ${amount(values[index])}`);
    this.spoken.textContent = `${local(from + index * step, zone, 0)}: ${counts.join(", ") || "nothing"}`;
    this.#showTip(index, this.#x(from + index * step));
  }

  #select(one, other) {
    this.#selection = one === null ? null : [Math.min(one, other), Math.max(one, other)];
    this.#drawSelection();
  }

  #drawSelection() {
    if (!this.mark) return;
    const [begin, end] = this.#selection ?? [0, 0];
    this.mark.setAttribute("x", this.#selection ? this.#x(begin) : 0);
    this.mark.setAttribute("width", this.#selection ? Math.max(1, this.#x(end) - this.#x(begin)) : 0);
  }

  #finish(one, other) {
    const { from, to } = this.#data;
    const [begin, end] = [Math.min(one, other), Math.max(one, other)];
    this.#select(null);
    this.onBrush(Math.max(from, begin), Math.min(to, end));
  }
}

/** The upper end of the axis: round, and not less than any value. */
function highest({ series, kind, from, to, step }) {
  const count = Math.ceil((to - from) / step) + 1;
  let most = 0;
  for (let index = 0; index < count; index += 1) {
    const values = series.map(({ values }) => values[index] ?? 0);
    const sum = kind === "lines" ? Math.max(0, ...values) : values.reduce((a, b) => a + b, 0);
    most = Math.max(most, sum);
  }
  if (most <= 0) return 2;
  const size = 10 ** Math.floor(Math.log10(most));
  const round = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((step) => step * size >= most) * size;
  // A count of one and a half is none.
  return kind === "lines" ? round : Math.max(2, Math.ceil(round / 2) * 2);
}

/** A number with its digits grouped. */
export const amount = (number) =>
  (Number.isInteger(number) ? number : Number(number.toPrecision(4))).toLocaleString("en-US").replaceAll(",", "\u202f");

/** A number in few letters. */
function short(number) {
  const unit = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([size]) => Math.abs(number) >= size);
  return unit ? `${Number((number / unit[0]).toPrecision(3))}${unit[1]}` : String(Number(number.toPrecision(3)));
}
