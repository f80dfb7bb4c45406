import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cloneWorkingTree, ROOT } from "../support/clone";

/** Set-up reports all missing tools at once, before it installs anything. */

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "etl-path-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that only prints its version. */
function stub(name: string, version: string): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho '${version}'\n`);
  chmodSync(file, 0o755);
}

function setUp(needs: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, "tools", "setup.mjs"), "--needs", needs],
    {
      encoding: "utf8",
      // The shell that runs the stubs is found by its own path.
      env: { PATH: folder, HOME: folder },
    },
  );
  return { status, stdout, stderr: stderr.trim().split("\n") };
}

test("all missing tools are reported at once, each with its remedy", () => {
  expect(setUp("python,java,terraform")).toEqual({
    status: 1,
    stdout: "",
    stderr: [
      "Python 3.11 (that of Glue 5.1) is needed, found none: install it, or set PYTHON to it",
      "Java 17 is needed by Spark, found none: install it, and set JAVA_HOME to it",
      "Terraform is needed, found none: install Terraform 1.11 or later and put it on the PATH",
    ],
  });
});

test("the second Spark needs no Terraform", () => {
  expect(setUp("python,java,spark4").stderr.map((line) => line.split(" is needed")[0])).toEqual([
    "Python 3.11 (that of Glue 5.1)",
    "Java 17",
  ]);
});

test("wrong versions are named", () => {
  stub("python3", "Python 3.12.1");
  stub("java", 'openjdk version "11.0.2" 2019-01-15');
  stub("terraform", "Terraform v1.9.8");
  expect(setUp("python,java,terraform").stderr).toEqual([
    "Python 3.11 (that of Glue 5.1) is needed, found 3.12.1: install it, or set PYTHON to it",
    "Java 17 is needed by Spark, found 11: install it, and set JAVA_HOME to it",
    "Terraform 1.11 or later is needed, found 1.9.8: install Terraform 1.11 or later and put it on the PATH",
  ]);
});

test("an unknown need lists the known ones", () => {
  expect(setUp("python,rust")).toEqual({
    status: 1,
    stdout: "",
    stderr: [
      "unknown need 'rust'; known needs: python, java, terraform, spark4, checks, notebook, jdbc, postgres",
      "node tools/setup.mjs [--needs WORDS] [--with=OPTION:WORDS] [--without=OPTION:WORDS] [PROGRAM [ARGUMENTS]]",
    ],
  });
});

/** Missing tools for a program with an option; the program never runs. */
function missingFor(...argv: string[]): string[] {
  const { stderr } = spawnSync(process.execPath, [join(ROOT, "tools", "setup.mjs"), ...argv], {
    encoding: "utf8",
    env: { PATH: folder, HOME: folder },
  });
  return stderr
    .trim()
    .split("\n")
    .map((line) => line.split(" is needed")[0]!);
}

test("an option of the program adds or removes a need", () => {
  const bootstrap = ["--needs=terraform", "--with=--embedded:python,java", "local/bootstrap.ts"];
  expect(missingFor(...bootstrap)).toEqual(["Terraform"]);
  expect(missingFor(...bootstrap, "--embedded")).toEqual([
    "Python 3.11 (that of Glue 5.1)",
    "Java 17",
    "Terraform",
  ]);
  const plan = [
    "--needs",
    "python,terraform",
    "--without=--live:python",
    "local/plan.ts",
    "--environment",
    "dev",
  ];
  expect(missingFor(...plan)).toEqual(["Python 3.11 (that of Glue 5.1)", "Terraform"]);
  expect(missingFor(...plan, "--live")).toEqual(["Terraform"]);
});

test.each([
  [
    "no network",
    "npm error code ECONNREFUSED",
    /^the package registry cannot be reached: check the network or the registry settings and try again \(the output of npm is in \S+failed\.log\)$/,
  ],
  [
    "no disk",
    "npm error nospc ENOSPC: no space left on device, write",
    /^the disk is full: free some space and try again$/,
  ],
])("%s is one sentence", (_, words, sentence) => {
  const clone = cloneWorkingTree("unset");
  try {
    rmSync(join(clone, "node_modules"));
    rmSync(join(clone, ".setup"));
    writeFileSync(join(folder, "npm"), `#!/bin/sh\necho "${words}" >&2\nexit 1\n`);
    chmodSync(join(folder, "npm"), 0o755);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(clone, "tools", "setup.mjs"), "local/synth.ts"],
      {
        encoding: "utf8",
        env: { PATH: folder, HOME: folder },
      },
    );
    // Standard output is the program's: its reader must not find progress in it.
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    const [progress, ...mistake] = stderr.trim().split("\n");
    expect(progress).toBe("installing node modules …");
    expect(mistake.join("\n")).toMatch(sentence);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
});
