// Completeness: which answers on the page are not whole.
//
// Knows summaries. An answer that is not whole must not look like one: it is said above everything
// else, with the server's reason.

import { showNotices } from "./notice.js";

const PARTS = {
  records: "the records do",
  histogram: "the chart does",
  facets: "the fields do",
  patterns: "the patterns do",
};
const missing = new Map();
let isEstimated = false;

/** Another search begins. */
export function forgetMissing() {
  missing.clear();
  isEstimated = false;
}

/** Notes the summary of one part's answer. */
export function noteSummary(part, { complete, approximate, skipped }) {
  if (complete) missing.delete(part);
  else missing.set(part, skipped);
  if (part === "records") isEstimated = approximate;
  const notices = [...missing].map(([name, reasons]) => ({
    kind: "warning",
    title: `Not complete: ${PARTS[name]} not show everything.`,
    text: `${reasons.map(({ what, reason }) => `${what}: ${reason}`).join("; ") || "The server gives no reason."} A shorter range or a narrower query helps.`,
  }));
  if (isEstimated) {
    notices.push({ kind: "info", title: "Some numbers are estimates:", text: "exact ones need more memory than a search has." });
  }
  showNotices("answer", notices);
}
