// Searching: typing, completing, choosing a range and fields, and what a link holds.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { COUNT, ODD, OURS, QUIET, TRACE } from "./records.mjs";

export async function records_appear_at_once_and_more_as_one_scrolls(visit) {
  const { page } = visit;
  await visit.search(OURS, COUNT);
  await page.waitForFunction(() => /\d+ shown/.test(document.getElementById("status").textContent));
  assert.ok(await visit.rows().count() < 80, "only rows in sight are elements");
  await page.locator("#records").evaluate((grid) => { grid.scrollTop = grid.scrollHeight; });
  await visit.until("all are there", async () => (await visit.text("#status")).startsWith(`${COUNT} shown`));
  const keys = await page.evaluate(async () => {
    const grid = document.getElementById("records");
    const seen = new Set();
    for (let top = 0; top <= grid.scrollHeight; top += 300) {
      grid.scrollTop = top;
      await new Promise(requestAnimationFrame);
      grid.querySelectorAll(".grid-body .grid-row").forEach((row) => seen.add(row.getAttribute("aria-rowindex")));
    }
    return seen.size;
  });
  assert.equal(keys, COUNT);
}

export async function a_search_follows_the_typing_and_ends_the_one_before(visit) {
  const { page } = visit;
  await visit.settled();
  await page.locator("#query").pressSequentially("slow answer", { delay: 15 });
  await visit.total(QUIET / 4);
  assert.equal(visit.link().get("query"), "slow answer");
  // One that the server holds back is given up when the text changes.
  await page.route("**/api/v1/search", async (route) => {
    if ((route.request().postData() ?? "").includes("held")) return;
    await route.continue();
  });
  const gone = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/api/v1/search"));
  const asked = page.waitForRequest((request) => (request.postData() ?? "").includes("held"));
  await page.fill("#query", "held");
  await asked;
  await page.fill("#query", "slow answer handled or late");
  assert.match((await gone).failure().errorText, /ABORTED/);
  await page.unroute("**/api/v1/search");
  await visit.total(1);
}

export async function names_and_values_are_completed_by_keys(visit) {
  const { page } = visit;
  const option = (text) => page.locator("#query-options li", { hasText: text }).first();
  await page.click("#query");
  await page.keyboard.type("serv");
  await option("service").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.inputValue("#query"), "service:");
  await option("payment").waitFor();
  await page.keyboard.type("pay");
  await option("catalogue").waitFor({ state: "detached" });
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.getAttribute("#query", "aria-activedescendant"), "query-option-0");
  await page.keyboard.press("Enter");
  assert.equal(await page.inputValue("#query"), "service:=payment ");
  await page.keyboard.type("level>=");
  await option("critical").waitFor();
  await page.keyboard.type("err");
  await page.keyboard.press("Tab");
  await page.keyboard.type("| to");
  await option("top 10 by").waitFor();
  await page.keyboard.press("Tab");
  await option("user").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.type("service");
  await option("service").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#results-table td");
  assert.match(await visit.text("#results-table"), /payment\s+1/);
  await page.fill("#query", "");
  await option("top 10").waitFor();
}

export async function a_fault_is_shown_at_its_place_with_what_may_be_meant(visit) {
  const { page } = visit;
  await visit.search("level>=warn", QUIET / 4 + 4);
  await page.fill("#query", "支付 or level>=warm");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#query-colours .is-wrong");
  assert.equal(await page.textContent("#query-colours .is-wrong"), "warm");
  assert.match(await visit.text("#query-error"), /"warm" is no level/);
  assert.equal(await page.getAttribute("#query", "aria-invalid"), "true");
  assert.ok(await visit.rows().count() > 0, "what was found before stays");
  await page.click("#query-error button");
  assert.equal(await page.inputValue("#query"), "支付 or level>=warn");
  await visit.until("the fault is gone", async () => await page.textContent("#query-error") === "");
  await visit.total(QUIET / 4 + 5);
}

