// Page: joins the parts: state in, requests out, answers to where they are shown.
//
// Knows all parts and what follows from what. Every change goes through `change`: it writes the
// link, and searches again if the state asks for other records.

import { getJson, now, onStranger } from "./api.js";
import { amount } from "./chart.js";
import { toggledColumn } from "./columns.js";
import { forgetMissing, noteSummary } from "./completeness.js";
import { Detail } from "./detail.js";
import { byId } from "./dom.js";
import { showNoRecords, showUnreadable } from "./empty.js";
import { Facets } from "./facets.js";
import { Histogram } from "./histogram.js";
import { Live } from "./live.js";
import { login, logout, whoIsHere } from "./login.js";
import { fromMs } from "./moment.js";
import { copy, showNotices } from "./notice.js";
import { showPatterns } from "./patterns.js";
import { clause, split, toggled } from "./query.js";
import { QueryBox } from "./query_box.js";
import { between, fixed, resolve } from "./range.js";
import { findRecord } from "./record_of_link.js";
import { RecordTable } from "./record_table.js";
import { showResults } from "./results.js";
import { MOST_ROWS, Search } from "./search.js";
import { remember, rememberQuery, setting } from "./settings.js";
import { listenToKeys, showHelp } from "./shortcuts.js";
import { fromLink, initialState, toLink } from "./state.js";
import { applyTheme, nextTheme } from "./theme.js";
import { makeToolbar, showTheme, showToolbar } from "./toolbar.js";

applyTheme();

const TYPING_MS = 250;
const NEW_THOUGHT_MS = 5000;

let state = initialState();
let who = { name: "", scopes: [] };
let total = null;
let typing = 0;
let typedAt = 0;
let asking = 0;

const search = new Search({ onChange: showFound, onProblem: showProblem });
const histogram = new Histogram({
  onBrush: (from, to) => change({ range: between(from, to), tab: state.tab === "live" ? "records" : state.tab }),
  onLevel: (level, isOut) => onClause(`${isOut ? "-" : ""}${clause("level", level)}`),
});
const facets = new Facets({ onClause, onColumn });
const tableCalls = {
  onOpen,
  onColumns: (columns) => change({ columns }),
  onOrder: () => change({ order: state.order === "desc" ? "asc" : "desc" }),
};
const table = new RecordTable(byId("records"), "Records", { ...tableCalls, onNearEnd: () => search.more() });
const live = new Live({
  ...tableCalls,
  onText: (received, status) => {
    byId("total").textContent = received;
    byId("status").textContent = status;
  },
  onNotices: (notices) => showNotices("tail", notices),
}, histogram);
const detail = new Detail({
  onClause, onColumn, onOpen,
  onSide: (side) => change({ side }, { push: false }),
  onWide: () => change({ wide: !state.wide }, { push: false }),
  onClose: () => close(),
  onStep: (by) => step(by),
});
const box = new QueryBox({
  range: () => search.params,
  onInput: (query) => {
    clearTimeout(typing);
    // Back leads to what was there before the typing, not to each letter.
    const push = Date.now() - typedAt > NEW_THOUGHT_MS;
    typing = setTimeout(() => {
      typedAt = Date.now();
      change({ query, at: "" }, { push });
    }, TYPING_MS);
  },
  onSubmit: (query) => {
    clearTimeout(typing);
    rememberQuery(query);
    change({ query, at: "" }, { again: true });
  },
});

const actions = {
  query: () => box.focus(),
  refresh: () => run(),
  earlier: () => shift(-1),
  later: () => shift(1),
  zoomOut,
  records: () => change({ tab: "records" }),
  patterns: () => change({ tab: "patterns" }),
  live: () => {
    if (state.tab !== "live") change({ tab: "live", at: "" });
    else if (live.isPaused) live.resume();
    else live.pause();
    showState();
  },
  next: () => step(1),
  previous: () => step(-1),
  open: () => shown().rows[shown().grid.selected] && onOpen(shown().rows[shown().grid.selected]),
  close,
  fields: () => side("fields"),
  json: () => side("json"),
  context: () => side("context"),
  trace: () => side("trace"),
  wide: () => change({ wide: !state.wide }, { push: false }),
  copy: () => detail.record && copy(detail.record.line, "Record"),
  link: () => {
    const range = fixed(state.range, now(), state.zone);
    const link = toLink({ ...state, range, tab: state.tab === "live" ? "records" : state.tab });
    copy(location.origin + location.pathname + link, "Link");
  },
  facets: () => {
    const isHidden = document.body.classList.toggle(isNarrow() ? "shows-facets" : "hides-facets");
    if (!isNarrow()) remember("hidesFacets", isHidden);
  },
  theme: () => {
    nextTheme();
    showTheme();
  },
  help: showHelp,
  leave: async () => {
    await logout();
    location.reload();
  },
};

