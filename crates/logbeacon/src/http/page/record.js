// Record: one record as it came from the server.
//
// Knows the members that every record has. Keeps the line as it came, and reads it when somebody
// looks: a list of thousands costs little more than its text.

/** Members that have a place of their own; the others are fields. */
export const MEMBERS = ["time", "level", "message", "service", "host", "logger", "stream",
  "trace_id", "span_id"];

export class Record {
  #value = null;

  constructor(line) {
    this.line = line;
  }

  /** All members, by name. */
  get value() {
    this.#value ??= parse(this.line);
    return this.#value;
  }

  get time() {
    return this.value.time ?? "";
  }

  /** What tells it from others, short enough for a link: its time, and a hash of everything. */
  get id() {
    return `${this.time}~${hash(this.line)}`;
  }

  /** What is neither in a column nor empty: `order=7 user=ann`. */
  rest(columns) {
    const others = Object.entries(this.value)
      .filter(([name]) => !columns.includes(name) && !MEMBERS.includes(name));
    return others.map(([name, value]) => `${name}=${valueText(value)}`).join("  ");
  }
}

/** A value as one line of text. */
export function valueText(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Reads JSON. Integers that a number of JavaScript cannot hold stay exact. */
export function parse(line) {
  if (!/\d{16}/.test(line)) return JSON.parse(line);
  return JSON.parse(line, (_, value, context) => {
    const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
    return isRounded && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context.source) : value;
  });
}

/** 32 bits by FNV-1a, as hexadecimal digits. */
function hash(text) {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, "0");
}

/** Nests dotted names: `{"a.b": 1}` becomes `{a: {b: 1}}`, where nothing is in the way. */
export function nested(value) {
  const tree = {};
  for (const [name, member] of Object.entries(value)) {
    const steps = name.split(".");
    let branch = tree;
    const isFree = steps.every((step, index) => {
      if (!step || step === "__proto__") return false;
      if (index === steps.length - 1) return !Object.hasOwn(branch, step);
      if (!Object.hasOwn(branch, step)) branch[step] = Object.create(BRANCH);
      branch = branch[step];
      return Object.getPrototypeOf(branch) === BRANCH;
    });
    if (isFree) branch[steps.at(-1)] = member;
    else tree[name] = member;
  }
  return tree;
}

/** Marks objects that were made of dots. */
const BRANCH = Object.create(null);
