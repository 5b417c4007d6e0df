// Context: the records around one, whatever the query was.
//
// Knows the route. Which records count as neighbours is chosen here: all, or those of the same
// service, host, logger or stream. More are fetched at both ends.

import { getLines } from "./api.js";
import { el, icon } from "./dom.js";
import { levelBadge, levelClass } from "./levels.js";
import { local, toMs } from "./moment.js";
import { clause } from "./query.js";
import { valueText } from "./record.js";

const SAME = ["host", "service", "logger", "stream"];
const STEP = 15;
const MOST = 1000;
let chosen = "host";

/** Fills the panel. */
export function contextOf(body, record, state, calls) {
  const fields = SAME.filter((name) => record.value[name]);
  const view = { body, record, state, calls, before: STEP, after: STEP, fields };
  load(view);
}

async function load(view) {
  const { body, record, calls, before, after, fields } = view;
  const same = fields.includes(chosen) ? chosen : "";
  const list = el("ol", { class: "lines" });
  const status = el("p", { class: "muted", text: "Loading …" });
  body.replaceChildren(el("div", { class: "row" }, chooser(view, same)), status, list);
  const query = same ? clause(same, record.value[same]) : "*";
  try {
    const params = { time: record.time, before, after, query };
    const { records, summary } = await getLines("/api/v1/context", params, calls.signal);
    status.textContent = summary.complete ? "" : `Not complete: ${summary.skipped.map(({ reason }) => reason).join("; ")}`;
    const at = records.findIndex((one) => one.id === record.id);
    list.replaceChildren(
      more(view, "before", at >= before), ...records.map((one) => line(one, view)),
      more(view, "after", at >= 0 && records.length - at - 1 >= after));
    list.querySelector(".is-current")?.scrollIntoView({ block: "center" });
  } catch (problem) {
    if (problem.name !== "AbortError") status.textContent = problem.message;
  }
}

function chooser(view, same) {
  const { fields, record } = view;
  const options = [["", "all records"], ...fields.map((name) => [name, `same ${name}: ${record.value[name]}`])];
  const select = el("select", { "aria-label": "Neighbours are" }, ...options.map(([name, text]) =>
    el("option", { value: name, text, selected: name === same })));
  select.addEventListener("change", () => {
    chosen = select.value;
    load(view);
  });
  return el("label", { class: "row" }, el("span", { class: "muted", text: "Around it, of" }), select);
}

function more(view, side, hasMore) {
  const [glyph, text] = side === "before" ? ["up", "Earlier"] : ["down", "Later"];
  const click = () => {
    view[side] = Math.min(MOST, view[side] + 3 * STEP);
    load(view);
  };
  if (!hasMore) return el("li", { class: "muted edge", text: side === "before" ? "There is nothing before" : "There is nothing after" });
  return el("li", { class: "edge" }, el("button", { type: "button", class: "small", on: { click } }, icon(glyph), text));
}

/** A record as a line; a click opens it. */
function line(record, { record: current, state, calls }) {
  const isCurrent = record.id === current.id;
  const time = local(toMs(record.time), state.zone);
  const click = () => calls.onOpen(record);
  return el("li", { class: `${levelClass(record.value.level)} has-level ${isCurrent ? "is-current" : ""}` },
    el("button", { type: "button", class: "line", "aria-current": isCurrent ? "true" : null, title: time, on: { click } },
      el("time", { text: time.slice(11) }), levelBadge(record.value.level),
      el("span", { text: valueText(record.value.message) })));
}
