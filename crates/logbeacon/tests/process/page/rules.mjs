// Rules: what the page's modules promise by themselves, tried in the browser.
//
// Knows the modules. The server is the judge of queries.

import assert from "node:assert/strict";
import { ODD } from "./records.mjs";

export async function tokens_of_a_text_are_the_text({ page }) {
  const wrong = await page.evaluate(async () => {
    const { tokens, split } = await import("/page/query.js");
    const letters = ["a", "or", " ", ":", "=", ">", "|", "\"", "'", "`", "\\", "(", ")", ",", "-", "~", "*", "支", "\n"];
    let seed = 7;
    const pick = (count) => (seed = (seed * 1103515245 + 12345) % 2147483648) % count;
    for (let round = 0; round < 3000; round += 1) {
      const text = Array.from({ length: pick(12) }, () => letters[pick(letters.length)]).join("");
      const list = tokens(text);
      if (list.map((token) => token.text).join("") !== text) return text;
      const { filter, pipes } = split(text);
      if (pipes && !pipes.startsWith("|")) return text;
      if (!text.includes("|") && filter !== text.trim()) return text;
    }
    return null;
  });
  assert.equal(wrong, null);
}

export async function a_clause_comes_goes_and_gives_way_to_its_opposite({ page }) {
  const toggles = await page.evaluate(async () => {
    const { toggled, hasClause } = await import("/page/query.js");
    return {
      first: toggled("", "user:=ann"),
      second: toggled("level:error | stats count()", "user:=ann"),
      gone: toggled("level:error user:=ann", "user:=ann"),
      opposite: toggled("user:=ann x", "-user:=ann"),
      or: toggled("a or b", "user:=ann"),
      all: toggled("* | top 3 by x", "user:=ann"),
      part: hasClause("user:=anna", "user:=ann"),
    };
  });
  assert.deepEqual(toggles, {
    first: "user:=ann",
    second: "level:error user:=ann | stats count()",
    gone: "level:error",
    opposite: "x -user:=ann",
    or: "(a or b) user:=ann",
    all: "user:=ann | top 3 by x",
    part: false,
  });
}

export async function every_value_is_found_by_its_clause({ page }) {
  const counts = await page.evaluate(async (values) => {
    const { clause } = await import("/page/query.js");
    const { getLines } = await import("/page/api.js");
    const counts = [];
    for (const value of values) {
      const { records } = await getLines("/api/v1/search", { query: clause("odd", value) }, undefined);
      counts.push([value, records.length]);
    }
    const { records } = await getLines("/api/v1/search", { query: clause("odd name", 3) }, undefined);
    return [...counts, ["a name with a space", records.length]];
  }, ODD);
  for (const [value, count] of counts) assert.equal(count, 1, JSON.stringify(value));
}

export async function moments_keep_nanoseconds_and_follow_the_clocks_of_their_zone({ page }) {
  const found = await page.evaluate(async () => {
    const { toNs, fromNs, local, fromLocal, exact, dayBegin } = await import("/page/moment.js");
    const text = "2026-03-29T00:59:59.123456789Z";
    const zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"];
    const back = zones.flatMap((zone) => [0, 3, 6, 9].map((month) => {
      const ms = Date.UTC(2026, month, 15, 10, 30);
      return fromLocal(local(ms, zone, 0), zone) === ms;
    }));
    return {
      ns: fromNs(toNs(text)) === text,
      before: local(Date.UTC(2026, 2, 29, 0, 59, 59), "Europe/Berlin", 0),
      after: local(Date.UTC(2026, 2, 29, 1, 0, 0), "Europe/Berlin", 0),
      exact: exact(text, "Asia/Kolkata"),
      day: new Date(dayBegin(Date.UTC(2026, 5, 1, 12), "Asia/Kolkata")).toISOString(),
      back: back.every(Boolean),
    };
  });
  assert.deepEqual(found, {
    ns: true,
    before: "2026-03-29 01:59:59",
    after: "2026-03-29 03:00:00",
    exact: "2026-03-29 06:29:59.123456789",
    day: "2026-05-31T18:30:00.000Z",
    back: true,
  });
}

export async function a_state_survives_its_link({ page }) {
  const isSame = await page.evaluate(async () => {
    const { toLink, fromLink } = await import("/page/state.js");
    const state = {
      query: "a \"b\" | stats count() by x & y=#%", range: { from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" },
      zone: "Asia/Shanghai", columns: [{ name: "odd, name~", width: 120 }, { name: "message", width: null }], order: "asc",
      tab: "patterns", at: "2026-01-01T00:00:00.1Z~abcd0123", side: "trace", wide: true,
    };
    const ranges = [{ last: "15m" }, { day: "yesterday" }, {}];
    const same = (one) => JSON.stringify(fromLink(toLink(one))) === JSON.stringify(one);
    return same(state) && ranges.every((range) => same({ ...state, range }));
  });
  assert.ok(isSame);
}

export async function numbers_that_javascript_rounds_stay_exact({ page }) {
  const text = await page.evaluate(async () => {
    const { Record, valueText } = await import("/page/record.js");
    return valueText(new Record("{\"id\":9007199254740993}").value.id);
  });
  assert.equal(text, "9007199254740993");
}
