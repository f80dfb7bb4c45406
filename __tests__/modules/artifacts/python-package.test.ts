import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { packageMistake, packPackage } from "../../../modules/artifacts/python-package";

let folder: string;
let etl: string;
const write = (file: string, content: string): void => {
  mkdirSync(join(etl, file, ".."), { recursive: true });
  writeFileSync(join(etl, file), content);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-package-"));
  etl = join(folder, "etl");
  write("__init__.py", "");
  write("books.py", "READ = 1\n");
  write("transforms/__init__.py", "");
  write("transforms/parse.py", "def parse(): ...\n");
  write("py.typed", "");
  write("reasons.json", "[]");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the zip holds the package at its top, and its sources only", () => {
  write("__pycache__/books.cpython-311.pyc", "x");
  write("transforms/__pycache__/parse.py", "x");
  write("notes.txt", "x");
  const { name, zip } = packPackage(etl);
  expect(name).toBe("etl");
  expect(Object.keys(unzipSync(zip))).toEqual([
    "etl/__init__.py",
    "etl/books.py",
    "etl/py.typed",
    "etl/reasons.json",
    "etl/transforms/__init__.py",
    "etl/transforms/parse.py",
  ]);
  expect(Buffer.from(unzipSync(zip)["etl/books.py"]!).toString()).toBe("READ = 1\n");
});

test("the same files give the same bytes, wherever they lie and whenever they were written", () => {
  const copy = join(folder, "elsewhere", "etl");
  cpSync(etl, copy, { recursive: true });
  utimesSync(join(copy, "books.py"), new Date("2001-01-01"), new Date("2001-01-01"));
  const zip = Buffer.from(packPackage(etl).zip);
  jest.useFakeTimers({ now: new Date("2040-01-01") });
  try {
    expect(Buffer.from(packPackage(copy).zip).equals(zip)).toBe(true);
  } finally {
    jest.useRealTimers();
  }
  // The first entry's time and date as a zip writes them: midnight, 1 January 1980.
  expect([zip.readUInt16LE(10), zip.readUInt16LE(12)]).toEqual([0, 0x21]);
});

test("what running it leaves behind changes nothing", () => {
  const before = packPackage(etl);
  write("__pycache__/books.cpython-311.pyc", "x");
  expect(packPackage(etl)).toEqual(before);
});

test.each([
  ["a changed content", () => write("books.py", "READ = 2\n")],
  ["a new file", () => write("extra.py", "")],
  ["a removed file", () => rmSync(join(etl, "books.py"))],
  ["a renamed file", () => renameSync(join(etl, "books.py"), join(etl, "book.py"))],
  [
    "contents that changed places",
    () => {
      write("books.py", "def parse(): ...\n");
      write("transforms/parse.py", "READ = 1\n");
    },
  ],
])("%s changes the hash", (_what, change) => {
  const before = packPackage(etl).hash;
  change();
  expect(packPackage(etl).hash).not.toBe(before);
});

test("what is no package is told apart", () => {
  expect(packageMistake(etl)).toBeUndefined();
  expect(packageMistake("glue-scripts/etl")).toBe(
    "must be an absolute path, got 'glue-scripts/etl'; use join(__dirname, …)",
  );
  expect(packageMistake(join(folder, "none"))).toBe(
    `must be the folder of a Python package, got '${join(folder, "none")}', which does not exist or is not a folder`,
  );
  expect(packageMistake(folder)).toBe(
    `must be the folder of a Python package, got '${folder}', which has no __init__.py`,
  );
  renameSync(etl, join(folder, "my-etl"));
  expect(packageMistake(join(folder, "my-etl"))).toBe(
    "must be named so that Python can import it, got 'my-etl'",
  );
});
