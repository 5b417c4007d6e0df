// Record of a link: the record that a link names, wherever it is.
//
// Knows that an id begins with the record's time. Asks for that nanosecond only.

import { getLines } from "./api.js";
import { fromNs, toNs } from "./moment.js";

/** The record with that id; null if there is none. */
export async function findRecord(id) {
  const [time] = id.split("~");
  const params = { query: "*", start: time, end: fromNs(toNs(time) + 1n), limit: 10_000 };
  const { records } = await getLines("/api/v1/search", params);
  return records.find((record) => record.id === id) ?? null;
}
