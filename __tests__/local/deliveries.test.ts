import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findDeliveries, isDate } from "../../local/deliveries";

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "etl-input-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
}

const EXPECTED = "expected folders dt=YYYY-MM-DD/ with files in them, e.g. dt=2010-12-01/events.json";

test("dates come in order, with the files below them and without hidden ones", () => {
  put(
    "dt=2010-12-02/b.json",
    "dt=2010-12-01/deep/a.json.gz",
    "dt=2010-12-02/.DS_Store",
    "notes.txt",
    "dt=today/x",
  );
  const { dates, files } = findDeliveries(folder);
  expect(dates).toEqual(["2010-12-01", "2010-12-02"]);
  expect(files.map(({ name }) => name)).toEqual(["dt=2010-12-01/deep/a.json.gz", "dt=2010-12-02/b.json"]);
});

test.each([
  ["no folder", () => findDeliveries(join(folder, "nowhere")), "there is no folder"],
  ["a file", () => (put("x"), findDeliveries(join(folder, "x"))), "is no folder"],
  ["nothing in it", () => findDeliveries(folder), "holds no delivery"],
  ["no day of the calendar", () => (put("dt=2010-02-30/x"), findDeliveries(folder)), "holds no delivery"],
  ["hidden files only", () => (put("dt=2010-12-01/.x"), findDeliveries(folder)), "holds no delivery"],
])("%s is refused with what was expected", (_, find, message) => {
  expect(find).toThrow(message);
  expect(find).toThrow(EXPECTED);
});

test("a date without a delivery is refused with the dates there are", () => {
  put("dt=2010-12-01/x", "dt=2010-12-02/x");
  expect(() => findDeliveries(folder, "2010-12-03")).toThrow(
    `--run-date: '${folder}' holds no delivery for 2010-12-03; it holds 2010-12-01, 2010-12-02`,
  );
});

test.each([
  ["2010-12-01", true],
  ["2012-02-29", true],
  ["2010-02-29", false],
  ["2010-13-01", false],
  ["2010-1-1", false],
  ["", false],
])("%j is a date: %s", (text, is) => {
  expect(isDate(text)).toBe(is);
});
