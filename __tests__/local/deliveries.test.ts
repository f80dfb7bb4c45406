import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findDeliveries, isDate, leftOutLines } from "../../local/deliveries";

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "etl-input-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
}

const EXPECTED =
  "expected for toys folders dt=YYYY-MM-DD/ with files in them, e.g. dt=2010-12-01/toys.json, " +
  "or files named by their date, e.g. 2010-12-01.csv or 2010-12-01.csv.gz";

const find = (input = folder, runDate?: string) => findDeliveries(input, { pipeline: "toys", runDate });

test("dates come in order, with the files below them and without hidden ones", () => {
  put(
    "dt=2010-12-02/b.json",
    "dt=2010-12-01/deep/a.json.gz",
    "dt=2010-12-02/.DS_Store",
    "notes.txt",
    "dt=today/x",
  );
  const { dates, files } = find();
  expect(dates).toEqual(["2010-12-01", "2010-12-02"]);
  expect(files.map(({ name }) => name)).toEqual(["dt=2010-12-01/deep/a.json.gz", "dt=2010-12-02/b.json"]);
});

test.each([
  ["nothing there", () => find(join(folder, "nowhere")), "there is no folder or file"],
  [
    "a file without a date",
    () => (put("x.csv"), find(join(folder, "x.csv"))),
    "is no delivery (no date in its name)",
  ],
  ["nothing in it", () => find(), "holds no delivery"],
  ["no day of the calendar", () => (put("dt=2010-02-30/x", "2010-02-30.csv"), find()), "holds no delivery"],
  ["a name that only begins as a date", () => (put("2010-12-01-b.csv", "2010-12-01"), find()), "no delivery"],
  ["hidden files only", () => (put("dt=2010-12-01/.x", ".2010-12-01.csv"), find()), "holds no delivery"],
])("%s is refused with what was expected", (_, asked, message) => {
  expect(asked).toThrow(message);
  expect(asked).toThrow(EXPECTED);
});

test("files named by their date are deliveries of it, whatever stands beside them", () => {
  put("2010-12-02.csv.gz", "2010-12-01.csv", "2010-12-01.json", "README.md", "sales.csv");
  const { dates, files } = find();
  expect(dates).toEqual(["2010-12-01", "2010-12-02"]);
  expect(files.map(({ name }) => name)).toEqual([
    "dt=2010-12-01/2010-12-01.csv",
    "dt=2010-12-01/2010-12-01.json",
    "dt=2010-12-02/2010-12-02.csv.gz",
  ]);
  expect(files.map(({ path }) => path)).toEqual(
    ["2010-12-01.csv", "2010-12-01.json", "2010-12-02.csv.gz"].map((name) => join(folder, name)),
  );
});

test("what is not taken is named with the reason, the first few of them, and never its bytes", () => {
  put(...["2010-12-01.jsonl.gz", "2010-12-02.csv.zip", "2010-12-02.bin", "2010-12-02.parquet", "notes.txt"]);
  put("2010-12-01 (1).csv", "2010-12-01.part2.csv.gz");
  put(".2010-12-03.csv", "dt=today/a.csv", "a\u001b[31m.csv", `${"long".repeat(20)}.csv`);
  symlinkSync(join(folder, "nowhere"), join(folder, "2010-12-04.csv"));
  const { files, leftOut } = find();
  expect(files.map(({ name }) => name)).toEqual([
    ...["dt=2010-12-01/2010-12-01.jsonl.gz", "dt=2010-12-02/2010-12-02.csv.zip"],
  ]);
  const ending = "not csv, tsv, txt, json, jsonl, ndjson";
  const more = "its name has more than date and ending: put it below dt=YYYY-MM-DD/";
  expect(leftOut.slice(0, 7)).toEqual([
    { name: "dt=today/", why: "not named dt=YYYY-MM-DD" },
    { name: ".2010-12-03.csv", why: "hidden" },
    { name: "2010-12-01 (1).csv", why: more },
    { name: "2010-12-01.part2.csv.gz", why: more },
    { name: "2010-12-02.bin", why: ending },
    { name: "2010-12-02.parquet", why: ending },
    { name: "2010-12-04.csv", why: "not a file" },
  ]);
  expect(leftOutLines(leftOut).slice(2)).toEqual([
    `not taken: 2010-12-01 (1).csv (${more})`,
    `not taken: 2010-12-01.part2.csv.gz (${more})`,
    `not taken: 2010-12-02.bin (${ending})`,
    "not taken: 5 more",
  ]);
  expect(leftOutLines(leftOut.slice(7))).toEqual([
    String.raw`not taken: a\u001b[31m.csv (no date in its name)`,
    `not taken: ${"long".repeat(3)}lon…longlong.csv (no date in its name)`,
    "not taken: notes.txt (no date in its name)",
  ]);
});

test("hidden files of a date, and links that lead nowhere, are named too", () => {
  put("dt=2010-12-01/a.csv", "dt=2010-12-01/deep/.DS_Store");
  symlinkSync(join(folder, "nowhere"), join(folder, "dt=2010-12-01", "z.csv"));
  symlinkSync(join(folder, "dt=2010-12-01", "a.csv"), join(folder, "dt=2010-12-01", "b.csv"));
  const { files, leftOut } = find();
  expect(files.map(({ name }) => name)).toEqual(["dt=2010-12-01/a.csv", "dt=2010-12-01/b.csv"]);
  expect(leftOut).toEqual([
    { name: "dt=2010-12-01/deep/.DS_Store", why: "hidden" },
    { name: "dt=2010-12-01/z.csv", why: "not a file" },
  ]);
});

test("an input without a delivery says what lies there instead", () => {
  put("2010-12-02.bin");
  const instead = "not taken: 2010-12-02.bin (not csv, tsv, txt, json, jsonl, ndjson)";
  expect(() => find()).toThrow(`'${folder}' holds no delivery (${instead}): ${EXPECTED}`);
  const file = join(folder, "2010-12-02.bin");
  expect(() => find(file)).toThrow(
    `'${file}' is no delivery (not csv, tsv, txt, json, jsonl, ndjson): ${EXPECTED}`,
  );
});

test("one file named by its date is a delivery", () => {
  put("2010-12-01.csv", "2010-12-02.csv");
  const { dates, files } = find(join(folder, "2010-12-02.csv"), "2010-12-02");
  expect([dates, files.map(({ name }) => name)]).toEqual([["2010-12-02"], ["dt=2010-12-02/2010-12-02.csv"]]);
});

test("folders and files of dates side by side are refused with what to do", () => {
  put("dt=2010-12-01/a.csv", "2010-12-02.csv");
  expect(() => find()).toThrow(
    `--input: '${folder}' holds folders (dt=2010-12-01/) and files named by their date (2010-12-02.csv): ` +
      "use one form, e.g. move the file to dt=2010-12-02/2010-12-02.csv",
  );
});

test("a date without a delivery is refused with the dates there are", () => {
  put("dt=2010-12-01/x", "dt=2010-12-02/x");
  expect(() => find(folder, "2010-12-03")).toThrow(
    `--run-date: '${folder}' holds no delivery of toys for 2010-12-03; it holds 2010-12-01, 2010-12-02`,
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
