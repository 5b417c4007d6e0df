// Search: the records that a query finds, fetched as somebody scrolls.
//
// Knows the route and its pages. Does not know how records are shown. A new search cancels the one
// before it, here and on the server. Bounded: a list of ten thousand is no longer read by anybody.

import { getLines, now } from "./api.js";
import { fromMs, fromNs, toNs } from "./moment.js";
import { split } from "./query.js";
import { resolve } from "./range.js";

const FIRST_PAGE = 200;
const NEXT_PAGE = 500;
export const MOST_ROWS = 10_000;

export class Search {
  #controller = new AbortController();
  #isLoading = false;

  /** Calls `onChange()` when there is something new, `onProblem(problem)` when there is not. */
  constructor({ onChange, onProblem }) {
    Object.assign(this, { onChange, onProblem });
    this.#reset({ query: "", range: {}, zone: "UTC", order: "desc" });
  }

  #reset({ query, range, zone, order }) {
    const { pipes } = split(query);
    const { from, to } = resolve(range, now(), zone);
    Object.assign(this, {
      query: query.trim() || "*",
      hasPipes: pipes !== "",
      order,
      /** The range in milliseconds; `from` may be null. */
      from,
      to,
      records: [],
      summary: null,
      isDone: false,
      tookMs: 0,
    });
  }

  /** Whether pipes have made something else of the records: sorted or cut they are still some. */
  get isTable() {
    const first = this.records[0]?.value;
    return this.hasPipes && !(first && "time" in first && "message" in first);
  }

  get isLoading() {
    return this.#isLoading;
  }

  get isFull() {
    return this.records.length >= MOST_ROWS && !this.isDone;
  }

  /** The range as parameters. */
  get params() {
    return { start: this.from === null ? "" : fromMs(this.from), end: fromMs(this.to) };
  }

  get signal() {
    return this.#controller.signal;
  }

  cancel() {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#isLoading = false;
  }

  /** Takes over what is asked, without asking. */
  prepare(state) {
    this.cancel();
    this.#reset(state);
  }

  /** Begins another search. */
  async start(state) {
    this.prepare(state);
    await this.#page(this.hasPipes ? { limit: MOST_ROWS } : { limit: FIRST_PAGE });
  }

  /** Fetches more, if there is more. */
  async more() {
    if (this.#isLoading || this.isDone || this.hasPipes || this.isFull || !this.records.length) return;
    const edge = this.records.at(-1).time;
    // Records of the same nanosecond come again: those are there already.
    let same = 0;
    while (this.records.at(-1 - same)?.time === edge) same += 1;
    const params = this.order === "desc"
      ? { ...this.params, end: fromNs(toNs(edge) + 1n) }
      : { ...this.params, start: edge };
    await this.#page({ ...params, limit: NEXT_PAGE + same }, same);
  }

  async #page(params, skip = 0) {
    const { signal } = this.#controller;
    this.#isLoading = true;
    const began = performance.now();
    const asked = { query: this.query, ...this.params, order: this.order, ...params };
    let left = skip;
    let count = 0;
    const take = (records) => {
      count += records.length;
      const fresh = records.slice(left);
      left = Math.max(0, left - records.length);
      for (const record of fresh) this.records.push(record);
      if (!signal.aborted) this.onChange();
    };
    this.onChange();
    try {
      const { summary } = await getLines("/api/v1/search", asked, signal, take);
      this.summary = summary;
      this.isDone = this.hasPipes || count < params.limit;
      this.tookMs = performance.now() - began;
      this.#isLoading = false;
      this.onChange();
    } catch (problem) {
      if (signal.aborted) return;
      this.#isLoading = false;
      this.isDone = true;
      this.onProblem(problem);
    }
  }
}
