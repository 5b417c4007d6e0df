// Results: what pipes make of records: a table, and curves if one column is time.
//
// Knows rows of any shape. Does not know the query. A click on a column's head orders by it.

import { amount, Chart } from "./chart.js";
import { byId, el } from "./dom.js";
import { levelBadge, LEVELS, levelClass } from "./levels.js";
import { local, toMs } from "./moment.js";
import { valueText } from "./record.js";

const MOST_ROWS = 500;
const MOST_CURVES = 8;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

let order = { name: null, isDown: false };
let curves = null;

/** Shows rows. */
export function showResults(rows, zone) {
  const names = [...new Set(rows.slice(0, 1000).flatMap((row) => Object.keys(row.value)))];
  const values = rows.map((row) => row.value);
  const host = byId("results-table");
  const draw = () => host.replaceChildren(...table(names, sorted(values), zone, draw));
  if (!names.includes(order.name)) order = { name: null, isDown: false };
  draw();
  showCurves(names, values, zone);
}

function table(names, rows, zone, draw) {
  const heads = names.map((name) => {
    const isBy = order.name === name;
    const click = () => {
      order = { name, isDown: isBy ? !order.isDown : typeof rows[0]?.[name] === "number" };
      draw();
    };
    const sort = isBy ? (order.isDown ? "descending" : "ascending") : null;
    return el("th", { scope: "col", "aria-sort": sort },
      el("button", { type: "button", class: "link", text: name + (isBy ? (order.isDown ? " ↓" : " ↑") : ""), on: { click } }));
  });
  const shown = rows.slice(0, MOST_ROWS);
  const left = rows.length - shown.length;
  return [
    el("table", { class: "result-table" }, el("thead", {}, el("tr", {}, ...heads)),
      el("tbody", {}, ...shown.map((row) => el("tr", {}, ...names.map((name) => cell(name, row[name], zone)))))),
    ...(left > 0 ? [el("p", { class: "muted", text: `${amount(left)} more rows: export has all of them.` })] : []),
  ];
}

function cell(name, value, zone) {
  if (name === "level" && LEVELS.includes(value)) return el("td", {}, levelBadge(value));
  if (typeof value === "number") return el("td", { class: "number", text: amount(value) });
  if (TIME.test(value ?? "")) return el("td", { class: "mono", text: local(toMs(value), zone).replace(/\.000$/, "") });
  return el("td", { class: "mono", text: value === null || value === undefined ? "–" : valueText(value) });
}

function sorted(rows) {
  const { name, isDown } = order;
  if (!name) return rows;
  const sign = isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a[name], b[name]];
    if (one === other) return 0;
    if (one === null || one === undefined) return 1;
    if (other === null || other === undefined) return -1;
    return sign * (one < other ? -1 : 1);
  });
}

/** A curve for each column of numbers, or for each group of one. */
function showCurves(names, rows, zone) {
  const host = byId("results-chart");
  const time = names.find((name) => rows.length > 1 && rows.every((row) => TIME.test(row[name] ?? "")));
  const numbers = names.filter((name) => rows.some((row) => typeof row[name] === "number"));
  host.hidden = !time || !numbers.length;
  if (host.hidden) return;
  curves ??= new Chart(host, "Curves: the numbers of the table over time");
  const moments = [...new Set(rows.map((row) => toMs(row[time])))].sort((a, b) => a - b);
  const steps = moments.slice(1).map((at, index) => at - moments[index]);
  const step = Math.max(1, Math.min(...steps, Infinity) === Infinity ? 1000 : Math.min(...steps));
  const groups = names.filter((name) => name !== time && !numbers.includes(name));
  const series = new Map();
  for (const row of rows) {
    for (const number of numbers) {
      const name = [...(numbers.length > 1 || !groups.length ? [number] : []), ...groups.map((group) => valueText(row[group]))].join(" ");
      if (!series.has(name)) series.set(name, []);
      series.get(name)[Math.round((toMs(row[time]) - moments[0]) / step)] = row[number];
    }
  }
  const list = [...series].slice(0, MOST_CURVES).map(([name, values], index) =>
    ({ name, class: LEVELS.includes(name) ? levelClass(name) : `service-${index % 6}`, values }));
  curves.show({ kind: "lines", from: moments[0], to: moments.at(-1), step, zone, series: list });
  byId("results-legend").replaceChildren(...list.map(({ name, class: colour }) =>
    el("span", { class: "level-chip" }, el("i", { class: `dot ${colour}` }), name)));
}
