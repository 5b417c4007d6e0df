// Reading: one record, what is around it, its trace; and new records as they come.

import assert from "node:assert/strict";
import { HOSTILE, ODD, OURS, post, TRACE } from "./records.mjs";

export async function a_record_shows_its_fields_and_filters_by_them(visit) {
  const { page } = visit;
  await visit.search("service:=payment", 2);
  await visit.openRecord("payment failed");
  const names = await page.locator(".field dt").allInnerTexts();
  assert.deepEqual(names.slice(0, 4), ["time", "level", "service", "host"]);
  assert.ok(names.includes("error.chain"));
  const field = (name) => page.locator(".field", { has: page.locator(`dt:text-is("${name}")`) });
  await field("error.kind").hover();
  await field("error.kind").locator("[aria-label^=Copy]").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "timeout");
  await field("error.kind").locator("[aria-label^=Only]").click();
  await visit.total(1);
  assert.equal(visit.link().get("query"), "service:=payment error.kind:=timeout");
  assert.equal(await field("error.kind").locator("[aria-label^=Only]").getAttribute("aria-pressed"), "true");
  await field("error.kind").locator("[aria-label^=Column]").click();
  await page.waitForSelector("[role=columnheader] >> text=error.kind");
  await page.click("[aria-label^='Copy as JSON']");
  assert.equal(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())).trace_id, TRACE);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#detail", { state: "hidden" });
}

export async function its_json_is_a_tree_that_folds(visit) {
  const { page } = visit;
  await visit.search("payment failed", 1);
  await visit.openRecord("payment failed");
  await page.click("#side-json");
  assert.match(await visit.text(".tree"), /kind: "timeout"/);
  await page.click("text=/^Fold all/");
  assert.equal(await page.locator(".tree details[open]").count(), 0);
  await page.click("text=/^Unfold all/");
  await page.click(".tree-tools >> text=Copy");
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual(copied["error.chain"], ["payment failed", "timed out"]);
}

export async function its_context_is_what_was_around_it(visit) {
  const { page } = visit;
  await visit.search("payment failed", 1);
  await visit.openRecord("payment failed");
  await page.keyboard.press("c");
  await page.waitForSelector(".is-current");
  assert.match(await visit.text(".is-current"), /payment failed/);
  assert.equal(await page.locator("#detail-body .lines .line").count(), 2);
  await page.selectOption("[aria-label='Neighbours are']", "");
  await visit.until("all neighbours", async () => await page.locator("#detail-body .line").count() > 20);
  const before = await page.locator("#detail-body .line").count();
  await page.click("text=Earlier");
  await visit.until("more of them", async () => await page.locator("#detail-body .line").count() > before);
  await page.click("#detail-body .line >> text=checkout is down");
  await page.waitForSelector(".detail-message >> text=checkout is down");
}

export async function its_trace_shows_spans_of_all_services_in_time(visit) {
  const { page } = visit;
  await visit.search("payment failed", 1);
  await visit.openRecord("payment failed");
  await page.keyboard.press("t");
  await page.waitForSelector(".span");
  assert.equal((await visit.text(".trace-facts")).replace(/\s+/g, " "), "3 services 3 spans 6 records 120 ms 3 errors");
  const spans = await page.locator(".span").evaluateAll((list) => list.map((span) => {
    const [bar, track] = [".span-bar", ".span-track"].map((part) => span.querySelector(part).getBoundingClientRect());
    return { name: span.querySelector("b").textContent, from: (bar.left - track.left) / track.width, to: (bar.right - track.left) / track.width };
  }));
  assert.deepEqual(spans.map(({ name }) => name), ["gateway", "payment", "bank"]);
  for (const [index, from, to] of [[0, 0, 120], [1, 20, 100], [2, 40, 90]]) {
    assert.ok(Math.abs(spans[index].from - from / 120) < 0.02 && Math.abs(spans[index].to - to / 120) < 0.02, JSON.stringify(spans));
  }
  await page.keyboard.press("w");
  await page.waitForSelector("body.is-wide");
  await page.click(".line >> text=route to payment");
  await page.waitForSelector(".detail-message >> text=route to payment");
}

export async function keys_move_through_records_and_a_page_lists_them(visit) {
  const { page } = visit;
  await visit.search("service:=odd", ODD.length);
  await page.locator("#query").blur();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#detail:not([hidden])");
  assert.equal(await page.getAttribute("#records [aria-selected=true]", "aria-rowindex"), "3");
  await page.keyboard.press("k");
  await visit.until("the record above", async () => await page.getAttribute("#records [aria-selected=true]", "aria-rowindex") === "2");
  await page.keyboard.press("v");
  await page.waitForSelector(".tree");
  await page.keyboard.press("?");
  await page.waitForSelector("#help[open] kbd");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "query");
  await page.keyboard.type("x");
  assert.equal(await page.inputValue("#query"), "x", "keys are letters while one types");
}

