// Levels: their names and order, and how they are shown.
//
// Knows the six levels. Does not know records. Colours are classes of the style; a level's name is
// always beside its colour, so that nobody needs to tell the colours apart.

import { el } from "./dom.js";

/** From the least to the most important. */
export const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"];

/** Five letters at most, for columns. */
const SHORT = { CRITICAL: "CRIT" };

export const levelClass = (level) => `level-${(LEVELS.includes(level) ? level : "none").toLowerCase()}`;

export function levelBadge(level) {
  const name = level ?? "";
  return el("span", { class: `badge ${levelClass(name)}`, title: name, text: SHORT[name] ?? name });
}

/** The most important of some levels. */
export function worst(levels) {
  return LEVELS.findLast((level) => levels.includes(level)) ?? "";
}