const isNarrow = () => matchMedia("(max-width: 900px)").matches;
const shown = () => (state.tab === "live" ? live.table : table);

/** Changes the state. `push` makes a step for the browser's back button. */
function change(patch, { push = true, again = false } = {}) {
  const before = state;
  state = { ...state, ...patch };
  const link = toLink(state);
  if (link !== location.hash) history[push ? "pushState" : "replaceState"](null, "", link);
  if (state.columns !== before.columns) remember("columns", state.columns);
  if (state.zone !== before.zone) remember("zone", state.zone);
  const asks = ({ query, range, order, tab }) => JSON.stringify([query.trim(), range, order, tab]);
  const hasOtherDays = state.range.day && state.zone !== before.zone;
  if (again || hasOtherDays || asks(state) !== asks(before)) run();
  else showState();
  if (state.zone !== before.zone && state.tab !== "live") loadHistogram();
}

/** Searches again, if the query can be read; if not, what was found before stays. */
async function run() {
  const wanted = state;
  showState();
  busy(1);
  try {
    const asked = state.query.trim();
    const { valid, query } = asked ? await getJson("/api/v1/check", { query: asked }) : { valid: true, query: null };
    if (wanted !== state && wanted.query !== state.query) return;
    box.showError(query);
    document.body.classList.toggle("is-stale", !valid);
    if (valid) searchAgain();
    else if (!search.summary) {
      showUnreadable(byId("empty"));
      byId("empty").hidden = state.tab === "live";
    }
  } catch (problem) {
    showProblem(problem);
  } finally {
    busy(-1);
  }
}

/** Counts what is being asked. */
function busy(by) {
  asking += by;
  byId("main").setAttribute("aria-busy", String(asking > 0));
}

function searchAgain() {
  forgetMissing();
  for (const about of ["answer", "failure", "link", "tail"]) showNotices(about, []);
  byId("empty").hidden = true;
  if (state.tab === "live") {
    search.prepare(state);
    live.start(state);
    showState();
    ask("facets", () => facets.load(search, state));
    return;
  }
  live.stop();
  total = null;
  ask("records", () => search.start(state));
  showState();
  loadHistogram();
  ask("facets", () => facets.load(search, state));
  if (state.tab === "patterns") ask("patterns", () => showPatterns(search, (filter) => {
    change({ query: toggled(state.query, filter), tab: "records" });
  }));
}

function loadHistogram() {
  ask("histogram", async () => {
    const { summary, total: counted } = await histogram.load(search, state.zone);
    total = counted;
    showCount();
    return summary;
  });
}

/** Asks for one part of the page, and notes whether its answer is whole. */
async function ask(part, load) {
  busy(1);
  try {
    const summary = await load();
    if (summary) note(part, summary);
  } catch (problem) {
    if (problem.name !== "AbortError") showProblem(problem);
  } finally {
    busy(-1);
  }
}

function note(part, summary) {
  if (state.tab !== "live") noteSummary(part, summary);
}

function showProblem(problem) {
  if (problem.status === 401) return;
  document.body.classList.add("is-stale");
  if (problem.query) {
    box.showError(problem.query);
    return;
  }
  if (!(problem.status >= 0)) console.error(problem);
  const again = ["Try again", () => run()];
  const title = problem.status === 429 ? "The server is busy." : "This did not work.";
  showNotices("failure", [{ kind: "error", title, text: problem.message, actions: [again] }]);
}

/** Shows what there is of the records. */
function showFound() {
  byId("progress").hidden = !search.isLoading;
  if (state.tab === "live") return;
  if (search.isTable) {
    if (search.summary) showResults(search.records, state.zone);
  } else {
    table.show(search.records);
  }
  showParts();
  if (search.summary) note("records", search.summary);
  showCount();
  if (!search.isLoading) showSelected();
  const isEmpty = !search.isLoading && !search.records.length && search.summary && state.tab === "records";
  byId("empty").hidden = !isEmpty;
  if (isEmpty) showNoRecords(byId("empty"), state, change);
}

