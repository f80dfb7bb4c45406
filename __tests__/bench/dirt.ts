import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** The expected books of a run; reasons that are not listed are zero. */
export interface ExpectedBooks {
  readonly read: number;
  readonly written: number;
  readonly duplicates: number;
  readonly quarantined: Readonly<Record<string, number>>;
}

/** Counted by hand from the lines below, never by running the job. */
export const DIRTY_BOOKS: ExpectedBooks = {
  read: 24,
  written: 9,
  duplicates: 3,
  quarantined: {
    malformed: 3,
    missing_event_id: 1,
    missing_user_id: 2,
    missing_event_type: 1,
    wrong_type: 1,
    invalid_timestamp: 4,
  },
};

const event = (id: string, change: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    event_id: id,
    user_id: "17850",
    event_type: "purchase",
    timestamp: "2011-01-04T10:00:00Z",
    country: "United Kingdom",
    items: [{ product_id: "85123A", quantity: 6, unit_price: 2.55 }],
    ...change,
  });

const FIRST = [
  event("d1-good"), // written 1
  event("d1-number", { user_id: 17850 }), // written 2: a number is cast to the declared string
  event("d1-extra", { colour: "red", nested: { a: [1] } }), // written 3: unknown fields are tolerated
  event("d1-twice"), // written 4
  event("d1-twice"), // duplicate 1: byte for byte, same file
  "", // not a row
  '{"event_id":"d1-cut","user_id":', // malformed 1
  "not json at all", // malformed 2
  "[1,2,3]", // malformed 3: not an object
  event("", {}), // missing_event_id 1
  event("d1-nobody", { user_id: null }), // missing_user_id 1
  event("d1-blank", { user_id: "  " }), // missing_user_id 2
  event("d1-untyped", { event_type: undefined }), // missing_event_type 1
  event("d1-list", { user_id: ["17850"] }), // wrong_type 1
  event("d1-empty", { timestamp: "" }), // invalid_timestamp 1
  event("d1-words", { timestamp: "yesterday" }), // invalid_timestamp 2
  event("d1-month", { timestamp: "2011-13-04T10:00:00Z" }), // invalid_timestamp 3
  event("d1-epoch", { timestamp: 1294135200000 }), // invalid_timestamp 4
].join("\n"); // 17 rows

/** Byte-order mark and Windows line ends. */
const WINDOWS = `\uFEFF${event("d2-first")}\r\n${event("d2-second")}\r\n`; // written 5 and 6

/** A delivery of the next day, compressed, with what was delivered before. */
const SECOND = [
  event("d3-late", { timestamp: "2011-01-03T23:59:00+02:00" }), // written 7
  event("d1-good"), // duplicate 2: another day's
  event("d2-first"), // duplicate 3: another day's, another file's
  event("d3-cancelled", { event_type: "cancellation" }), // written 8
  event("d3-new", { items: [] }), // written 9
].join("\n"); // 5 rows

/** Writes the deliveries of three days: dirty, dirty and compressed, and an empty one. */
export function writeDirtyDeliveries(folder: string): void {
  const files: Readonly<Record<string, string | Buffer>> = {
    "dt=2011-01-04/events.json": `${FIRST}\n`,
    "dt=2011-01-04/windows.json": WINDOWS,
    "dt=2011-01-05/events.json.gz": gzipSync(`${SECOND}\n`),
    "dt=2011-01-05/empty.json": "",
    "dt=2011-01-06/events.json": "",
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}
