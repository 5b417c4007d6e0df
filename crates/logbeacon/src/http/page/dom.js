// Dom: makes elements.
//
// Knows the document. Does not know what is shown. Texts become text nodes: nothing here or
// elsewhere turns a text into markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element. Properties: `class`, `text`, `on` (listeners), `data`; all others are attributes. */
export function el(name, properties = {}, ...children) {
  return dress(document.createElement(name), properties, children);
}

/** The same for SVG. */
export function svg(name, properties = {}, ...children) {
  return dress(document.createElementNS(SVG, name), properties, children);
}

function dress(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.setAttribute("class", value);
    else if (name === "text") element.textContent = value;
    else if (name === "on") listen(element, value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function listen(element, listeners) {
  for (const [event, listener] of Object.entries(listeners)) {
    element.addEventListener(event, listener);
  }
}

/** A button with an icon; `label` is read out and shown as a tooltip. */
export function iconButton(name, label, click, more = {}) {
  const { key, ...properties } = more;
  const title = key ? `${label} (${key})` : label;
  const on = { click };
  return el("button", { type: "button", class: "icon", "aria-label": label, title, on, ...properties },
    icon(name));
}

const ICONS = {
  beacon: "M8 1.5v2M3 3l1.5 1.5M13 3l-1.5 1.5M6 7h4l1 7H5zM6 7a2 2 0 0 1 4 0M4 14.5h8",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.5 10.5 14 14",
  clock: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M8 4.8V8l2.3 1.6",
  live: "M8 6.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3M4.5 4.5a5 5 0 0 0 0 7M11.5 4.5a5 5 0 0 1 0 7",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6L12.5 8z",
  bookmark: "M4.5 2.5h7v11L8 10.8l-3.5 2.7z",
  download: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.5h10",
  link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
  globe: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M2 8h12M8 2c4 4 4 8 0 12M8 2c-4 4-4 8 0 12",
  sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M12.8 3.2l-1.1 1.1M4.3 11.7l-1.1 1.1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5",
  auto: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M8 2v12M8 5l3.5-.5M8 8h5.5M8 11l3.5.5",
  help: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M6.3 6.4a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.9.6-.9 1.2M8 11.4v.2",
  leave: "M6.5 2.5h-3v11h3M10 5l3 3-3 3M13 8H6.5",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  filter: "M2.5 3.5h11L9.5 8.5v4.5l-3-1.5v-3z",
  plus: "M8 3.5v9M3.5 8h9",
  minus: "M3.5 8h9",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5h7.5v8H5.5zM10.5 5.5v-3H3v8h2.5",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  left: "M10 4 6 8l4 4",
  right: "M6 4l4 4-4 4",
  wide: "M9.5 3H13v3.5M13 3 9 7M6.5 13H3V9.5M3 13l4-4",
  warning: "M8 2.2 14.2 13H1.8zM8 6.3v3.2M8 11.3v.2",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.7 9h5.6l.7-9",
  zoomout: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.5 10.5 14 14M5 7h4",
  table: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11",
  more: "M3.5 8h.1M8 8h.1M12.4 8h.1",
  api: "M5.5 4.5 2.5 8l3 3.5M10.5 4.5l3 3.5-3 3.5",
};

/** An icon; it says nothing by itself. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", class: "glyph", "aria-hidden": "true" },
    svg("path", { d: ICONS[name] }));
}
