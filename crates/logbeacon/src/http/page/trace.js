// Trace: all records of a trace, with its spans in time.
//
// Knows which fields tell spans, parents and lengths. Draws one bar a span, on one axis, and every
// record as a dot on the bar of its span; below are the records.

import { getLines } from "./api.js";
import { el } from "./dom.js";
import { levelBadge, levelClass, worst } from "./levels.js";
import { lengthText, toNs } from "./moment.js";
import { quoted } from "./query.js";
import { valueText } from "./record.js";

const MOST = 2000;
const PARENTS = ["parent_span_id", "parent_id", "parentSpanId"];
/** What a record at the end of a span says about its length, in milliseconds. */
const LENGTHS = ["duration_ms", "elapsed_ms", "took_ms", "latency_ms"];
const COLOURS = 6;

/** Fills the panel. */
export async function traceOf(body, record, state, calls) {
  const id = record.value.trace_id;
  if (!id) {
    body.replaceChildren(el("p", { class: "muted", text: "This record has no trace_id, so it belongs to no trace." }));
    return;
  }
  body.replaceChildren(el("p", { class: "muted", text: "Looking for all records of the trace …" }));
  try {
    const params = { query: `trace_id:=${quoted(String(id))}`, order: "asc", limit: MOST };
    const { records, summary } = await getLines("/api/v1/search", params, calls.signal);
    body.replaceChildren(...picture(records, summary, { record, state, calls }));
  } catch (problem) {
    if (problem.name !== "AbortError") body.replaceChildren(el("p", { class: "muted", text: problem.message }));
  }
}

/** The spans of records, parents before children. */
export function spansOf(records) {
  const spans = new Map();
  for (const record of records) {
    const { value } = record;
    const key = value.span_id || `${value.service ?? ""}`;
    if (!spans.has(key)) {
      spans.set(key, { key, service: value.service ?? "", name: value.logger ?? "", parent: null, records: [], children: [] });
    }
    const span = spans.get(key);
    span.parent ??= PARENTS.map((name) => value[name]).find(Boolean) ?? null;
    span.records.push(record);
  }
  for (const span of spans.values()) measure(span);
  const roots = [];
  for (const span of spans.values()) (spans.get(span.parent)?.children ?? roots).push(span);
  return flat(roots, 0);
}

function measure(span) {
  const times = span.records.map((record) => Number(toNs(record.time) / 1000n) / 1000);
  const begins = span.records.map(({ value }, index) => {
    const length = LENGTHS.map((name) => value[name]).find((one) => typeof one === "number") ?? 0;
    return times[index] - length;
  });
  span.times = times;
  span.begin = Math.min(...begins);
  span.end = Math.max(...times);
  span.level = worst(span.records.map(({ value }) => value.level));
}

function flat(spans, depth) {
  const sorted = [...spans].sort((a, b) => a.begin - b.begin);
  return sorted.flatMap((span) => [{ ...span, depth }, ...flat(span.children, depth + 1)]);
}

function picture(records, summary, view) {
  const spans = spansOf(records);
  const begin = Math.min(...spans.map((span) => span.begin));
  const length = Math.max(0.001, Math.max(...spans.map((span) => span.end)) - begin);
  const services = [...new Set(spans.map(({ service }) => service))];
  const colour = (service) => `service-${services.indexOf(service) % COLOURS}`;
  const errors = records.filter(({ value }) => ["ERROR", "CRITICAL"].includes(value.level)).length;
  const facts = [`${services.length} ${services.length === 1 ? "service" : "services"}`, `${spans.length} spans`,
    `${records.length} records`, lengthText(length), ...(errors ? [`${errors} ${errors === 1 ? "error" : "errors"}`] : [])];
  const share = (ms) => `${(((ms - begin) / length) * 100).toFixed(3)}%`;
  const axis = el("div", { class: "span-axis", "aria-hidden": "true" }, el("span"),
    el("div", {}, ...[0, 0.25, 0.5, 0.75, 1].map((part) => el("span", { text: part ? lengthText(length * part) : "0" }))), el("span"));
  return [
    el("p", { class: "trace-facts" }, ...facts.map((text) => el("span", { text }))),
    summary.complete && records.length < MOST ? null : el("p", { class: "notice warning", text: "Not all records of this trace are here." }),
    el("div", { class: "spans", role: "list", "aria-label": "Spans" }, axis, ...spans.map((span) => bar(span, share, colour))),
    el("ol", { class: "lines" }, ...records.map((record) => line(record, begin, { ...view, colour }))),
  ].filter(Boolean);
}

function bar(span, share, colour) {
  const label = el("div", { class: "span-name", title: `${span.service} ${span.name} ${span.key}` },
    el("b", { text: span.service || "(no service)" }), " ", el("small", { text: span.name }));
  label.style.paddingLeft = `${span.depth * 12}px`;
  const length = el("i", { class: `span-bar ${colour(span.service)}` });
  length.style.left = share(span.begin);
  length.style.right = `calc(100% - ${share(span.end)})`;
  const dots = span.records.map((record, index) => {
    const dot = el("i", { class: `dot ${levelClass(record.value.level)}`, title: valueText(record.value.message) });
    dot.style.left = share(span.times[index]);
    return dot;
  });
  const text = lengthText(Math.max(0, span.end - span.begin));
  return el("div", { class: "span", role: "listitem", "aria-label": `${span.service} ${span.name}: ${text}` },
    label, el("div", { class: "span-track" }, length, ...dots),
    el("small", { class: "span-length", text: span.end > span.begin ? text : "" }));
}

function line(record, begin, { record: current, calls, colour }) {
  const after = Number(toNs(record.time) / 1000n) / 1000 - begin;
  const isCurrent = record.id === current.id;
  const { level, message, service } = record.value;
  return el("li", { class: `${levelClass(level)} has-level ${isCurrent ? "is-current" : ""}` },
    el("button", { type: "button", class: "line", "aria-current": isCurrent ? "true" : null, on: { click: () => calls.onOpen(record) } },
      el("time", { text: `+${lengthText(Math.max(0, after))}` }), levelBadge(level),
      el("b", { class: `service-name ${colour(service ?? "")}`, text: service ?? "" }), el("span", { text: valueText(message) })));
}