export async function the_chart_counts_levels_and_a_brush_selects_time(visit) {
  const { page } = visit;
  await visit.search(OURS, COUNT);
  const legend = await page.locator("#legend .level-chip").allInnerTexts();
  assert.deepEqual(legend.map((text) => text.replace(/\s+/g, " ")), [
    "CRITICAL 1", "ERROR 2", `WARN ${QUIET / 4 + 1}`, `INFO ${QUIET / 2 + 3}`, `DEBUG ${QUIET / 4}`, `TRACE ${ODD.length}`,
  ]);
  const before = visit.link().get("range");
  const box = await page.locator("#histogram").boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 30);
  await page.waitForSelector("#histogram .tip:not([hidden])");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await visit.until("the range is fixed", () => visit.link().has("from"));
  await visit.settled();
  const length = Date.parse(visit.link().get("to")) - Date.parse(visit.link().get("from"));
  assert.ok(length > 10 * 60_000 && length < 25 * 60_000, `${length} ms`);
  const zoomed = Number((await visit.text("#total")).split(" ")[0]);
  assert.ok(zoomed > 0 && zoomed < COUNT);
  await page.goBack();
  await visit.total(COUNT);
  assert.equal(visit.link().get("range"), before);
  await page.focus("#histogram");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  assert.match(await page.textContent("#histogram [aria-live]"), /\d\d:\d\d:\d\d: /);
  await page.keyboard.press("Enter");
  await visit.until("keys select too", () => visit.link().has("from"));
  const narrow = visit.link().get("to");
  await page.keyboard.press("z");
  await visit.until("a wider range", () => visit.link().get("to") !== narrow);
  await page.goBack();
  await page.goBack();
  await visit.total(COUNT);
  await page.click("#legend .level-chip >> nth=0");
  await visit.until("a level is a clause", () => /level:/.test(visit.link().get("query")));
}

export async function ranges_are_chosen_shifted_and_typed(visit) {
  const { page } = visit;
  await visit.settled();
  await page.click("#range");
  await page.click(".range-presets >> text=Last 15 minutes");
  await visit.until("the range", () => visit.link().get("range") === "15m");
  await visit.settled();
  await page.click("#range-tools button >> nth=0");
  await visit.until("an earlier one", () => visit.link().has("from"));
  assert.ok(Date.parse(visit.link().get("to")) < Date.now() - 14 * 60_000);
  await page.click("#range");
  await page.fill("[aria-label=From]", "2020-01-01T10:00:00");
  await page.fill("[aria-label=To]", "2020-01-01T09:00:00");
  await page.click(".range-form button");
  assert.match(await visit.text(".range-form .error-text"), /before/);
  await page.fill("[aria-label=To]", "2020-01-01T11:00:00");
  await page.click(".range-form button");
  await visit.until("typed in the zone", () => visit.link().get("from") === "2020-01-01T09:00:00.000Z");
  await page.waitForSelector("#empty:not([hidden]) h2");
  assert.match(await visit.text("#empty"), /Nothing found/);
  await page.click("#empty >> text=Search all time");
  await visit.until("everything", () => visit.link().get("range") === "all");
  await visit.settled();
  assert.ok(await visit.rows().count() > 10);
}

export async function facets_narrow_exclude_and_become_columns(visit) {
  const { page } = visit;
  await visit.search(OURS, COUNT);
  const facet = (name) => page.locator(`.facet[data-field="${name}"]`);
  await facet("service").locator("li", { hasText: "payment" }).locator(".facet-value").click();
  await visit.total(2);
  assert.equal(visit.link().get("query"), `${OURS} service:=payment`);
  await facet("service").locator("li", { hasText: "payment" }).locator(".facet-value").click();
  await visit.total(COUNT);
  await facet("service").locator("li", { hasText: "odd" }).hover();
  await facet("service").locator("li", { hasText: "odd" }).locator(".without").click();
  await visit.total(COUNT - ODD.length);
  await page.fill("#facet-search", "http.st");
  assert.equal(await page.locator(".facet").count(), 1);
  await facet("http.status").locator("summary").click();
  await facet("http.status").locator("li", { hasText: "504" }).waitFor();
  assert.match(await facet("http.status").innerText(), /200\s+180/);
  await facet("http.status").locator(".as-column").click();
  await page.waitForSelector("[role=columnheader] >> text=http.status");
  assert.match(visit.link().get("columns"), /http.status,message/);
  await page.fill("#facet-search", "nothing like this");
  await page.waitForSelector("#facet-none:not([hidden])");
}

export async function columns_are_ordered_removed_and_dragged(visit) {
  const { page } = visit;
  await visit.search("service:=catalogue", QUIET / 2);
  await page.click("#bar-tools >> text=Columns");
  await page.fill("[aria-label='Field for a column']", "latency_ms");
  await page.click(".menu >> text=Add");
  await page.click("[aria-label='Move to the left: latency_ms']");
  await page.click("[aria-label='Remove: service']");
  await page.waitForSelector("[role=columnheader] >> text=latency_ms");
  await page.keyboard.press("Escape");
  const heads = await page.locator("#records [role=columnheader]").allInnerTexts();
  assert.deepEqual(heads.map((text) => text.trim()), ["time", "level", "latency_ms", "message"]);
  const grip = await page.locator("#records .grip >> nth=2").boundingBox();
  await page.mouse.move(grip.x + 4, grip.y + 5);
  await page.mouse.down();
  await page.mouse.move(grip.x + 64, grip.y + 5, { steps: 3 });
  await page.mouse.up();
  await visit.until("its width is in the link", () => /latency_ms~2\d\d/.test(visit.link().get("columns")));
  await page.reload();
  await visit.settled();
  assert.equal(await page.locator("#records [role=columnheader]").count(), 4);
  await page.click("#records [aria-label='Oldest first']");
  await visit.until("the order", async () => visit.link().get("order") === "asc" && /request 0 handled/.test(await visit.rows().first().innerText()));
}

