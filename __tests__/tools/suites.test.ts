import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root, selectedSuites, share, SUITES } from "../../tools/suites";

/** The suites of `npm test`: nothing falls between two of them. */

const commandsOf = (folder: string) =>
  SUITES.map(({ command }) => command.filter((part) => !part.startsWith("--junitxml=")).join(" ")).filter(
    (command) => command.includes(` pytest ${folder} `),
  );

test("unless named, everything runs but the platform's tests and the kills; the longest begin", () => {
  const names = selectedSuites([]).map(({ name }) => name);
  expect(names.slice(0, 2)).toEqual(["jest unit", "jest bench deployed"]);
  const left = SUITES.map(({ name }) => name).filter((name) => !names.includes(name));
  expect(left.sort()).toEqual(["jest platform", "pytest glue-scripts/tests kills"]);
  expect(new Set(SUITES.map(({ name }) => name)).size).toBe(SUITES.length);
});

test("a part of a name selects", () => {
  const selected = (...filters: string[]) => selectedSuites(filters).map(({ name }) => name);
  expect(selected("platform")).toEqual(["jest platform"]);
  expect(selected("kills")).toEqual(["pytest glue-scripts/tests kills"]);
  expect(selected("half")).toEqual([
    "pytest glue-scripts/tests (first half)",
    "pytest glue-scripts/tests (second half)",
  ]);
  expect(selected("format", "lint", "types")).toHaveLength(7);
  expect(selected("nothing")).toEqual([]);
});

test("the two halves and the kills are all tests of the jobs", () => {
  const ofFirstSpark = commandsOf("glue-scripts/tests")
    .filter((command) => !command.includes("spark4"))
    .map((command) => command.replace(/^.* glue-scripts\/tests -q /, ""));
  expect(ofFirstSpark).toEqual(["-m not long --half first", "-m not long --half second", "-m long"]);
});

test("every project of jest is run", () => {
  const { projects } = jest.requireActual<{ projects: readonly { displayName: string }[] }>(
    "../../jest.config.js",
  );
  const run = SUITES.filter(({ name }) => name.startsWith("jest ")).flatMap(({ name }) =>
    name.split(" ").slice(1),
  );
  expect(run.sort()).toEqual(projects.map(({ displayName }) => displayName).sort());
});

test("each takes the next when it is free, and everything is worked on once", async () => {
  const done: string[] = [];
  const clock = { long: 40, short: 5, middle: 10, last: 1 };
  await share(Object.keys(clock) as (keyof typeof clock)[], 2, async (one) => {
    await new Promise((resolve) => setTimeout(resolve, clock[one]));
    done.push(one);
  });
  expect(done).toEqual(["short", "middle", "last", "long"]);
});

test("a failure to work is not lost", async () => {
  const fails = share(["one"], 2, () => Promise.reject(new Error("broken")));
  await expect(fails).rejects.toThrow("broken");
});

test("both folders of Python's tests have suites", () => {
  const folders = readdirSync(root).filter((name) => existsSync(join(root, name, "tests")));
  expect(folders.sort()).toEqual(["embedded-aws", "glue-scripts"]);
  for (const folder of folders) expect(commandsOf(`${folder}/tests`)).not.toEqual([]);
});
