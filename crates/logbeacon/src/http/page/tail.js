// Tail: new records as they come.
//
// Knows the event stream. Keeps the newest records only, and counts the others: a day of tail needs
// no more memory than a minute. Says what is missing: records that were dropped for this reader,
// and gaps after an interruption.

import { withParams } from "./api.js";
import { Record } from "./record.js";

/** Records that are kept. */
export const KEPT = 2000;
/** The chart above has so many steps of so many milliseconds. */
export const STEPS = 60;
export const STEP_MS = 5000;

const LEVEL = /"level":"([A-Z]+)"/;

export class Tail {
  #events = null;
  #isWaiting = false;

  /** Calls `onChange()` at most once for each picture of the screen. */
  constructor(onChange) {
    this.onChange = onChange;
    this.#clear();
  }

  #clear() {
    /** The newest is the last. */
    this.records = [];
    this.received = 0;
    this.dropped = 0;
    this.gaps = 0;
    this.buckets = [];
    this.state = "connecting";
  }

  get isOn() {
    return this.#events !== null;
  }

  /** Follows a filter. */
  start(query) {
    this.stop();
    this.#clear();
    const events = this.#events = new EventSource(withParams("/api/v1/tail", { query }));
    events.addEventListener("open", () => this.#is("live"));
    events.addEventListener("error", () =>
      this.#is(events.readyState === EventSource.CLOSED ? "refused" : "interrupted"));
    events.addEventListener("record", ({ data }) => this.#take(data));
    events.addEventListener("dropped", ({ data }) => {
      this.dropped += JSON.parse(data).count;
      this.#changed();
    });
    events.addEventListener("gap", () => {
      this.gaps += 1;
      this.#changed();
    });
  }

  stop() {
    this.#events?.close();
    this.#events = null;
  }

  #is(state) {
    this.state = state;
    this.#changed();
  }

  #take(line) {
    this.received += 1;
    this.records.push(new Record(line));
    // Cut by halves: not every record moves all others.
    if (this.records.length > 2 * KEPT) this.records.splice(0, this.records.length - KEPT);
    this.#count(LEVEL.exec(line)?.[1] ?? "INFO");
    this.#changed();
  }

  #count(level) {
    const start = Math.floor(Date.now() / STEP_MS) * STEP_MS;
    if (this.buckets.at(-1)?.start !== start) {
      this.buckets.push({ start, counts: {}, total: 0 });
      if (this.buckets.length > STEPS) this.buckets.shift();
    }
    const bucket = this.buckets.at(-1);
    bucket.counts[level] = (bucket.counts[level] ?? 0) + 1;
    bucket.total += 1;
  }

  /** The newest, newest first. */
  newest() {
    return this.records.slice(-KEPT).reverse();
  }

  #changed() {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    requestAnimationFrame(() => {
      this.#isWaiting = false;
      if (this.isOn) this.onChange();
    });
  }
}
