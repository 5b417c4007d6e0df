// Histogram: how many records there are by time and level, above the records.
//
// Knows the route and levels. A stretch of time that somebody selects, or a level, goes out.

import { amount, Chart } from "./chart.js";
import { byId, el } from "./dom.js";
import { getJson, getLines } from "./api.js";
import { LEVELS, levelClass } from "./levels.js";
import { fromMs, toMs } from "./moment.js";
import { clause, hasClause, split } from "./query.js";
import { stepMs } from "./range.js";

const BAR_PX = 9;
const MOST_BARS = 160;

export class Histogram {
  /** `onBrush(from, to)` and `onLevel(level, isOut)`. */
  constructor({ onBrush, onLevel }) {
    this.onLevel = onLevel;
    this.host = byId("histogram");
    this.legend = byId("legend");
    this.host.setAttribute("role", "group");
    this.host.setAttribute("aria-label",
      "Records by time. Arrow keys choose a step, Shift and arrows more of them, Enter zooms in.");
    this.chart = new Chart(this.host, "Stacked bars: records by time and level", onBrush);
  }

  /** Counts what a search finds; returns the answer's summary and the number of records. */
  async load(search, zone) {
    const { filter } = split(search.query);
    const query = filter || "*";
    const from = search.from ?? await firstMs(query, search);
    this.host.setAttribute("aria-busy", "true");
    const bars = Math.min(MOST_BARS, Math.max(20, Math.floor(this.host.clientWidth / BAR_PX)));
    const step = stepMs(search.to - from, bars);
    const params = { query, start: fromMs(from), end: fromMs(search.to), step: `${step}ms` };
    const { buckets, _summary: summary } = await getJson("/api/v1/histogram", params, search.signal);
    this.show({ from: Math.floor(from / step) * step, to: search.to, step, zone }, buckets, search.query);
    return { summary, total: buckets.reduce((sum, bucket) => sum + bucket.total, 0) };
  }

  /** Shows buckets of the server's form. */
  show({ from, to, step, zone }, buckets, query) {
    const end = Math.max(Math.ceil(to / step) * step, from + step);
    const levels = LEVELS.filter((level) => buckets.some(({ counts }) => counts[level])).reverse();
    // The most important are at the bottom, where their heights can be compared.
    const series = levels.map((level) => ({ name: level, class: levelClass(level), values: [] }));
    const totals = Object.fromEntries(levels.map((level) => [level, 0]));
    for (const { time, counts } of buckets) {
      const index = Math.round((toMs(time) - from) / step);
      if (index < 0) continue;
      levels.forEach((level, at) => {
        series[at].values[index] = (series[at].values[index] ?? 0) + (counts[level] ?? 0);
        totals[level] += counts[level] ?? 0;
      });
    }
    this.chart.show({ kind: "bars", from, to: end, step, zone, series });
    this.host.removeAttribute("aria-busy");
    this.#showLegend(levels, totals, query);
  }

  #showLegend(levels, totals, query) {
    this.legend.replaceChildren(...levels.map((level) => {
      const isOn = hasClause(query, clause("level", level));
      return el("button", {
        type: "button",
        class: "level-chip",
        "aria-pressed": String(isOn),
        title: isOn ? "Show all levels" : `Show ${level} only; with Shift: all but ${level}`,
        on: { click: (event) => this.onLevel(level, event.shiftKey && !isOn) },
      }, el("i", { class: `dot ${levelClass(level)}` }), el("span", { text: level }),
      el("b", { text: amount(totals[level]) }));
    }));
  }
}

/** When the first record is: for a range without a begin. */
async function firstMs(query, search) {
  const params = { query, ...search.params, order: "asc", limit: 1 };
  const { records } = await getLines("/api/v1/search", params, search.signal);
  return records.length ? toMs(records[0].time) : search.to - 3_600_000;
}
