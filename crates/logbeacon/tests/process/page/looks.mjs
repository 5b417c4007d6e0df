// Looks: light and dark, desktop and phone: all can be read, nothing hangs over, axe-core finds
// nothing.
//
// With the variable `PAGE_PICTURES` each view is kept there as a picture.

import assert from "node:assert/strict";
import { axeSource, DESKTOP, PHONE } from "./browser.mjs";
import { TRACE } from "./records.mjs";

const first = (page) => page.locator("#records .grid-body .grid-row").first().click();

/** Views: a link, what is done there, and the part that only this view has. */
const VIEWS = {
  records: ["", async () => {}],
  fields: ["#query=payment+failed", first, "#detail"],
  json: ["#query=payment+failed&side=json", async (page) => { await first(page); await page.click("#side-json"); }, "#detail"],
  context: ["#query=payment+failed", async (page) => { await first(page); await page.click("#side-context"); await page.waitForSelector(".is-current"); }, "#detail"],
  trace: [`#query=trace_id:%3D${TRACE}`, async (page) => { await first(page); await page.click("#side-trace"); await page.waitForSelector(".span"); }, "#detail"],
  patterns: ["#tab=patterns", (page) => page.waitForSelector(".pattern")],
  results: ["#query=*+%7C+stats+count()+by+time:5m,level", (page) => page.waitForSelector("#results-table td")],
  live: ["#tab=live", (page) => page.waitForFunction(() => document.getElementById("status").textContent.startsWith("live"))],
  empty: ["#query=banana", (page) => page.waitForSelector("#empty h2")],
  fault: ["#query=level%3Awarm", (page) => page.waitForSelector("#query-error b")],
  completion: ["", async (page) => { await page.click("#query"); await page.keyboard.type("service:"); await page.waitForSelector("#query-options li"); }, ".query-box"],
  range: ["", (page) => page.click("#range"), ".menu:popover-open"],
  views: ["", (page) => page.click("[aria-label='Saved views']"), ".menu:popover-open"],
  help: ["", async (page) => { await page.click("[aria-label='Keys and queries']"); await page.waitForSelector("#help[open]"); }, "#help"],
  docs: null,
};

const MOST_COLOURS = ["records", "trace", "results", "fault"];

export async function every_view_is_readable_in_light_and_dark_on_desktop_and_phone(_, browser) {
  const axe = axeSource();
  const wrong = [];
  for (const [size, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    for (const colorScheme of ["light", "dark"]) {
      const visit = await browser.visit({ viewport, colorScheme });
      // Every view once on each size and in each theme; the most colourful in all four.
      const isRepeated = !process.env.PAGE_PICTURES && (size === "phone") === (colorScheme === "light");
      for (const [name, view] of Object.entries(VIEWS)) {
        if (isRepeated && !MOST_COLOURS.includes(name)) continue;
        const where = `${name}-${size}-${colorScheme}`;
        if (view) {
          await visit.open(view[0]);
          await view[1](visit.page);
        } else {
          await visit.page.goto("/docs");
          await visit.page.locator("summary").first().click();
        }
        wrong.push(...(await faults(visit.page, axe, view?.[2])).map((fault) => `${where}: ${fault}`));
        if (process.env.PAGE_PICTURES) await visit.page.screenshot({ path: `${process.env.PAGE_PICTURES}/${where}.png` });
      }
      visit.assertQuiet();
      await visit.close();
    }
  }
  assert.deepEqual(wrong, []);
}

/** What axe-core finds, and what is wider than the screen. */
async function faults(page, axe, part = "html") {
  await page.evaluate(axe);
  const { violations, width } = await page.evaluate(async (selector) => {
    const { violations } = await window.axe.run(document.querySelector(selector), { resultTypes: ["violations"] });
    return { violations, width: document.documentElement.scrollWidth - window.innerWidth };
  }, part);
  const found = violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split("\n")[1] ?? ""}`));
  return width > 0 ? [...found, `hangs over by ${width} px`] : found;
}

export async function the_log_in_is_readable_too(_, browser) {
  const axe = axeSource();
  for (const colorScheme of ["light", "dark"]) {
    const visit = await browser.visit({ viewport: PHONE, colorScheme, isIn: false });
    await visit.page.waitForSelector("#login:not([hidden])");
    assert.deepEqual(await faults(visit.page, axe), []);
    if (process.env.PAGE_PICTURES) await visit.page.screenshot({ path: `${process.env.PAGE_PICTURES}/login-${colorScheme}.png` });
    await visit.close();
  }
}

export async function the_theme_is_chosen_and_kept(visit) {
  const { page } = visit;
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const system = await back();
  await page.keyboard.press("d");
  await page.keyboard.press("d");
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  assert.notEqual(await back(), system);
  await page.reload();
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
}

export async function a_phone_shows_fields_and_records_over_the_whole_screen(_, browser) {
  const visit = await browser.visit({ viewport: PHONE });
  const { page } = visit;
  await visit.settled();
  await page.click("#bar-tools button >> nth=0");
  await page.waitForSelector("#facets .facet");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#facets", { state: "hidden" });
  await visit.rows().nth(1).click();
  const box = await page.locator("#detail").boundingBox();
  assert.deepEqual([box.x, box.width], [0, PHONE.width]);
  await page.click("[aria-label=Close]");
  await page.waitForSelector("#detail", { state: "hidden" });
  visit.assertQuiet();
  await visit.close();
}
