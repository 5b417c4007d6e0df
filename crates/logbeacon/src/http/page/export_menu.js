// Export menu: everything that the query finds, as a file, and not only what is shown.
//
// Knows the route's parameters. The range is fixed when the menu opens: a file has what was seen.

import { withParams } from "./api.js";
import { el } from "./dom.js";
import { attachMenu, entry } from "./menu.js";
import { copy } from "./notice.js";

const FORMATS = [
  ["ndjson", "NDJSON", "a record a line, all fields"],
  ["csv", "CSV", "the columns of the table"],
  ["parquet", "Parquet", "for DuckDB, pandas and the like"],
];

/** `search()` is the search that is shown, `columns()` its columns. */
export function attachExport(button, { search, columns }) {
  return attachMenu(button, "Export", (panel, close) => {
    const { query, params, order, hasPipes } = search();
    const path = (format) => withParams("/api/v1/export", {
      query, ...params, order, format, columns: format === "csv" && !hasPipes ? columns().join(",") : "",
    });
    const link = ([format, title, hint]) => el("a", {
      class: "entry", href: path(format), download: `logbeacon.${format}`, on: { click: () => setTimeout(close) },
    }, el("span", { text: title }), el("small", { text: hint }));
    const curl = () => {
      const given = Object.entries({ query, ...params, order, format: "ndjson" }).filter(([, value]) => value);
      const words = given.map(([name, value]) => `  --data-urlencode ${shellQuoted(`${name}=${value}`)}`);
      copy([`curl -sSG -H "Authorization: Bearer $LOGBEACON_TOKEN" '${location.origin}/api/v1/export'`, ...words].join(" \\\n"), "Command");
      close();
    };
    panel.replaceChildren(el("h2", { text: "Export everything found" }), ...FORMATS.map(link),
      entry("Copy as curl", curl, { hint: "the same for a shell" }),
      el("p", { class: "muted", text: "Times in files are UTC. There is no limit on rows." }));
  });
}

const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
