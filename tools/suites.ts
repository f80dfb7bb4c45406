import { readFileSync } from "node:fs";
import { join } from "node:path";
import { XMLParser } from "fast-xml-parser";

/** The suites of `npm test`, and how two takers share them. */

export const root = join(__dirname, "..");
export const reports = join(root, ".local", "test");
const python = join(root, ".setup", "venv", "bin", "python");
const spark4Python = join(root, ".setup", "venv-spark4", "bin", "python");

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

export interface Suite {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Reads the runner's report. A suite without one counts as one check, by its exit code. */
  readonly count?: () => Count;
  /** About how long it takes on a quiet machine with two cores, minutes. Two takers begin with the longest. */
  readonly minutes: number;
  /** Runs only when it is named, because CI limits the time of a run. */
  readonly ifNamed?: boolean;
  /** The suite's name in the table of faults, if it covers faults. */
  readonly faults?: string;
}

const npx = (...args: string[]): [string, ...string[]] => ["npx", "--no-install", ...args];

function jest(
  project: string,
  { workers, ...options }: Pick<Suite, "faults" | "ifNamed" | "minutes"> & { workers: number },
): Suite {
  const report = join(reports, `jest-${project.replaceAll(" ", "-")}.json`);
  return {
    ...options,
    name: `jest ${project}`,
    command: npx(
      ...["jest", "--selectProjects", ...project.split(" "), `--maxWorkers=${workers}`],
      ...["--json", `--outputFile=${report}`],
    ),
    count: () => {
      const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } =
        JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
      return {
        passed: numPassedTests ?? 0,
        failed:
          (numFailedTests ?? 0) +
          (numPendingTests ?? 0) +
          (numTodoTests ?? 0) +
          (numRuntimeErrorTestSuites ?? 0),
      };
    },
  };
}

function pytest(
  folder: string,
  {
    interpreter = python,
    suffix = "",
    args = [],
    ...options
  }: Pick<Suite, "faults" | "ifNamed" | "minutes"> & {
    interpreter?: string;
    suffix?: string;
    args?: readonly string[];
  },
): Suite {
  const name = `pytest ${folder}${suffix}`;
  const report = join(reports, `${name.replaceAll(/\W+/g, "-")}.xml`);
  return {
    ...options,
    name,
    command: [interpreter, "-m", "pytest", folder, "-q", ...args, `--junitxml=${report}`],
    count: () => {
      const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" });
      const { testsuites } = parser.parse(readFileSync(report, "utf8")) as {
        testsuites: { testsuite: Record<string, string> };
      };
      const number = (name: string) => Number(testsuites.testsuite[name] ?? "0");
      const failed = number("failures") + number("errors") + number("skipped");
      return { passed: number("tests") - failed, failed };
    },
  };
}

const check = (name: string, ...command: [string, ...string[]]): Suite => ({ name, command, minutes: 0.5 });
const pythonModule = (...args: string[]): [string, ...string[]] => [python, "-m", ...args];

/** Marks of pytest are in pyproject.toml, its halves in glue-scripts/tests/halves.py. */
export const SUITES: readonly Suite[] = [
  check("format: ruff", ...pythonModule("ruff", "format", "--check", ".")),
  check("lint: ruff", ...pythonModule("ruff", "check", ".")),
  check("format: prettier", ...npx("prettier", "--check", ".")),
  check("types: tsc", ...npx("tsc", "--noEmit")),
  check("lint: eslint", ...npx("eslint", ".")),
  check("types: mypy glue-scripts", ...pythonModule("mypy", "glue-scripts")),
  check("types: mypy embedded-aws", ...pythonModule("mypy", "embedded-aws")),
  jest("unit", { faults: "interpreter", minutes: 27, workers: 1 }),
  // Deployments mostly wait for S3: three files at a time.
  jest("bench deployed", { faults: "bench", minutes: 22, workers: 3 }),
  pytest("glue-scripts/tests", {
    suffix: " (first half)",
    args: ["-m", "not long", "--half", "first"],
    faults: "pytest",
    minutes: 15,
  }),
  pytest("glue-scripts/tests", {
    suffix: " (second half)",
    args: ["-m", "not long", "--half", "second"],
    minutes: 15,
  }),
  pytest("glue-scripts/tests", {
    interpreter: spark4Python,
    suffix: " (spark 4)",
    args: ["-m", "not once and not long"],
    minutes: 10,
  }),
  pytest("embedded-aws/tests", { minutes: 7 }),
  pytest("glue-scripts/tests", { suffix: " kills", args: ["-m", "long"], ifNamed: true, minutes: 20 }),
  jest("platform", { ifNamed: true, minutes: 40, workers: 2 }),
];

/** @returns the suites that have one of the names, or those that run unless named; the longest first */
export function selectedSuites(filters: readonly string[]): Suite[] {
  const selected = SUITES.filter(({ name, ifNamed }) =>
    filters.length === 0 ? ifNamed !== true : filters.some((filter) => name.includes(filter)),
  );
  return selected.sort((one, other) => other.minutes - one.minutes);
}

/** Takers work on a queue from its start, each on one thing at a time. @throws what `work` throws */
export async function share<T>(
  queue: readonly T[],
  takers: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const left = [...queue];
  const take = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: takers }, take));
}
