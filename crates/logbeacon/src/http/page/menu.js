// Menu: what opens beside a button and closes by itself.
//
// Knows popovers of the browser: Escape and a click elsewhere close them. Does not know what is in
// them: it is made each time one opens.

import { el } from "./dom.js";

const GAP_PX = 6;

/** Gives a button a panel; `fill(panel, close)` makes its content. */
export function attachMenu(button, label, fill) {
  const panel = el("div", { class: "menu", popover: "auto", role: "dialog", "aria-label": label });
  const close = () => panel.hidePopover();
  document.body.append(panel);
  // What comes from the server makes an open panel larger.
  new ResizeObserver(() => place(panel, button)).observe(panel);
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  // A click on the button of an open panel closes it first: then it must not open again.
  let wasOpen = false;
  button.addEventListener("pointerdown", () => { wasOpen = panel.matches(":popover-open"); });
  button.addEventListener("click", () => {
    if (wasOpen) {
      wasOpen = false;
      close();
      return;
    }
    panel.replaceChildren();
    fill(panel, close);
    panel.showPopover();
    place(panel, button);
    panel.querySelector("[autofocus], input, button, a")?.focus();
  });
  panel.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed" && panel.contains(document.activeElement)) button.focus();
  });
  panel.addEventListener("keydown", (event) => moveFocus(panel, event));
  return { open: () => button.click(), close };
}

function place(panel, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = Math.min(at.left, document.documentElement.clientWidth - width - GAP_PX);
  const top = Math.min(at.bottom + GAP_PX, document.documentElement.clientHeight - height - GAP_PX);
  panel.style.left = `${Math.max(GAP_PX, left)}px`;
  panel.style.top = `${Math.max(GAP_PX, top)}px`;
}

/** Arrows go from one entry to the next. */
function moveFocus(panel, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const entries = [...panel.querySelectorAll("button:not([disabled]), a, input")];
  const at = entries.indexOf(document.activeElement);
  if (!by || at < 0 || document.activeElement.type === "datetime-local") return;
  event.preventDefault();
  entries[(at + by + entries.length) % entries.length].focus();
}

/** An entry of a menu. */
export function entry(text, on, more = {}) {
  const { hint, ...properties } = more;
  return el("button", { type: "button", class: "entry", on: { click: on }, ...properties },
    el("span", { text }), hint ? el("small", { text: hint }) : null);
}
