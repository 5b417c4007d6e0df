// Range: which stretch of time is searched.
//
// Knows moments. A range is `{last: "15m"}`, `{day: "today"}`, `{from, to}` or `{}` for everything;
// it becomes two moments when a search begins.

import { dayBegin, fromMs, local, offsetMs, toMs } from "./moment.js";

export const PRESETS = [
  ["5m", "Last 5 minutes"], ["15m", "Last 15 minutes"], ["1h", "Last hour"],
  ["6h", "Last 6 hours"], ["1d", "Last 24 hours"], ["7d", "Last 7 days"], ["30d", "Last 30 days"],
];

export const DEFAULT_RANGE = { last: "1h" };

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of a length such as `15m`; null if it is none. */
export function lengthMs(text) {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(text ?? "") ?? [];
  return unit ? Number(count) * UNITS[unit] : null;
}

/** The two ends in milliseconds; `from` is null for everything. */
export function resolve(range, nowMs, zone) {
  if (range.from) return { from: toMs(range.from), to: toMs(range.to) };
  // The second that has begun belongs to it.
  const to = Math.ceil(nowMs / 1000) * 1000;
  if (range.day) {
    const today = dayBegin(nowMs, zone);
    if (range.day === "today") return { from: today, to };
    return { from: dayBegin(today - 1, zone), to: today };
  }
  return { from: range.last ? to - lengthMs(range.last) : null, to };
}

/** The same as two fixed moments, for a link that shows tomorrow what it shows now. */
export function fixed(range, nowMs, zone) {
  const { from, to } = resolve(range, nowMs, zone);
  return from === null ? {} : between(from, to);
}

export const between = (from, to) => ({ from: fromMs(from), to: fromMs(to) });

export function isFixed(range) {
  return Boolean(range.from);
}

/** As parameters of a link. */
export function rangeParams(range) {
  if (range.from) return { from: range.from, to: range.to };
  return { range: range.last ?? range.day ?? "all" };
}

export function rangeOf(params) {
  const [from, to, name] = ["from", "to", "range"].map((key) => params.get(key));
  if (isMoment(from) && isMoment(to)) return { from, to };
  if (name === "all") return {};
  if (name === "today" || name === "yesterday") return { day: name };
  return lengthMs(name) ? { last: name } : DEFAULT_RANGE;
}

const isMoment = (text) => text && !Number.isNaN(Date.parse(text));

/** For people. */
export function rangeText(range, zone) {
  if (range.from) {
    const [from, to] = [toMs(range.from), toMs(range.to)];
    const [begin, end] = [local(from, zone, 0), local(to, zone, 0)];
    return `${begin} – ${begin.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end}`;
  }
  if (range.day) return range.day === "today" ? "Today" : "Yesterday";
  if (!range.last) return "All time";
  return PRESETS.find(([length]) => length === range.last)?.[1] ?? `Last ${range.last}`;
}

const STEPS_S = [0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

/** A usual step with which a length has at most so many. */
export function stepMs(lengthMs, most) {
  const step = STEPS_S.find((seconds) => lengthMs / (seconds * 1000) <= most);
  return (step ?? Math.ceil(lengthMs / most / 86_400_000) * 86_400) * 1000;
}

/** Round moments between two, in the zone, for the marks of an axis. */
export function marks(from, to, most, zone) {
  const step = stepMs(to - from, most);
  const shift = offsetMs(from, zone);
  const list = [];
  for (let at = Math.ceil((from + shift) / step) * step - shift; at <= to; at += step) list.push(at);
  const digits = step < 1000 ? 3 : 0;
  return list.map((at) => {
    const text = local(at, zone, digits);
    const time = step < 60_000 ? text.slice(11) : text.slice(11, 16);
    return { at, text: step >= 86_400_000 || time === "00:00" ? text.slice(5, 10) : time };
  });
}
