// Patterns: messages without what varies, the most frequent first.
//
// Knows the pipe. A filter that finds the records of a pattern goes out.

import { getLines } from "./api.js";
import { amount } from "./chart.js";
import { byId, el, iconButton } from "./dom.js";
import { copy, emptyState } from "./notice.js";
import { patternFilter, split } from "./query.js";

const COUNT = 100;

/** Shows the patterns of a search; returns its summary. `onFilter` is given a filter. */
export async function showPatterns(search, onFilter) {
  const host = byId("patterns");
  host.setAttribute("aria-busy", "true");
  try {
    const query = `${split(search.query).filter || "*"} | patterns ${COUNT}`;
    const { records, summary } = await getLines("/api/v1/search", { query, ...search.params }, search.signal);
    const rows = records.map(({ value }) => value);
    const total = Math.max(1, summary.matched);
    host.replaceChildren(rows.length ? table(rows, total, onFilter) : emptyState({
      title: "No messages here",
      text: "Widen the range or take something out of the query.",
    }));
    return summary;
  } finally {
    host.removeAttribute("aria-busy");
  }
}

function table(rows, total, onFilter) {
  const most = Math.max(...rows.map(({ count }) => count));
  const head = ["Records", "Share", "Pattern", "Example", ""].map((text) =>
    (text ? el("th", { scope: "col", text }) : el("td")));
  return el("table", { class: "pattern-table" }, el("thead", {}, el("tr", {}, ...head)),
    el("tbody", {}, ...rows.map((row) => line(row, most, total, onFilter))));
}

function line({ pattern, count, example }, most, total, onFilter) {
  const bar = el("i", { class: "share" });
  bar.style.width = `${((count / most) * 100).toFixed(1)}%`;
  const filter = patternFilter(pattern);
  const percent = (count / total) * 100;
  return el("tr", {},
    el("td", { class: "number", text: amount(count) }),
    el("td", { class: "share-cell" }, bar, el("span", { text: percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(1)} %` })),
    el("td", {}, el("button", {
      type: "button",
      class: "link mono pattern",
      title: "Show its records",
      disabled: !filter,
      on: { click: () => onFilter(filter) },
    }, ...pieces(pattern))),
    el("td", { class: "mono muted example", text: example, title: example }),
    el("td", { class: "pattern-tools" },
      iconButton("minus", "Without these", () => onFilter(negated(filter)), { disabled: !filter }),
      iconButton("copy", "Copy the pattern", () => copy(pattern, "Pattern"))));
}

/** What varies is marked. */
function pieces(pattern) {
  return pattern.split(/(<(?:n|id)>)/).filter(Boolean).map((piece) =>
    (/^<(n|id)>$/.test(piece) ? el("mark", { text: piece === "<n>" ? "#" : "id" }) : piece));
}

const negated = (filter) => (filter.includes("* message:") ? `-(${filter})` : `-${filter}`);
