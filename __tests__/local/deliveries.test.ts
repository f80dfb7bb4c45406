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
  "toys expects folders dt=YYYY-MM-DD/ with files in them, e.g. dt=2010-12-01/toys.json, " +
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
  ["a missing folder", () => find(join(folder, "nowhere")), "does not exist"],
  [
    "a file without a date",
    () => (put("x.csv"), find(join(folder, "x.csv"))),
    "is not a delivery (no date in its name)",
  ],
  ["an empty folder", () => find(), "no delivery found in"],
  ["an impossible date", () => (put("dt=2010-02-30/x", "2010-02-30.csv"), find()), "no delivery found in"],
  [
    "a name that only starts like a date",
    () => (put("2010-12-01-b.csv", "2010-12-01"), find()),
    "no delivery found in",
  ],
  ["hidden files only", () => (put("dt=2010-12-01/.x", ".2010-12-01.csv"), find()), "no delivery found in"],
])("%s is refused with what was expected", (_, asked, message) => {
  expect(asked).toThrow(message);
  expect(asked).toThrow(EXPECTED);
});

test("files named by their date are deliveries of that date, whatever else is in the folder", () => {
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

test("the first ignored files are named with the reason, and never with their bytes", () => {
  put(...["2010-12-01.jsonl.gz", "2010-12-02.csv.zip", "2010-12-02.bin", "2010-12-02.parquet", "notes.txt"]);
  put("2010-12-01 (1).csv", "2010-12-01.part2.csv.gz");
  put(".2010-12-03.csv", "dt=today/a.csv", "a\u001b[31m.csv", `${"long".repeat(20)}.csv`);
  symlinkSync(join(folder, "nowhere"), join(folder, "2010-12-04.csv"));
  const { files, leftOut } = find();
  expect(files.map(({ name }) => name)).toEqual([
    ...["dt=2010-12-01/2010-12-01.jsonl.gz", "dt=2010-12-02/2010-12-02.csv.zip"],
  ]);
  const ending = "not csv, tsv, txt, json, jsonl, ndjson";
  const more = "name has more than date and ending; put it below dt=YYYY-MM-DD/";
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
    `ignored: 2010-12-01 (1).csv (${more})`,
    `ignored: 2010-12-01.part2.csv.gz (${more})`,
    `ignored: 2010-12-02.bin (${ending})`,
    "ignored: 5 more",
  ]);
  expect(leftOutLines(leftOut.slice(7))).toEqual([
    String.raw`ignored: a\u001b[31m.csv (no date in its name)`,
    `ignored: ${"long".repeat(3)}lon…longlong.csv (no date in its name)`,
    "ignored: notes.txt (no date in its name)",
  ]);
});

test("hidden files of a date, and broken links, are named too", () => {
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

test("an input without a delivery is refused with what was found", () => {
  put("2010-12-02.bin");
  const instead = "ignored: 2010-12-02.bin (not csv, tsv, txt, json, jsonl, ndjson)";
  expect(() => find()).toThrow(`no delivery found in '${folder}' (${instead}): ${EXPECTED}`);
  const file = join(folder, "2010-12-02.bin");
  expect(() => find(file)).toThrow(
    `'${file}' is not a delivery (not csv, tsv, txt, json, jsonl, ndjson): ${EXPECTED}`,
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

test("a date without a delivery is refused with the dates that were found", () => {
  put("dt=2010-12-01/x", "dt=2010-12-02/x");
  expect(() => find(folder, "2010-12-03")).toThrow(
    `--run-date: no delivery of toys for 2010-12-03 in '${folder}'; found 2010-12-01, 2010-12-02`,
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

const SHOPS = [
  { name: "tills", folder: "in/tills/", layout: "dt", table: "tills" },
  { name: "web", folder: "in/web-shop/", layout: "epochMillis", table: "web_shop" },
] as const;
const findShops = (input = folder, runDate?: string) =>
  findDeliveries(input, { pipeline: "shops", runDate, places: SHOPS });

test("of several sources, each has its folders; what lies beside them is for the job to judge", () => {
  put(
    ...["in/web-shop/1763596800000/a.json.gz", "in/tills/dt=2025-11-21/deep/a.csv", "README.md"],
    ...["in/tills/dt=2025-11-20/.DS_Store", "in/phone/1763596800000/x", "in/web-shop/1763596800001/x"],
    ...["elsewhere/dt=2025-11-22/x", "in/notes.txt", "in/tills/dt=2025-02-30/x"],
  );
  const { dates, files, leftOut } = findShops();
  expect(dates).toEqual(["2025-11-20", "2025-11-21"]);
  expect(files.map(({ name }) => name)).toEqual([
    ...["in/notes.txt", "in/phone/1763596800000/x", "in/tills/dt=2025-02-30/x"],
    ...["in/tills/dt=2025-11-21/deep/a.csv", "in/web-shop/1763596800000/a.json.gz"],
    "in/web-shop/1763596800001/x",
  ]);
  expect(leftOutLines(leftOut)).toEqual([
    "ignored: in/tills/dt=202…20/.DS_Store (hidden)",
    "ignored: README.md (of no source)",
    "ignored: elsewhere/ (of no source)",
  ]);
});

test("sources that lie at the top of the input", () => {
  put("tills/dt=2025-11-20/a.csv", "other/x");
  const places = [{ name: "tills", folder: "tills/", layout: "dt", table: "tills" }] as const;
  const { dates, files } = findDeliveries(folder, { pipeline: "shops", places });
  expect([dates, files.map(({ name }) => name)]).toEqual([
    ["2025-11-20"],
    ["other/x", "tills/dt=2025-11-20/a.csv"],
  ]);
});

test("an input without a delivery of any source is refused with what is expected", () => {
  put("in/web-shop/1763596800001/x");
  const expected =
    "shops expects folders like in/tills/dt=2025-11-21/ and in/web-shop/1763683200000/ with files in them, " +
    "where the number is the milliseconds of a UTC midnight";
  expect(() => findShops()).toThrow(`--input: no delivery found in '${folder}': ${expected}`);
  const file = join(folder, "in/web-shop/1763596800001/x");
  expect(() => findShops(file)).toThrow(`--input: '${file}' is not a folder: ${expected}`);
  put("in/web-shop/1763596800000/x");
  expect(() => findShops(folder, "2025-11-21")).toThrow(
    `--run-date: no delivery of shops for 2025-11-21 in '${folder}'; found 2025-11-20`,
  );
});