export async function times_are_shown_in_the_zone_that_was_chosen(visit) {
  const { page } = visit;
  await visit.search("payment failed", 1);
  const time = () => visit.text("#records .cell-time time");
  const berlin = await time();
  await page.click("#zone");
  await page.click(".menu >> text=UTC >> nth=0");
  await page.click("#zone");
  await page.click(".menu .entry:has-text('UTC+00:00')");
  await visit.until("UTC", async () => await time() !== berlin);
  await page.click("#zone");
  await page.fill("[aria-label='Another time zone']", "Nowhere/Land");
  await page.click(".menu >> text=Use");
  assert.match(await visit.text(".menu .error-text"), /no such zone/);
  await page.fill("[aria-label='Another time zone']", "Asia/Kolkata");
  await page.keyboard.press("Enter");
  await visit.until("the link", () => visit.link().get("zone") === "Asia/Kolkata");
  await page.reload();
  assert.match(await visit.text("#zone"), /Kolkata/);
}

export async function new_records_appear_as_they_come_and_wait_while_one_reads(visit) {
  const { page } = visit;
  await visit.search("service:=fresh", 0);
  const followed = page.waitForResponse((answer) => answer.url().includes("/api/v1/tail"));
  await page.keyboard.press("Escape");
  await page.click("#live");
  await followed;
  await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("live"));
  const fresh = (number) => ({ level: "WARN", message: `fresh ${number}`, service: "fresh" });
  await post([fresh(1), { level: "INFO", message: "not this", service: "other" }]);
  await page.waitForSelector("#tail >> text=fresh 1");
  assert.equal(await page.locator("#tail >> text=not this").count(), 0);
  await page.click("#live");
  await post([fresh(2), fresh(3)]);
  await page.waitForSelector("#tail-new >> text=2 new records");
  assert.equal(await page.locator("#tail >> text=fresh 2").count(), 0);
  await page.click("#tail-new");
  await page.waitForSelector("#tail >> text=fresh 3");
  await page.click("#tail >> text=fresh 3");
  await page.waitForSelector(".detail-message >> text=fresh 3");
  await page.keyboard.press("Escape");
  await page.click("#tab-records");
  await visit.total(3);
}

export async function a_tail_keeps_few_records_however_many_come(visit) {
  const { page } = visit;
  await page.addInitScript(() => {
    window.EventSource = class extends EventTarget {
      constructor() {
        super();
        window.events = this;
        this.readyState = 1;
        setTimeout(() => this.dispatchEvent(new Event("open")));
      }

      close() { this.readyState = 2; }
    };
    window.EventSource.CLOSED = 2;
  });
  await page.reload();
  await visit.settled();
  await page.click("#live");
  await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("live"));
  const { kept, elements } = await page.evaluate(async () => {
    for (let number = 0; number < 60_000; number += 1) {
      const data = JSON.stringify({ time: new Date(1.7e12 + number).toISOString(), level: "INFO", message: `n ${number}` });
      window.events.dispatchEvent(new MessageEvent("record", { data }));
      if (number % 2000 === 0) await new Promise(requestAnimationFrame);
    }
    window.events.dispatchEvent(new MessageEvent("dropped", { data: "{\"count\":5}" }));
    window.events.dispatchEvent(new MessageEvent("gap", { data: "{}" }));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const grid = document.getElementById("tail");
    return { kept: Number(grid.getAttribute("aria-rowcount")) - 1, elements: grid.querySelectorAll("*").length };
  });
  assert.equal(kept, 2000);
  assert.ok(elements < 1000, `${elements} elements`);
  assert.match(await visit.text("#notices"), /5 records are not shown/);
  assert.match(await visit.text("#notices"), /There is a gap/);
  assert.match(await visit.text("#tail .grid-body"), /n 59999/);
}

export async function nothing_in_a_record_is_markup(visit) {
  const { page } = visit;
  await visit.search("id:=hostile", 1);
  await visit.openRecord("onerror");
  assert.equal(await visit.text(".detail-message"), HOSTILE);
  for (const side of ["json", "context", "trace", "fields"]) await page.click(`#side-${side}`);
  await page.fill("#facet-search", "onerror");
  await page.locator(".facet summary").click();
  await page.waitForSelector(".facet-value");
  await page.click("#tab-patterns");
  await page.waitForSelector(".pattern");
  assert.equal(await page.locator("img[src=x], main script").count(), 0);
}
