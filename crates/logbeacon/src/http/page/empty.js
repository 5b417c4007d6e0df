// Empty: what the page says when nothing was found, and what may help.
//
// Knows the state. A change of it goes out.

import { el } from "./dom.js";
import { copy, emptyState } from "./notice.js";
import { split } from "./query.js";
import { rangeText } from "./range.js";

const WIDER = [["1d", "Search the last 24 hours"], ["30d", "Search the last 30 days"]];

/** Fills a place. */
export function showNoRecords(place, state, change) {
  const { filter } = split(state.query);
  const isEverything = !filter || filter === "*";
  const isAllTime = !state.range.last && !state.range.day && !state.range.from;
  if (isEverything && isAllTime) {
    place.replaceChildren(emptyState({
      title: "No records yet",
      text: "Send the first one, then search again:",
      extra: sample(),
    }));
    return;
  }
  const ranges = state.range.last === "30d" ? [] : WIDER.filter(([last]) => last !== state.range.last);
  const actions = ranges.map(([last, text]) => [text, () => change({ range: { last } })]);
  if (!isAllTime) actions.push(["Search all time", () => change({ range: {} })]);
  if (!isEverything) actions.push(["Clear the query", () => change({ query: "" })]);
  const where = rangeText(state.range, state.zone);
  place.replaceChildren(emptyState({
    title: "Nothing found",
    text: isEverything ? `There are no records in this range: ${where}.` : `No record in this range (${where}) fits ${filter}`,
    actions,
  }));
}

/** For a query that cannot be read, where there was no search before. */
export function showUnreadable(place) {
  place.replaceChildren(emptyState({
    title: "This query cannot be read",
    text: "The place is marked above. The question mark at the top shows how queries are written.",
  }));
}

function sample() {
  const command = [
    `curl -sS ${location.origin}/api/logs \\`,
    "  -H \"Authorization: Bearer $LOGBEACON_TOKEN\" \\",
    "  -d '{\"level\":\"info\",\"message\":\"hello\",\"service\":\"shop\"}'",
  ].join("\n");
  return el("div", { class: "sample" }, el("pre", { text: command }),
    el("button", { type: "button", class: "small", text: "Copy", on: { click: () => copy(command, "Command") } }));
}
