import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { XMLParser } from "fast-xml-parser";
import pc from "picocolors";
import { execa } from "execa";
import { faultReport } from "./fault-report";

/**
 * `npm test`: everything that CI runs, fastest first, with the bench's tests in parallel; then the table of faults. A suite's output
 * is shown when it fails. The last line is the total of all runners. A skipped test counts as failed.
 */

const root = join(__dirname, "..");
const reports = join(root, ".local", "test");
const python = join(root, ".setup", "venv", "bin", "python");
const spark4Python = join(root, ".setup", "venv-spark4", "bin", "python");

const FAULT_TABLE = join(root, "__tests__", "faults", "fault-table.json");

interface Count {
  readonly passed: number;
  readonly failed: number;
}

interface Suite {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Reads the runner's report. A suite without one counts as one check, by its exit code. */
  readonly count?: () => Count;
  /** Runs in parallel with the others, because it mostly waits. */
  readonly beside?: boolean;
  /** Runs only when it is named, because CI limits the time of a run. */
  readonly ifNamed?: boolean;
  /** The suite's name in the table of faults, if it covers faults. */
  readonly faults?: string;
}

const npx = (...args: string[]): [string, ...string[]] => ["npx", "--no-install", ...args];

function jest(
  project: string,
  { workers, ...options }: Pick<Suite, "beside" | "faults" | "ifNamed"> & { workers: number },
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
    faults,
  }: { interpreter?: string; suffix?: string; args?: readonly string[]; faults?: string } = {},
): Suite {
  const name = `pytest ${folder}${suffix}`;
  const report = join(reports, `${name.replaceAll(/\W+/g, "-")}.xml`);
  return {
    name,
    faults,
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

const SUITES: readonly Suite[] = [
  { name: "format: ruff", command: [python, "-m", "ruff", "format", "--check", "."] },
  { name: "lint: ruff", command: [python, "-m", "ruff", "check", "."] },
  { name: "format: prettier", command: npx("prettier", "--check", ".") },
  { name: "types: tsc", command: npx("tsc", "--noEmit") },
  { name: "lint: eslint", command: npx("eslint", ".") },
  { name: "types: mypy glue-scripts", command: [python, "-m", "mypy", "glue-scripts"] },
  { name: "types: mypy embedded-aws", command: [python, "-m", "mypy", "embedded-aws"] },
  jest("unit", { faults: "interpreter", workers: 1 }),
  pytest("glue-scripts/tests", { faults: "pytest", args: ["-m", "not long"] }),
  { ...pytest("glue-scripts/tests", { suffix: " kills", args: ["-m", "long"] }), ifNamed: true },
  // Deployments mostly wait for S3: three files at a time.
  jest("bench deployed", { beside: true, faults: "bench", workers: 3 }),
  { ...pytest("embedded-aws/tests"), beside: true },
  {
    ...pytest("glue-scripts/tests", {
      interpreter: spark4Python,
      suffix: " (spark 4)",
      args: ["-m", "not once"],
    }),
    beside: true,
  },
  jest("platform", { beside: true, ifNamed: true, workers: 2 }),
];

/** Proofs that tests wrote for people: the deaths, and the table of rights. */
function proofs(): string[] {
  const folder = join(reports, "proofs");
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

async function run(suite: Suite): Promise<Count> {
  const started = Date.now();
  process.stdout.write(`${suite.name} …\n`);
  const [file, ...args] = suite.command;
  const result = await execa(file, args, { cwd: root, all: true, reject: false, stdin: "ignore" });
  const ok = result.exitCode === 0;
  const count = counted(suite, ok);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const verdict = count.failed === 0 ? pc.green("ok") : pc.red("FAILED");
  process.stdout.write(
    `${suite.name}: ${verdict}, ${count.passed} passed, ${count.failed} failed, ${seconds} s\n`,
  );
  if (count.failed > 0) process.stdout.write(`${result.all}\n`);
  return count;
}

/** A runner that failed without a failed test (it crashed, or found no test) counts as one failure. */
function counted(suite: Suite, ok: boolean): Count {
  if (suite.count === undefined) return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  try {
    const count = suite.count();
    const silent = !ok && count.failed === 0;
    return silent || count.passed + count.failed === 0 ? { ...count, failed: count.failed + 1 } : count;
  } catch {
    return { passed: 0, failed: 1 };
  }
}

async function main(filters: readonly string[]): Promise<void> {
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const selected = SUITES.filter(({ name, ifNamed }) =>
    filters.length === 0 ? ifNamed !== true : filters.some((filter) => name.includes(filter)),
  );
  if (selected.length === 0) {
    console.error(
      `no suite matches '${filters.join(" ")}'; suites are: ${SUITES.map((s) => s.name).join(", ")}`,
    );
    process.exitCode = 2;
    return;
  }
  const total = { passed: 0, failed: 0 };
  const lane = async (suites: readonly Suite[]): Promise<void> => {
    for (const suite of suites) {
      const { passed, failed } = await run(suite);
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all([
    lane(selected.filter(({ beside }) => beside !== true)),
    lane(selected.filter(({ beside }) => beside === true)),
  ]);
  const runners = selected.flatMap(({ faults }) => faults ?? []);
  for (const proof of proofs()) console.log(readFileSync(proof, "utf8"));
  if (runners.length > 0) {
    const { text, unseen } = faultReport(FAULT_TABLE, join(reports, "faults"), runners);
    console.log(text);
    total.failed += unseen;
  }
  for (const { name } of SUITES.filter(({ ifNamed }) => ifNamed === true))
    if (!selected.some((suite) => suite.name === name))
      console.log(`not run unless named: ${name} (npm test -- ${name.split(" ").at(-1)})`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

void main(process.argv.slice(2));
