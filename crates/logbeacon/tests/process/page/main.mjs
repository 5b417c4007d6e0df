// Main: runs all checks of the page, one after the other, and says which failed.
//
// Knows nothing of the page. A check is a function whose name is a sentence; it is given a `Visit`.

import { Browser } from "./browser.mjs";
import { fill } from "./records.mjs";
import * as looks from "./looks.mjs";
import * as reading from "./reading.mjs";
import * as rules from "./rules.mjs";
import * as searching from "./searching.mjs";
import * as trouble from "./trouble.mjs";

const browser = await Browser.start();
await fill();
let failed = 0;
const wanted = process.argv[2] ?? "";
for (const checks of [rules, searching, reading, trouble, looks]) {
  for (const [name, check] of Object.entries(checks)) {
    if (!name.includes(wanted)) continue;
    const began = Date.now();
    const visit = await browser.visit();
    try {
      await check(visit, browser);
      visit.assertQuiet();
      console.log(`ok ${name.replaceAll("_", " ")} (${Date.now() - began} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name.replaceAll("_", " ")}\n${error.stack}\n  at ${visit.page.url()}\n  said ${JSON.stringify(visit.said)}`);
      if (process.env.PAGE_PICTURES) await visit.page.screenshot({ path: `${process.env.PAGE_PICTURES}/failed-${name}.png` });
    }
    await visit.close();
  }
}
await browser.close();
console.log(failed ? `${failed} failed` : "all passed");
process.exit(failed ? 1 : 0);
