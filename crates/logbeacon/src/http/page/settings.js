// Settings: what this browser remembers from one visit to the next.
//
// Knows the browser's storage, and is the only file that does. Neither tokens nor records are
// kept: only how the page looks (theme, zone, columns), and recent queries. Without storage the
// page works and forgets.

const KEY = "logbeacon";
const settings = read();

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

/** What is remembered under a name. */
export function setting(name, otherwise) {
  return settings[name] ?? otherwise;
}

/** Remembers; `undefined` forgets. */
export function remember(name, value) {
  settings[name] = value;
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // No storage, or it is full: the page goes on.
  }
}

const RECENT_QUERIES = 12;

/** Puts a query in front of the recent ones. */
export function rememberQuery(query) {
  const text = query.trim();
  if (!text || text === "*") return;
  const others = setting("recent", []).filter((other) => other !== text);
  remember("recent", [text, ...others].slice(0, RECENT_QUERIES));
}
