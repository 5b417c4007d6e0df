// Completion: what may follow at the caret of a query.
//
// Knows the spelling of queries and asks the server for names and values of fields. Does not know
// the box. A candidate is `{text, hint, from, to, insert}`: `insert` replaces what is from `from`
// to `to`.

import { getJson } from "./api.js";
import { LEVELS } from "./levels.js";
import { fieldName, literal, split, tokens } from "./query.js";
import { valueText } from "./record.js";
import { setting } from "./settings.js";

const MOST = 60;
const VALUES = 50;

const PIPES = [
  ["stats count() by ", "count, sum, avg, min, max, p99, uniq by fields"],
  ["top 10 by ", "the most frequent values"],
  ["patterns 20", "messages without what varies"],
  ["sort by ", "order by fields"],
  ["limit 100", "the first rows"],
  ["fields ", "keep these fields"],
  ["drop ", "take these fields away"],
  ["where ", "filter rows of a pipe"],
  ["histogram time:5m by level", "count by time"],
  ["facets 10 by ", "frequent values of each field"],
  ["dedup by ", "the first row of equal values"],
  ["extract \"", "fields out of a text"],
  ["rename ", "give other names"],
  ["context 3", "add the records around"],
  ["offset 100", "all but the first rows"],
];

const names = { list: [], until: 0 };
const KNOWN_MS = 60_000;

/** The names of all fields; asked once a minute. Without the right to see them, the usual ones. */
export async function knownFields() {
  if (Date.now() < names.until) return names.list;
  const usual = ["time", "level", "message", "service", "host", "logger", "stream", "trace_id", "span_id"];
  const answer = await getJson("/api/v1/fields").catch(() => ({ fields: [] }));
  names.list = [...new Set([...usual, ...answer.fields])];
  names.until = Date.now() + KNOWN_MS;
  return names.list;
}

/** Candidates at a place of a text, within a range `{start, end}`. */
export async function candidates(text, caret, range, signal) {
  const before = tokens(text.slice(0, caret)).filter((token) => token.kind !== "space" || token.end === caret);
  const last = before.at(-1);
  if (!text.trim()) return recent();
  if (!last) return [];
  if (last.kind === "operator") return ofValue(before.at(-2), last, "", range, signal);
  const isValue = ["value", "quote", "word"].includes(last.kind) && before.at(-2)?.kind === "operator";
  if (isValue) return ofValue(before.at(-3), before.at(-2), last.text, range, signal);
  return [...pipesAt(before, last), ...await fieldsAt(text, before, last)].slice(0, MOST);
}

function recent() {
  return setting("recent", []).map((query) =>
    ({ text: query, hint: "recent", from: 0, to: Infinity, insert: query }));
}

function pipesAt(before, last) {
  const solid = before.filter((token) => token.kind !== "space");
  const written = last.kind === "space" || last.kind === "pipe" ? "" : last.text;
  const isBehindPipe = (written ? solid.at(-2) : solid.at(-1))?.kind === "pipe";
  if (!isBehindPipe) return [];
  const from = written ? last.start : last.end;
  const gap = last.kind === "pipe" ? " " : "";
  return PIPES.filter(([pipe]) => pipe.startsWith(written.toLowerCase())).map(([pipe, hint]) =>
    ({ text: pipe.trim(), hint, from, to: last.end, insert: gap + pipe }));
}

async function fieldsAt(text, before, last) {
  const written = ["word", "keyword", "minus"].includes(last.kind) && last.kind !== "minus" ? last.text : "";
  if (!written && !["space", "minus", "mark"].includes(last.kind)) return [];
  const isInPipes = split(text.slice(0, last.end)).pipes !== "" || text.slice(0, last.end).includes("|");
  const solid = before.filter((token) => token.kind !== "space");
  if ((written ? solid.at(-2) : solid.at(-1))?.kind === "pipe") return [];
  const wanted = written.toLowerCase();
  const list = (await knownFields()).filter((name) => name.toLowerCase().includes(wanted));
  list.sort((a, b) => rank(a, wanted) - rank(b, wanted));
  const to = last.end;
  return list.map((name) => ({
    text: name,
    hint: "field",
    from: to - written.length,
    to,
    insert: isInPipes ? fieldName(name) : `${fieldName(name)}:`,
  }));
}

/** Those that begin so come first. */
const rank = (name, wanted) => (name.toLowerCase().startsWith(wanted) ? 0 : 1);

async function ofValue(field, operator, written, range, signal) {
  if (!field || field.kind === "space") return [];
  const name = field.text.replace(/^["'`]|["'`]$/g, "");
  const typed = written.replace(/^["'`]/, "").toLowerCase();
  const to = operator.end + written.length;
  const make = (value, hint) => {
    // A word finds the word; the whole value needs `:=`.
    const isWhole = name !== "level" && operator.text === ":";
    const insert = name === "level" ? String(value).toLowerCase() : literal(value);
    const from = isWhole ? operator.start : operator.end;
    return { text: valueText(value), hint, from, to, insert: `${isWhole ? ":=" : ""}${insert} ` };
  };
  if (name === "level") {
    return LEVELS.filter((level) => level.toLowerCase().startsWith(typed)).map((level) => make(level, "level"));
  }
  if (name === "time") {
    const times = [["5m", "the last five minutes"], ["today", ""], ["yesterday", ""]];
    return times.filter(([time]) => time.startsWith(typed))
      .map(([text, hint]) => ({ text, hint, from: operator.end, to, insert: `${text} ` }));
  }
  if (!/^:=?$/.test(operator.text)) return [];
  const params = { query: "*", ...range, field: name, count: VALUES, timeout: "3s" };
  const { facets } = await getJson("/api/v1/facets", params, signal);
  const values = (facets[0]?.values ?? []).filter(({ value }) => valueText(value).toLowerCase().includes(typed));
  return values.map(({ value, count }) => make(value, String(count)));
}
