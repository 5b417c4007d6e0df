// Query: the text of a query: its tokens, its filter and pipes, and clauses put in and taken out.
//
// Knows the spelling of the language (docs/query.md), not its meaning: whether a text is a query,
// the server says. Texts come in and go out.

const KEYWORDS = new Set(["and", "or", "not", "in", "by", "as", "from", "if"]);
const ENDS = /[\s()|,:=<>~"'`]/;
const BARE = /^[\p{L}_][\p{L}\p{N}_.@/-]*$/u;

/** The tokens of a text, gaps included: `{kind, start, end, text}`. */
export function tokens(text) {
  const list = [];
  let at = 0;
  while (at < text.length) {
    const kind = kindAt(text, at, list);
    const end = endAt(text, at, kind);
    list.push({ kind, start: at, end, text: text.slice(at, end) });
    at = end;
  }
  list.forEach((token, index) => {
    if (token.kind !== "word") return;
    const next = list[index + 1];
    if (next?.kind === "operator" && !followsOperator(list, index)) token.kind = "field";
    else if (KEYWORDS.has(token.text.toLowerCase())) token.kind = "keyword";
    else if (lastSolid(list, index)?.kind === "pipe") token.kind = "pipename";
    else if (followsOperator(list, index)) token.kind = "value";
  });
  return list;
}

function kindAt(text, at, before) {
  const letter = text[at];
  if (/\s/.test(letter)) return "space";
  if (letter === "|") return "pipe";
  if ("\"'`".includes(letter)) return "quote";
  if ("(),".includes(letter)) return "mark";
  if (":=<>~".includes(letter)) return "operator";
  const last = before.at(-1)?.kind ?? "space";
  if ("-!".includes(letter) && ["space", "mark", "pipe"].includes(last)) return "minus";
  return "word";
}

function endAt(text, at, kind) {
  const run = (pattern) => {
    let end = at + 1;
    while (end < text.length && pattern(text[end])) end += 1;
    return end;
  };
  switch (kind) {
    case "space": return run((letter) => /\s/.test(letter));
    case "operator": return run((letter) => ":=<>~".includes(letter));
    case "word": return run((letter) => !ENDS.test(letter));
    case "quote": return quoteEnd(text, at);
    default: return at + 1;
  }
}

function quoteEnd(text, at) {
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === "\\" && text[at] !== "`") end += 1;
    else if (text[end] === text[at]) return end + 1;
  }
  return text.length;
}

const followsOperator = (list, index) => list[index - 1]?.kind === "operator";
const lastSolid = (list, index) => list.slice(0, index).findLast((token) => token.kind !== "space");

/** The filter, and the pipes with their first `|`. */
export function split(text) {
  const pipe = tokens(text).find((token) => token.kind === "pipe");
  if (!pipe) return { filter: text.trim(), pipes: "" };
  return { filter: text.slice(0, pipe.start).trim(), pipes: text.slice(pipe.start).trim() };
}

/** A text in quotes. */
export function quoted(text) {
  const escapes = { "\n": "\\n", "\t": "\\t", "\"": "\\\"", "\\": "\\\\" };
  return `"${text.replace(/[\n\t"\\]/g, (letter) => escapes[letter])}"`;
}

/** A field's name as it is written. */
export const fieldName = (name) => (/[\s()|,:=<>~"'`*]/.test(name) ? quoted(name) : name);

/** A value as it is written behind `:=`. */
export function literal(value) {
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") {
    return String(value);
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return BARE.test(text) && !KEYWORDS.has(text.toLowerCase()) ? text : quoted(text);
}

/** The test that a field has a value; null is a missing field. */
export function clause(name, value) {
  if (value === null || value === undefined) return `-${fieldName(name)}:*`;
  if (name === "level") return `level:${String(value).toLowerCase()}`;
  return `${fieldName(name)}:=${literal(value)}`;
}

const opposite = (text) => (text.startsWith("-") ? text.slice(1) : `-${text}`);

/** Where a clause is in the filter, as a whole clause. */
function place(filter, text) {
  for (let at = filter.indexOf(text); at >= 0; at = filter.indexOf(text, at + 1)) {
    const starts = at === 0 || /[\s(]/.test(filter[at - 1]);
    const end = at + text.length;
    if (starts && (end === filter.length || /[\s)]/.test(filter[end]))) return [at, end];
  }
  return null;
}

export const hasClause = (query, text) => place(split(query).filter, text) !== null;

function cut(filter, [start, end]) {
  return `${filter.slice(0, start).trimEnd()} ${filter.slice(end).trimStart()}`.trim();
}

/** The query with a clause more, or without it if it was there. An opposite one gives way. */
export function toggled(query, text) {
  const { filter, pipes } = split(query);
  const found = place(filter, text);
  const rest = found ? cut(filter, found) : added(filter, text);
  return [rest, pipes].filter(Boolean).join(" ");
}

function added(filter, text) {
  const against = place(filter, opposite(text));
  const kept = against ? cut(filter, against) : filter;
  if (!kept || kept === "*") return text;
  const hasOr = tokens(kept).some((token) => token.kind === "keyword" && /^or$/i.test(token.text));
  return `${hasOr ? `(${kept})` : kept} ${text}`;
}

/** The filter that finds what a pattern of messages (`order <n> paid`) stands for. */
export function patternFilter(pattern) {
  const pieces = pattern.split(/<(?:n|id)>/).map((piece) => piece.trim());
  const solid = pieces.filter((piece) => /[\p{L}\p{N}]/u.test(piece));
  return solid.map((piece) => `message:*${quoted(piece)}*`).join(" ");
}

/** The index in a text of JavaScript for an offset in bytes. */
export function indexOfByte(text, offset) {
  let bytes = 0;
  let index = 0;
  for (const letter of text) {
    if (bytes >= offset) break;
    bytes += new TextEncoder().encode(letter).length;
    index += letter.length;
  }
  return index;
}
