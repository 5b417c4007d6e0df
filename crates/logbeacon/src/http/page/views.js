// Views: searches that were saved on the server, for everybody who may read.
//
// Knows the route. A view is the state of the page without what is open; a range such as the last
// hour stays one. The state of a view that was chosen goes out.

import { getJson, send } from "./api.js";
import { el, iconButton } from "./dom.js";
import { attachMenu, entry } from "./menu.js";
import { toast } from "./notice.js";
import { fromLink, toLink } from "./state.js";
import { rangeText } from "./range.js";

const path = (name) => `/api/v1/views/${encodeURIComponent(name)}`;

/** `state()`, `who()` (name and scopes) and `onState(state)`. */
export function attachViews(button, { state, who, onState }) {
  return attachMenu(button, "Saved views", (panel, close) => {
    const list = el("div", { class: "view-list" }, el("p", { class: "muted", text: "Loading …" }));
    const load = () => draw(list, { close, who, onState, load });
    panel.replaceChildren(el("h2", { text: "Saved views" }), list, form(state, load));
    load();
  });
}

async function draw(list, { close, who, onState, load }) {
  try {
    const { views } = await getJson("/api/v1/views");
    const names = Object.keys(views).sort((a, b) => a.localeCompare(b));
    list.replaceChildren(...(names.length
      ? names.map((name) => item(name, views[name], { close, who, onState, load }))
      : [el("p", { class: "muted", text: "None yet. A view keeps query, range, columns and zone, for you and your colleagues." })]));
  } catch (problem) {
    list.replaceChildren(el("p", { class: "error-text", text: problem.message }));
  }
}

function item(name, { owner, view }, { close, who, onState, load }) {
  const state = fromLink(typeof view?.link === "string" ? view.link : "");
  const open = () => {
    close();
    onState(state);
  };
  const remove = async () => {
    await send("DELETE", path(name)).then(() => toast(`View “${name}” deleted`), (problem) => toast(problem.message));
    load();
  };
  const mayDelete = owner === who().name || who().scopes.includes("admin");
  const hint = `${state.query || "everything"} · ${rangeText(state.range, state.zone)} · by ${owner}`;
  return el("div", { class: "view" }, entry(name, open, { hint }),
    mayDelete ? iconButton("trash", `Delete the view ${name}`, remove) : null);
}

function form(state, load) {
  const input = el("input", { "aria-label": "Name of the view", placeholder: "Name for what you see now", maxlength: 100, required: true, autocomplete: "off" });
  const submit = async (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (!name) return;
    const link = toLink({ ...state(), at: "", wide: false });
    await send("PUT", path(name), { link }).then(() => {
      toast(`View “${name}” saved`);
      input.value = "";
    }, (problem) => toast(problem.message));
    load();
  };
  return el("form", { class: "row", on: { submit } }, input, el("button", { class: "small primary", text: "Save" }));
}
