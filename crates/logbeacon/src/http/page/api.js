// Api: asks the server.
//
// Knows the routes' common form: parameters, problems, lines of JSON that end with a summary. Does
// not know what is asked. Every call ends when its signal says so.

import { Record } from "./record.js";

/** A request that failed, as the server says it. */
export class Problem extends Error {
  constructor(status, error, retryAfter) {
    super(error?.reason ?? (status ? `the server answers ${status}` : "the server cannot be reached"));
    this.status = status;
    this.type = error?.type ?? "";
    /** Where a query is wrong: `{offset, length, what, suggestion}`, in bytes. */
    this.query = error?.query ?? null;
    this.retryAfter = Number(retryAfter) || null;
  }
}

let skewMs = 0;
const strangers = new Set();

/** Now, by the server's clock. */
export const now = () => Date.now() + skewMs;

/** Calls when a request shows that nobody is logged in. */
export const onStranger = (call) => strangers.add(call);

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0);
  }
  keepClock(answer.headers.get("date"));
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => null);
  if (answer.status === 401 && path !== "/session") strangers.forEach((call) => call());
  throw new Problem(answer.status, body?.error, answer.headers.get("retry-after"));
}

/** Clocks that differ by less than two seconds are equal: the header has whole seconds. */
function keepClock(date) {
  const difference = Date.parse(date) - Date.now();
  if (!Number.isNaN(difference)) skewMs = Math.abs(difference) < 2000 ? 0 : difference;
}

/** The path with parameters; those without a value are left out, lists are repeated. */
export function withParams(path, params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const each of [value].flat()) if (each !== "" && each != null) search.append(name, each);
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

export async function getJson(path, params = {}, signal = undefined) {
  return (await ask(withParams(path, params), { signal })).json();
}

/** Records and the summary behind them. `onRecords` hears of each piece as it comes. */
export async function getLines(path, params, signal, onRecords = () => {}) {
  // Long queries do not fit into a path.
  const body = withParams("", params).slice(1);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const isSearch = path === "/api/v1/search";
  const answer = isSearch
    ? await ask(path, { method: "POST", body, headers, signal })
    : await ask(withParams(path, params), { signal });
  const records = [];
  let summary = null;
  for await (const lines of linesOf(answer.body)) {
    const last = lines.at(-1);
    if (last?.startsWith("{\"_summary\":")) summary = JSON.parse(lines.pop())._summary;
    const piece = lines.map((line) => new Record(line));
    for (const record of piece) records.push(record);
    if (piece.length) onRecords(piece);
  }
  if (!summary) throw new Problem(0, { reason: "the answer broke off" });
  return { records, summary };
}

async function* linesOf(body) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = done ? "" : lines.pop();
    const whole = lines.filter(Boolean);
    if (whole.length) yield whole;
    if (done) return;
  }
}

/** Sends JSON, a form or nothing. */
export async function send(method, path, body = undefined) {
  const isForm = body instanceof URLSearchParams;
  const headers = body && !isForm ? { "content-type": "application/json" } : {};
  const text = body && !isForm ? JSON.stringify(body) : body;
  return (await ask(path, { method, body: text, headers })).json();
}
