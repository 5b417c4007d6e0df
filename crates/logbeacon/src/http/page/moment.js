// Moment: points in time to the nanosecond, and how they read in a time zone.
//
// Knows the calendar of the browser. A moment is its text in RFC 3339 and UTC, as the server
// writes it, or milliseconds since 1970 where a chart needs no more.

const QUARTER_MS = 900_000;
const offsets = new Map();

/** Milliseconds since 1970. */
export function toMs(text) {
  return Date.parse(`${text.slice(0, 19)}Z`) + Number(`0.${fraction(text)}`) * 1000;
}

/** Nanoseconds since 1970. */
export function toNs(text) {
  const seconds = BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1_000_000n;
  return seconds + BigInt(fraction(text).padEnd(9, "0").slice(0, 9));
}

export function fromNs(ns) {
  const second = ns / 1_000_000_000n - (ns % 1_000_000_000n < 0n ? 1n : 0n);
  const rest = String(ns - second * 1_000_000_000n).padStart(9, "0");
  return `${new Date(Number(second) * 1000).toISOString().slice(0, 19)}.${rest}Z`;
}

export const fromMs = (ms) => new Date(Math.round(ms)).toISOString();

const fraction = (text) => /\.(\d+)/.exec(text.slice(19))?.[1] ?? "0";

/** How far a zone is ahead of UTC at a moment. It changes at quarters of an hour only. */
export function offsetMs(ms, zone) {
  if (zone === "UTC") return 0;
  const quarter = Math.floor(ms / QUARTER_MS);
  const key = `${zone} ${quarter}`;
  if (!offsets.has(key)) {
    if (offsets.size > 20_000) offsets.clear();
    offsets.set(key, askedOffset(quarter * QUARTER_MS, zone));
  }
  return offsets.get(key);
}

const calendars = new Map();

function askedOffset(ms, zone) {
  if (!calendars.has(zone)) {
    const numeric = { year: "numeric", month: "numeric", day: "numeric" };
    const time = { hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23" };
    const options = { timeZone: zone, ...numeric, ...time };
    calendars.set(zone, new Intl.DateTimeFormat("en-US", options));
  }
  const parts = calendars.get(zone).formatToParts(ms);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - ms;
}

/** Date and time in the zone: `2026-11-30 10:00:00.123`. */
export function local(ms, zone, digits = 3) {
  const shifted = new Date(ms + offsetMs(ms, zone)).toISOString();
  return `${shifted.slice(0, 10)} ${shifted.slice(11, digits ? 20 + digits : 19)}`;
}

/** The same to the nanosecond. */
export function exact(text, zone) {
  const seconds = local(Math.floor(toMs(text) / 1000) * 1000, zone, 0);
  return `${seconds}.${fraction(text).padEnd(3, "0")}`;
}

/** The distance from UTC: `+01:00`. */
export function distance(ms, zone) {
  const minutes = Math.round(offsetMs(ms, zone) / 60_000);
  const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** The moment at which clocks of the zone show a date and time such as `2026-11-30T10:00`. */
export function fromLocal(text, zone) {
  const wanted = Date.parse(`${text.trim().replace(" ", "T")}${text.trim().length <= 10 ? "T00:00" : ""}Z`);
  if (Number.isNaN(wanted)) return null;
  const guess = wanted - offsetMs(wanted, zone);
  return wanted - offsetMs(guess, zone);
}

/** When the day began, in the zone. */
export function dayBegin(ms, zone) {
  return fromLocal(local(ms, zone, 0).slice(0, 10), zone);
}

/** A length of time for people: `340 µs`, `12.4 ms`, `3 min 20 s`. */
export function lengthText(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))} s`;
  const units = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000]];
  const first = units.findIndex(([, length]) => ms >= length);
  const [name, length] = units[first];
  const [nextName, nextLength] = units[first + 1] ?? ["", Infinity];
  const rest = Math.floor((ms % length) / nextLength);
  return `${Math.floor(ms / length)} ${name}${rest ? ` ${rest} ${nextName}` : ""}`;
}