function showCount() {
  const { filter } = split(state.query);
  byId("total").textContent = total === null ? "Counting …" : `${amount(total)} ${total === 1 ? "record" : "records"}`;
  byId("total").title = filter;
  const rows = `${amount(search.records.length)} ${search.hasPipes ? "rows" : "shown"}`;
  const more = search.isFull ? `, ${amount(MOST_ROWS)} at most: narrow the range, or export` : "";
  byId("status").textContent = search.isLoading && !search.records.length ? "Searching …" : `${rows}${more} · ${Math.round(search.tookMs)} ms`;
}

/** Shows everything that the state says, without asking for records. */
function showState() {
  box.text = document.activeElement === box.input ? box.text : state.query;
  showToolbar(state, { hasPipes: search.hasPipes, isPaused: live.isPaused });
  showParts();
  table.configure(state);
  live.configure(state);
  if (search.isTable && search.summary) showResults(search.records, state.zone);
  document.title = state.query ? `${state.query} – LogBeacon` : "LogBeacon";
  showSelected();
}

/** Shows the part that the tab is about. */
function showParts() {
  const isOff = state.tab !== "records";
  byId("records").hidden = isOff || search.isTable;
  byId("results").hidden = isOff || !search.isTable;
  byId("patterns").hidden = state.tab !== "patterns";
  byId("tail").hidden = state.tab !== "live";
  if (isOff) byId("empty").hidden = true;
}

/** Opens the record that the state names: from the table, or from the server. */
async function showSelected() {
  const { at } = state;
  if (!at) {
    shown().select("", false);
    detail.show(null, state);
    return;
  }
  const isThere = shown().select(at, detail.record?.id !== at);
  const known = isThere ? shown().rows[shown().grid.selected] : detail.record?.id === at ? detail.record : null;
  if (known) detail.show(known, state);
  else if (!search.isLoading) {
    const record = await findRecord(at).catch(() => null);
    if (state.at !== at) return;
    if (record) detail.show(record, state);
    else showNotices("link", [{ kind: "warning", title: "The record of this link is not here.", text: "It was deleted, or this token may not see it." }]);
  }
}

/** `isMark`: the mark has moved; the panel follows only if it is open. */
function onOpen(record, isMark = false) {
  if (isMark && !state.at) return;
  if (state.tab === "live" && !live.isPaused) live.pause();
  change({ at: record.id }, { push: !state.at });
}

function onClause(text) {
  const tab = state.tab === "patterns" ? "records" : state.tab;
  box.input.blur();
  change({ query: toggled(state.query, text), tab });
}

function onColumn(name) {
  change({ columns: toggledColumn(state.columns, name) });
  facets.mark(state);
}

function close() {
  if (document.body.classList.contains("shows-facets")) document.body.classList.remove("shows-facets");
  else if (state.at) {
    change({ at: "", wide: false }, { push: false });
    if (!shown().grid.host.hidden) shown().grid.host.focus();
  } else if (state.tab === "live") change({ tab: "records" });
}

function step(by) {
  shown().grid.move(by);
}

function side(name) {
  if (!state.at) actions.open();
  if (state.at) change({ side: name }, { push: false });
}

function shift(direction) {
  const { from, to } = search;
  if (from === null || state.tab === "live") return;
  const by = direction * (to - from);
  change({ range: between(from + by, to + by) });
}

function zoomOut() {
  const { from, to } = resolve(state.range, now(), state.zone);
  if (from === null) return;
  const half = (to - from) / 2;
  const end = Math.min(to + half, Math.max(to, now()));
  change({ range: { from: fromMs(end - 4 * half), to: fromMs(end) } });
}

async function begin() {
  who = await whoIsHere() ?? await login();
  document.body.classList.remove("is-loading");
  box.text = state.query;
  run();
}

state = fromLink(location.hash || location.search);
if (location.search) history.replaceState(null, "", location.pathname + toLink(state));
makeToolbar({ state: () => state, search: () => search, who: () => who, change, actions });
document.body.classList.toggle("hides-facets", setting("hidesFacets", false));
listenToKeys(actions);
showState();
addEventListener("popstate", () => {
  const before = state;
  state = fromLink(location.hash);
  box.text = state.query;
  const asks = ({ at, side: one, wide, ...rest }) => JSON.stringify(rest);
  if (asks(before) === asks(state)) showState();
  else run();
});
let isAsking = false;
onStranger(async () => {
  if (isAsking) return;
  isAsking = true;
  live.stop();
  who = await login();
  isAsking = false;
  run();
});
begin().catch(showProblem);
