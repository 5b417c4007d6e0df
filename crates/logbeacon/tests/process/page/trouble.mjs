// Trouble: what the page says when something is missing, refused or over.

import assert from "node:assert/strict";
import { ODD } from "./records.mjs";

const { PAGE_TOKEN, PAGE_WRITER } = process.env;

export async function a_token_opens_the_page_and_a_wrong_one_does_not(_, browser) {
  const visit = await browser.visit({ isIn: false, link: "#query=service:=odd" });
  const { page } = visit;
  visit.expect(/401/);
  const enter = async (token) => {
    await page.fill("#token", token);
    await page.click("#login button");
  };
  await enter("lb_wrong");
  await page.waitForSelector("#login-error >> text=Nobody has this token");
  await enter(PAGE_WRITER);
  await page.waitForSelector("#login-error >> text=may not read");
  await enter(PAGE_TOKEN);
  await visit.total(ODD.length);
  assert.equal(await page.inputValue("#token"), "");
  assert.equal(await page.evaluate((token) => JSON.stringify({ ...localStorage }).includes(token), PAGE_TOKEN), false);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script can read the session");
  await page.click("[aria-label='Log out']");
  await page.waitForSelector("#login:not([hidden])");
  visit.assertQuiet();
  await visit.close();
}

export async function a_session_that_ends_asks_for_the_token_and_goes_on(visit) {
  const { page, context } = visit;
  visit.expect(/401/);
  await visit.search("service:=odd", ODD.length);
  await context.clearCookies();
  await page.fill("#query", "service:=odd level:trace");
  await page.waitForSelector("#login:not([hidden])");
  await page.fill("#token", PAGE_TOKEN);
  await page.click("#login button");
  await visit.total(ODD.length);
  assert.equal(visit.link().get("query"), "service:=odd level:trace");
}

export async function an_answer_that_is_not_whole_says_so_loudly(visit) {
  const { page } = visit;
  const skipped = [{ what: "rest", reason: "the time is over" }];
  const cut = (summary) => ({ ...summary, complete: false, skipped });
  await page.route("**/api/v1/search", async (route) => {
    const answer = await route.fetch();
    const lines = (await answer.text()).trim().split("\n");
    lines.push(JSON.stringify({ _summary: cut(JSON.parse(lines.pop())._summary) }));
    await route.fulfill({ response: answer, body: `${lines.join("\n")}\n` });
  });
  await page.route("**/api/v1/histogram*", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    await route.fulfill({ response: answer, json: { ...body, _summary: cut(body._summary) } });
  });
  await page.keyboard.press("r");
  await page.waitForSelector(".notice.warning >> text=the records do not show everything");
  await page.waitForSelector(".notice.warning >> text=the chart does not show everything");
  assert.match(await visit.text(".notice.warning"), /rest: the time is over/);
  assert.equal(await page.getAttribute(".notice", "role"), "alert");
  await page.unroute("**/api/v1/search");
  await page.unroute("**/api/v1/histogram*");
  await page.keyboard.press("r");
  await page.waitForSelector(".notice", { state: "detached" });
}

export async function a_busy_or_absent_server_can_be_asked_again(visit) {
  const { page } = visit;
  visit.expect(/429|ERR_FAILED/);
  // Without a query there is nothing to check.
  await visit.search("service:=odd", ODD.length);
  await page.locator("#query").blur();
  const busy = { error: { type: "busy", reason: "too many requests at once" }, status: 429 };
  await page.route("**/api/v1/check*", (route) => route.fulfill({ status: 429, json: busy, headers: { "retry-after": "1" } }));
  await page.keyboard.press("r");
  await page.waitForSelector(".notice.error >> text=The server is busy");
  await page.unroute("**/api/v1/check*");
  await page.route("**/api/v1/check*", (route) => route.abort());
  await page.click(".notice >> text=Try again");
  await page.waitForSelector(".notice.error >> text=cannot be reached");
  await page.unroute("**/api/v1/check*");
  await page.click(".notice >> text=Try again");
  await page.waitForSelector(".notice", { state: "detached" });
  await visit.settled();
  assert.ok(await visit.rows().count() > 0);
}

export async function a_record_that_is_gone_and_a_query_without_a_hit_help(visit) {
  const { page } = visit;
  await visit.open("#query=banana&range=15m&at=2020-01-01T00:00:00Z~00000000");
  await page.waitForSelector(".notice >> text=The record of this link is not here");
  await page.waitForSelector("#empty >> text=Nothing found");
  await page.click("#empty >> text=Clear the query");
  await visit.until("everything again", async () => await visit.rows().count() > 0);
}
