import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "../support/clone";

/** Warnings of constructs are shown by every command that synthesises. */

const folder = mkdtempSync(join(tmpdir(), "etl-warnings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WARNING =
  "pipelines/events/events.schema.json: 'x-etl.timestamp.timeZone' is missing, so UTC is assumed";

test("a warning of two stacks is shown once, in yellow, within 80 columns, and a note as it is", () => {
  const app = join(folder, "app.ts");
  writeFileSync(
    app,
    `const { Annotations, App, TerraformStack } = require(${JSON.stringify(join(ROOT, "node_modules", "cdktf"))});
    const app = new App();
    for (const name of ["one", "two", "three"]) {
      const annotations = Annotations.of(new TerraformStack(app, name));
      annotations.addInfo("only a note");
      if (name !== "three") annotations.addWarning(${JSON.stringify(WARNING)});
    }
    app.synth();`,
  );
  const options = { app: relative(ROOT, app), outdir: join(folder, "out"), typeCheck: false };
  const script = join(folder, "synthesise.ts");
  writeFileSync(
    script,
    `const { synthesise } = require(${JSON.stringify(join(ROOT, "local", "synth"))});
    synthesise({}, ${JSON.stringify(options)}).then((stacks: string[]) => console.log(String(stacks.length)));`,
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [require.resolve("ts-node/dist/bin.js"), "--swc", "--project", join(ROOT, "tsconfig.json"), script],
    { cwd: ROOT, encoding: "utf8", env: { PATH: process.env.PATH, FORCE_COLOR: "1" } },
  );
  expect(stdout).toBe("3\n");
  const yellow = (text: string) => `\u001b[33m${text}\u001b[39m\n`;
  expect(stderr).toBe(
    yellow("warning: pipelines/events/events.schema.json: 'x-etl.timestamp.timeZone' is") +
      yellow("  missing, so UTC is assumed") +
      "only a note\n",
  );
}, 60_000);
