// Range picker: the button that says which time is searched, and its panel.
//
// Knows ranges and the zone. The range that was chosen goes out.

import { now } from "./api.js";
import { byId, el } from "./dom.js";
import { attachMenu, entry } from "./menu.js";
import { fromLocal, local } from "./moment.js";
import { between, PRESETS, rangeText, resolve } from "./range.js";

/** `state()` is the state of now; `onRange(range)`. */
export function attachRange(state, onRange) {
  return attachMenu(byId("range"), "Time range", (panel, close) => {
    const { range, zone } = state();
    const pick = (next) => () => {
      close();
      onRange(next);
    };
    const option = (next, text) => {
      const isOn = rangeText(next, zone) === rangeText(range, zone);
      return entry(text, pick(next), { "aria-pressed": String(isOn) });
    };
    panel.replaceChildren(el("div", { class: "range-panel" },
      el("div", { class: "range-presets" },
        ...PRESETS.map(([last, text]) => option({ last }, text)),
        option({ day: "today" }, "Today"), option({ day: "yesterday" }, "Yesterday"), option({}, "All time")),
      form(range, zone, (next) => pick(next)())));
  });
}

function form(range, zone, pick) {
  const { from, to } = resolve(range, now(), zone);
  const field = (label, ms) => el("input", {
    "aria-label": label,
    type: "datetime-local",
    step: 1,
    required: true,
    value: local(ms, zone, 0).replace(" ", "T"),
  });
  const [begin, end] = [field("From", from ?? to - 3_600_000), field("To", to)];
  const wrong = el("p", { class: "error-text", role: "status" });
  const submit = (event) => {
    event.preventDefault();
    const [one, other] = [fromLocal(begin.value, zone), fromLocal(end.value, zone)];
    if (one === null || other === null) wrong.textContent = "Both need a date and a time.";
    else if (one >= other) wrong.textContent = "The begin must be before the end.";
    else pick(between(one, other));
  };
  return el("form", { class: "range-form", novalidate: true, on: { submit } },
    el("label", {}, el("span", { text: "From" }), begin), el("label", {}, el("span", { text: "To" }), end),
    wrong, el("button", { class: "primary", text: "Apply" }),
    el("p", { class: "muted", text: `Times are in ${zone}.` }));
}
