// Zone picker: in which time zone times are shown.
//
// Knows the zones of the browser. The zone that was chosen goes out.

import { now } from "./api.js";
import { byId, el } from "./dom.js";
import { attachMenu, entry } from "./menu.js";
import { distance } from "./moment.js";
import { isZone, localZone } from "./state.js";

/** `zone()` is that of now; `onZone(zone)`. */
export function attachZone(zone, onZone) {
  attachMenu(byId("zone"), "Time zone", (panel, close) => {
    const pick = (next) => {
      close();
      onZone(next);
    };
    const usual = [...new Set([localZone(), "UTC", zone()])];
    const input = el("input", { "aria-label": "Another time zone", placeholder: "Asia/Shanghai …", list: "zone-names", autocomplete: "off" });
    const wrong = el("p", { class: "error-text", role: "status" });
    const submit = (event) => {
      event.preventDefault();
      const wanted = input.value.trim();
      if (isZone(wanted)) pick(wanted);
      else wrong.textContent = "There is no such zone. Write one such as Europe/Berlin.";
    };
    input.addEventListener("input", (event) => {
      const isPicked = event.inputType === undefined || event.inputType === "insertReplacementText";
      if (isPicked && isZone(input.value)) pick(input.value);
    });
    panel.replaceChildren(el("h2", { text: "Times are shown in" }),
      ...usual.map((name) => entry(name, () => pick(name), {
        hint: `UTC${distance(now(), name)}${name === localZone() ? ", this computer" : ""}`,
        "aria-pressed": String(name === zone()),
      })),
      el("form", { class: "row", on: { submit } }, input,
        el("datalist", { id: "zone-names" }, ...Intl.supportedValuesOf("timeZone").map((value) => el("option", { value }))),
        el("button", { class: "small", text: "Use" })), wrong);
  });
}
