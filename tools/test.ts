import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { execa } from "execa";
import { faultReport } from "./fault-report";
import { type Count, reports, root, selectedSuites, share, type Suite, SUITES } from "./suites";

/**
 * `npm test`: everything that CI runs, two suites at a time and the longest first; then the table of faults. A suite's output is shown
 * when it fails. The last line is the total of all runners. A skipped test counts as failed.
 */

const FAULT_TABLE = join(root, "__tests__", "faults", "fault-table.json");
const TAKERS = 2;

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
  const selected = selectedSuites(filters);
  if (selected.length === 0) {
    console.error(
      `no suite matches '${filters.join(" ")}'; suites are: ${SUITES.map((s) => s.name).join(", ")}`,
    );
    process.exitCode = 2;
    return;
  }
  const total = { passed: 0, failed: 0 };
  await share(selected, TAKERS, async (suite) => {
    const { passed, failed } = await run(suite);
    total.passed += passed;
    total.failed += failed;
  });
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
