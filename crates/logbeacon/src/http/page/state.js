// State: everything that decides what the page shows, as one object, a link or a saved view.
//
// Knows how it is written. A link has the state behind `#`, which browsers do not send: what
// somebody searches for is in no proxy's log.

import { DEFAULT_RANGE, rangeOf, rangeParams } from "./range.js";
import { setting } from "./settings.js";

export const DEFAULT_COLUMNS = ["time", "level", "service", "message"];
const TABS = ["records", "patterns", "live"];
const SIDES = ["fields", "json", "context", "trace"];

export const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** What a page without a link shows. */
export function initialState() {
  return {
    query: "",
    range: DEFAULT_RANGE,
    zone: setting("zone", localZone()),
    columns: setting("columns", DEFAULT_COLUMNS.map((name) => ({ name, width: null }))),
    order: "desc",
    tab: "records",
    /** The record that is open: its id. */
    at: "",
    side: "fields",
    wide: false,
  };
}

/** The state as the part of a link behind `#`. */
export function toLink(state) {
  const params = new URLSearchParams();
  if (state.query) params.set("query", state.query);
  for (const [name, value] of Object.entries(rangeParams(state.range))) params.set(name, value);
  params.set("zone", state.zone);
  params.set("columns", state.columns.map(({ name, width }) =>
    encodeURIComponent(name).replaceAll("~", "%7E") + (width ? `~${width}` : "")).join(","));
  if (state.order !== "desc") params.set("order", state.order);
  if (state.tab !== "records") params.set("tab", state.tab);
  if (state.at) {
    params.set("at", state.at);
    params.set("side", state.side);
    if (state.wide) params.set("wide", "1");
  }
  return `#${params}`;
}

/** The state of a link; what it does not say is as on a new page. */
export function fromLink(link) {
  const state = initialState();
  const params = new URLSearchParams(link.replace(/^[#?]/, ""));
  if (![...params.keys()].length) return state;
  const oneOf = (name, list, otherwise) => (list.includes(params.get(name)) ? params.get(name) : otherwise);
  return {
    query: params.get("query") ?? "",
    range: rangeOf(params),
    zone: isZone(params.get("zone")) ? params.get("zone") : state.zone,
    columns: columnsOf(params.get("columns")) ?? state.columns,
    order: oneOf("order", ["asc"], "desc"),
    tab: oneOf("tab", TABS, "records"),
    at: params.get("at") ?? "",
    side: oneOf("side", SIDES, "fields"),
    wide: params.get("wide") === "1",
  };
}

function columnsOf(text) {
  const columns = (text ?? "").split(",").filter(Boolean).map((part) => {
    const [name, width] = part.split("~");
    return { name: decoded(name), width: Number(width) || null };
  });
  return columns.length ? columns : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function isZone(zone) {
  try {
    return Boolean(zone && new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}
