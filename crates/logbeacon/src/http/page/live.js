// Live: the tail as a table, with a chart of the last minutes above.
//
// Knows the tail and its table. Stands still while somebody reads further down or has paused; what
// comes meanwhile is counted, and shown with a click.

import { amount } from "./chart.js";
import { byId } from "./dom.js";
import { split } from "./query.js";
import { RecordTable } from "./record_table.js";
import { KEPT, STEP_MS, STEPS, Tail } from "./tail.js";

const STATES = {
  connecting: "connecting …",
  live: "live",
  interrupted: "connection interrupted, trying again …",
  refused: "the server does not let this be followed now",
};

export class Live {
  #held = null;
  #isPaused = false;
  #state = null;

  /** `onOpen(record)`, `onColumns`, `onText(total, status)` and `onNotices(list)`. */
  constructor(calls, histogram) {
    this.calls = calls;
    this.histogram = histogram;
    this.tail = new Tail(() => this.#draw());
    this.table = new RecordTable(byId("tail"), "New records", {
      onOpen: calls.onOpen,
      onColumns: calls.onColumns,
      onOrder() {},
      onNearEnd() {},
      onScroll: () => this.#scrolled(),
    });
    byId("tail-new").addEventListener("click", () => this.resume());
  }

  get isOn() {
    return this.tail.isOn;
  }

  get isPaused() {
    return this.#isPaused;
  }

  /** Follows what the state's filter finds. */
  start(state) {
    this.#state = state;
    this.#held = null;
    this.#isPaused = false;
    this.tail.start(split(state.query).filter || "*");
    this.table.show([]);
    this.#draw();
  }

  stop() {
    this.tail.stop();
    byId("tail-new").hidden = true;
  }

  configure(state) {
    this.#state = state;
    this.table.configure({ ...state, order: "desc" });
  }

  pause() {
    this.#isPaused = true;
    this.#held ??= this.tail.received;
    this.#draw();
  }

  resume() {
    this.#isPaused = false;
    this.#held = null;
    this.table.grid.toTop();
    this.#draw();
  }

  #scrolled() {
    if (this.#isPaused || !this.isOn) return;
    const isAtTop = byId("tail").scrollTop < 8;
    if (!isAtTop) this.#held ??= this.tail.received;
    else if (this.#held !== null) this.resume();
  }

  #draw() {
    const { tail } = this;
    if (!tail.isOn) return;
    const isHeld = this.#held !== null;
    if (!isHeld) this.table.show(tail.newest());
    const pill = byId("tail-new");
    const fresh = isHeld ? tail.received - this.#held : 0;
    pill.hidden = !isHeld || (fresh === 0 && !this.#isPaused);
    pill.textContent = `${amount(fresh)} new ${fresh === 1 ? "record" : "records"} – show`;
    this.#drawChart();
    const kept = tail.received > KEPT ? `, the newest ${amount(KEPT)} are kept` : "";
    const isWaiting = tail.state === "live" && !tail.received && !this.#isPaused;
    const status = isWaiting ? "live, waiting for the next record" : STATES[tail.state];
    this.calls.onText(`${amount(tail.received)} received`, `${this.#isPaused ? "paused" : status}${kept}`);
    this.calls.onNotices(this.#notices());
  }

  #drawChart() {
    const end = Math.floor(Date.now() / STEP_MS + 1) * STEP_MS;
    const buckets = this.tail.buckets.map(({ start, ...rest }) => ({ time: new Date(start).toISOString(), ...rest }));
    const range = { from: end - STEPS * STEP_MS, to: end, step: STEP_MS, zone: this.#state.zone };
    this.histogram.show(range, buckets, this.#state.query);
  }

  #notices() {
    const { dropped, gaps, state } = this.tail;
    const list = [];
    if (dropped) {
      list.push({
        kind: "warning",
        title: `${amount(dropped)} records are not shown.`,
        text: "They came faster than this browser reads. All of them are kept: a search finds them. A narrower query follows them all.",
      });
    }
    if (gaps) {
      list.push({ kind: "warning", title: "There is a gap.", text: "The connection was interrupted for so long that it is unknown what came meanwhile. A search finds it." });
    }
    if (state === "refused") {
      list.push({ kind: "error", title: "Following was refused.", text: "The query has a fault, or too many different filters are followed.", actions: [["Try again", () => this.start(this.#state)]] });
    }
    return list;
  }
}
