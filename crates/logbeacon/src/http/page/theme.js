// Theme: light, dark, or as the system is.
//
// Knows the attribute that the style looks at. Loaded before the page is painted.

import { setting, remember } from "./settings.js";

const THEMES = [["auto", "auto", "As the system"], ["light", "sun", "Light"], ["dark", "moon", "Dark"]];

export function applyTheme() {
  document.documentElement.dataset.theme = setting("theme", "auto");
}

/** The next theme: `[name, icon, title]`. */
export function nextTheme() {
  const at = THEMES.findIndex(([name]) => name === setting("theme", "auto"));
  const next = THEMES[(at + 1) % THEMES.length];
  remember("theme", next[0]);
  applyTheme();
  return next;
}

export const theme = () => THEMES.find(([name]) => name === setting("theme", "auto")) ?? THEMES[0];
