// Browser: Chromium, and visits to the page in it.
//
// Knows playwright-core. Every visit is a browser of its own as far as cookies go; it notes whatever
// the page says on its console, and nothing may be said there that a check does not expect.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { PAGE_URL, PAGE_TOKEN, PAGE_PACKAGES, PAGE_CHROMIUM } = process.env;
const need = createRequire(`${PAGE_PACKAGES}/here.js`);
const { chromium } = need("playwright-core");

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** No timing is tested: only that things happen. */
const PATIENCE_MS = Number(process.env.PAGE_PATIENCE_MS ?? 60_000);

export class Browser {
  static async start() {
    // Debian's Chromium has no sandbox for root, which tests on a build server are run by.
    const args = ["--no-sandbox", "--disable-dev-shm-usage"];
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: PAGE_CHROMIUM, args });
    return browser;
  }

  /** A new visitor; logged in, unless `isIn` is false. */
  async visit({ viewport = DESKTOP, colorScheme = "light", zone = "Europe/Berlin", link = "", isIn = true } = {}) {
    const context = await this.chromium.newContext({
      viewport, colorScheme, timezoneId: zone, baseURL: PAGE_URL, acceptDownloads: true,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(PATIENCE_MS);
    if (isIn) await context.request.post("/session", { form: { token: PAGE_TOKEN } });
    const visit = new Visit(context, await context.newPage());
    await visit.go(link);
    return visit;
  }

  close() {
    return this.chromium.close();
  }
}

export class Visit {
  constructor(context, page) {
    Object.assign(this, { context, page, said: [], expected: [] });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.said.push(message.text());
    });
    page.on("pageerror", (error) => this.said.push(error.stack));
    page.on("dialog", (dialog) => {
      this.said.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
  }

  async go(link) {
    await this.page.goto(`/${link}`);
    await this.page.waitForSelector("body:not(.is-loading), #login:not([hidden])");
  }

  /** Opens a link as somebody does who follows it from elsewhere. */
  async open(link) {
    await this.page.goto("about:blank");
    await this.go(link);
    await this.settled();
  }

  /** Waits until nothing is being searched. */
  async settled() {
    await this.page.waitForSelector("#main[aria-busy=false]");
  }

  /** Searches, and waits for so many records. */
  async search(query, count) {
    await this.page.fill("#query", query);
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("Enter");
    await this.total(count);
    await this.settled();
  }

  /** Waits until so many records are counted. */
  async total(count) {
    const text = `${grouped(count)} ${count === 1 ? "record" : "records"}`;
    await this.page.waitForFunction((wanted) => document.getElementById("total").textContent === wanted, text)
      .catch(async () => assert.equal(await this.page.textContent("#total"), text));
  }

  rows() {
    return this.page.locator("#records .grid-body .grid-row");
  }

  /** Opens the record whose message has a text. */
  async openRecord(text) {
    await this.rows().filter({ hasText: text }).first().click();
    await this.page.waitForSelector("#detail:not([hidden])");
  }

  async text(selector) {
    return (await this.page.locator(selector).first().innerText()).trim();
  }

  /** The state in the link. */
  link() {
    return new URLSearchParams(new URL(this.page.url()).hash.slice(1));
  }

  async until(what, test) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!await test()) {
      assert.ok(Date.now() < deadline, `never: ${what}`);
      await this.page.waitForTimeout(20);
    }
  }

  /** Says that a message on the console is meant to be there. */
  expect(pattern) {
    this.expected.push(pattern);
  }

  assertQuiet() {
    const loud = this.said.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    assert.deepEqual(loud, []);
  }

  close() {
    return this.context.close();
  }
}

export const grouped = (count) => count.toLocaleString("en-US").replaceAll(",", "\u202f");

export function axeSource() {
  return need("node:fs").readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");
}
