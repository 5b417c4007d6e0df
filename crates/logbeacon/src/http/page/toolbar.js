// Toolbar: the buttons around the results.
//
// Knows where they are. What they do is given by name, the same names that keys have.

import { attachColumns } from "./columns.js";
import { byId, el, icon, iconButton } from "./dom.js";
import { attachExport } from "./export_menu.js";
import { attachRange } from "./range_picker.js";
import { rangeText } from "./range.js";
import { theme } from "./theme.js";
import { attachViews } from "./views.js";
import { attachZone } from "./zone_picker.js";

const TABS = [["records", "Records", "1"], ["patterns", "Patterns", "2"]];

/** Makes all buttons. `page` has `state()`, `search()`, `who()`, `change(patch)` and `actions`. */
export function makeToolbar(page) {
  const { actions } = page;
  const labelled = (glyph, text, click, title) =>
    el("button", { type: "button", class: "with-icon small", title, on: { click } }, icon(glyph), el("span", { text }));
  const columns = labelled("columns", "Columns", () => {}, "Choose and order columns");
  const download = labelled("download", "Export", () => {}, "Everything found, as a file");
  const views = iconButton("bookmark", "Saved views", () => {});
  const zone = el("button", { type: "button", id: "zone", class: "with-icon small", title: "Time zone" });
  byId("range-tools").append(
    iconButton("left", "Earlier", actions.earlier, { key: "[" }),
    iconButton("right", "Later", actions.later, { key: "]" }),
    iconButton("zoomout", "Wider range", actions.zoomOut, { key: "z" }));
  byId("bar-tools").append(
    labelled("filter", "Fields", actions.facets, "Show or hide fields (b)"), columns, download);
  byId("menu").append(views,
    iconButton("link", "Copy a link to all of this", actions.link, { key: "u" }), zone,
    iconButton("auto", "Theme", actions.theme, { id: "theme" }),
    iconButton("help", "Keys and queries", actions.help, { key: "?" }),
    el("a", { class: "icon", href: "/docs", title: "API", "aria-label": "API" }, icon("api")),
    iconButton("leave", "Log out", actions.leave));
  byId("tabs").append(...TABS.map(([tab, title, key]) => el("button", {
    type: "button", role: "tab", id: `tab-${tab}`, title: `${title} (${key})`, text: title, on: { click: actions[tab] },
  })));
  byId("live").addEventListener("click", actions.live);
  attachRange(page.state, (range) => page.change({ range }));
  attachZone(() => page.state().zone, (next) => page.change({ zone: next }));
  attachColumns(columns, () => page.state().columns, (list) => page.change({ columns: list }));
  attachExport(download, { search: page.search, columns: () => page.state().columns.map(({ name }) => name) });
  attachViews(views, { state: page.state, who: page.who, onState: (next) => page.change(next) });
}

/** Shows the state on the buttons. */
export function showToolbar(state, { hasPipes, isPaused }) {
  byId("range").replaceChildren(icon("clock"), el("span", { text: rangeText(state.range, state.zone) }));
  const isLive = state.tab === "live";
  const live = byId("live");
  live.setAttribute("aria-pressed", String(isLive));
  live.replaceChildren(icon(isLive && !isPaused ? "pause" : isLive ? "play" : "live"),
    el("span", { text: isLive ? (isPaused ? "Go on" : "Pause") : "Live" }));
  byId("zone").replaceChildren(icon("globe"), el("span", { text: state.zone.split("/").at(-1).replaceAll("_", " ") }));
  byId("zone").setAttribute("aria-label", `Time zone: ${state.zone}`);
  for (const [tab, title] of TABS) {
    const button = byId(`tab-${tab}`);
    const isOn = state.tab === tab;
    button.setAttribute("aria-selected", String(isOn));
    button.tabIndex = isOn || isLive ? 0 : -1;
    if (tab === "records") button.textContent = hasPipes ? "Results" : title;
  }
  showTheme();
}

export function showTheme() {
  const [, glyph, title] = theme();
  const button = byId("theme");
  button.replaceChildren(icon(glyph));
  button.setAttribute("aria-label", `Theme: ${title}`);
  button.title = `Theme: ${title} (d)`;
}