export async function pipes_give_a_table_and_curves(visit) {
  const { page } = visit;
  await visit.search("service:in(catalogue, checkout) | stats count() as n, p99(latency_ms) as p99 by service, time:10m", QUIET);
  await page.waitForSelector("#results-chart .chart-curve", { state: "attached" });
  assert.ok(await page.locator("#results-chart .chart-curve").count() >= 2);
  await page.click("#results-table th >> text=n");
  assert.equal(await page.locator("#results-table th[aria-sort=descending]").count(), 1);
  assert.equal(await visit.text("#tabs [aria-selected=true]"), "Results");
  // What pipes only order or cut are records still: they can be opened.
  await visit.search("service:=payment | sort by amount desc | limit 1", 2);
  await visit.openRecord("charge the card");
}

export async function patterns_lead_to_their_records(visit) {
  const { page } = visit;
  await visit.search(OURS, COUNT);
  await page.click("#tab-patterns");
  await page.click(".pattern >> text=slow answer");
  await visit.total(QUIET / 4);
  assert.equal(visit.link().get("query"), `${OURS} message:*"slow answer:"* message:*"ms"*`);
}

export async function a_link_holds_everything_and_shows_the_same_in_another_zone(visit, browser) {
  const { page } = visit;
  await visit.search(`trace_id:=${TRACE} level>=warn`, 4);
  await visit.openRecord("payment failed");
  await page.click("#side-trace");
  await page.keyboard.press("u");
  await page.waitForSelector(".toast >> text=Link copied");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await browser.visit({ zone: "America/New_York", link: new URL(link).hash });
  await other.total(4);
  await other.page.waitForSelector(".span");
  assert.equal(await other.text("#range"), await visit.text("#range").then(() => other.text("#range")));
  assert.match(await other.text("#range"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d – /);
  assert.equal(await other.rows().first().innerText(), await visit.rows().first().innerText());
  assert.equal(await other.text(".detail-message"), "payment failed: bank did not answer");
  assert.equal(other.link().get("zone"), "Europe/Berlin");
  // The record is found even if the query no longer shows it.
  await other.page.fill("#query", "service:=odd");
  await other.page.keyboard.press("Escape");
  await other.total(ODD.length);
  await other.open(new URL(link).hash.replace("warn", "critical"));
  await other.total(1);
  await other.page.waitForSelector(".detail-message >> text=payment failed");
  other.assertQuiet();
  await other.close();
}

export async function views_are_saved_opened_and_deleted(visit) {
  const { page } = visit;
  await visit.search("service:=payment", 2);
  await page.click("[aria-label='Saved views']");
  await page.fill("[aria-label='Name of the view']", "payments / 支付");
  await page.click(".menu button:text-is('Save')");
  await page.waitForSelector(".view >> text=payments / 支付");
  await page.keyboard.press("Escape");
  await visit.search("service:=odd", ODD.length);
  await page.click("[aria-label='Saved views']");
  await page.click(".view .entry");
  await visit.total(2);
  assert.equal(await page.inputValue("#query"), "service:=payment");
  await page.click("[aria-label='Saved views']");
  await page.click("[aria-label^='Delete the view']");
  await page.waitForSelector(".menu >> text=None yet");
}

export async function files_have_what_is_seen(visit) {
  const { page } = visit;
  await visit.search("service:=payment", 2);
  const file = async (title) => {
    await page.click("#bar-tools >> text=Export");
    const download = page.waitForEvent("download");
    await page.click(`.menu a >> text=${title}`);
    return readFileSync(await (await download).path(), "utf8");
  };
  const lines = (await file("NDJSON")).trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, 3);
  assert.equal(lines.at(-1)._summary.complete, true);
  assert.match(await file("CSV"), /^time,level,service,message\r?\n/);
  assert.match(await file("Parquet"), /^PAR1/);
  await page.click("#bar-tools >> text=Export");
  await page.click(".menu >> text=Copy as curl");
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /--data-urlencode 'query=service:=payment'/);
}
