import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { ROOT } from "../support/clone";

/**
 * The directions of imports stand in import-directions.js. Here each is broken on purpose, so that a rule that stopped
 * matching fails a test instead of letting everything through.
 */

const CONSTRUCT = "modules/glue-crawler/glue-crawler.ts";
const SIBLING = "modules/data-lake/data-lake.ts";

const REFUSED: readonly (readonly [file: string, imported: string, rule: string])[] = [
  ["main.ts", "index.ts", "main"],
  ["main.ts", "pipelines/events/pipeline.ts", "main"],
  ["main.ts", "local/cli.ts", "main"],
  ["state.ts", CONSTRUCT, "main"],
  ["environments/etl-stack.ts", SIBLING, "environments"],
  ["environments/etl-stack.ts", "plan-review/review.ts", "environments"],
  ["environments/dev.ts", "index.ts", "settings"],
  ["environments/settings.ts", "index.ts", "settings"],
  ["environments/alert-settings.ts", "patterns/etl-platform.ts", "settings"],
  ["pipelines/settings.ts", "index.ts", "settings"],
  ["pipelines/events/pipeline.ts", "environments/settings.ts", "pipelines"],
  ["pipelines/events/pipeline.ts", CONSTRUCT, "pipelines"],
  ["pipelines/index.ts", "environments/registry.ts", "pipelines"],
  ["pipelines/index.ts", "local/cli.ts", "pipelines"],
  ["patterns/contract-pipeline/contract-pipeline.ts", "pipelines/index.ts", "patterns"],
  ["patterns/contract-pipeline/contract-pipeline.ts", "environments/settings.ts", "patterns"],
  ["patterns/contract-pipeline/contract-pipeline.ts", "index.ts", "patterns"],
  ["patterns/etl-platform.ts", "tools/docs.ts", "patterns"],
  ["index.ts", "environments/index.ts", "index.ts"],
  ["index.ts", "pipelines/index.ts", "index.ts"],
  ["index.ts", "plan-review/review.ts", "index.ts"],
  [CONSTRUCT, SIBLING, "constructs"],
  [CONSTRUCT, "patterns/etl-platform.ts", "constructs"],
  [CONSTRUCT, "environments/index.ts", "constructs"],
  [CONSTRUCT, "index.ts", "constructs"],
  [CONSTRUCT, "local/cli.ts", "constructs"],
  ["modules/artifacts/artifact-file.ts", "modules/iam/service-role.ts", "artifacts"],
  ["modules/encryption/encryption-key.ts", SIBLING, "encryption"],
  ["modules/encryption/encryption-key.ts", "modules/artifacts/artifact-file.ts", "encryption"],
  ["modules/iam/service-role.ts", SIBLING, "iam"],
  ["modules/iam/service-role.ts", "modules/encryption/encryption-key.ts", "iam"],
  ["modules/core/s3-location.ts", "modules/iam/service-role.ts", "core"],
  ["modules/core/s3-location.ts", "modules/schedules/cron-fields.ts", "core"],
  ["modules/core/s3-location.ts", "contracts/contract.ts", "core"],
  ["modules/schedules/cron-fields.ts", "contracts/contract.ts", "schedules"],
  ["contracts/contract.ts", SIBLING, "contracts"],
  ["contracts/contract.ts", "definition-checks/asl.ts", "contracts"],
  ["definition-checks/asl.ts", CONSTRUCT, "definition-checks"],
  ["definition-checks/asl.ts", "contracts/contract.ts", "definition-checks"],
  ["plan-review/review.ts", "environments/index.ts", "plan-review"],
  ["plan-review/review.ts", "modules/iam/service-role.ts", "plan-review"],
  ["plan-review/review.ts", "local/plan.ts", "plan-review"],
  ["local/cli.ts", CONSTRUCT, "local"],
  ["local/cli.ts", "patterns/etl-platform.ts", "local"],
  ["local/cli.ts", "tools/docs.ts", "local"],
  ["new-room/file.ts", "contracts/contract.ts", "no room"],
  ["modules/stray.ts", "contracts/contract.ts", "no room"],
  ["contracts/lost.ts", "modules/core/missing.ts", "not found"],
];

const ALLOWED: readonly (readonly [file: string, imported: string])[] = [
  ["main.ts", "environments/index.ts"],
  ["environments/etl-stack.ts", "index.ts"],
  ["environments/etl-stack.ts", "patterns/etl-platform.ts"],
  ["environments/settings.ts", "pipelines/index.ts"],
  ["pipelines/events/pipeline.ts", "patterns/contract-pipeline/contract-pipeline.ts"],
  ["patterns/etl-platform.ts", CONSTRUCT],
  ["patterns/etl-platform.ts", "definition-checks/asl.ts"],
  [CONSTRUCT, "modules/glue-crawler/crawler-configuration.ts"],
  [CONSTRUCT, "modules/iam/service-role.ts"],
  [CONSTRUCT, "contracts/contract.ts"],
  ["modules/encryption/encryption-key.ts", "modules/iam/service-role.ts"],
  ["plan-review/review.ts", "modules/schedules/cron-fields.ts"],
  ["local/cli.ts", "environments/index.ts"],
  ["tools/docs.ts", CONSTRUCT],
  ["__tests__/support/clone.ts", "local/cli.ts"],
];

/** Every way to import that there is; each would otherwise be a way round the rules. */
const WAYS: readonly (readonly [file: string, source: (path: string) => string])[] = [
  ["modules/core/value.ts", (path) => `import { x } from "${path}"; x();`],
  ["modules/core/type-only.ts", (path) => `import type { X } from "${path}"; let x: X;`],
  ["modules/core/inline-type.ts", (path) => `import { type X } from "${path}"; let x: X;`],
  ["modules/core/type-query.ts", (path) => `let x: import("${path}").X;`],
  ["modules/core/re-export.ts", (path) => `export * from "${path}";`],
  ["modules/core/later.ts", (path) => `void import("${path}");`],
  ["modules/core/required.ts", (path) => `const x = require("${path}");`],
  ["modules/core/import-equals.ts", (path) => `import x = require("${path}"); x();`],
];

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
    readonly ruleSetUsed: {
      readonly forbidden: readonly { readonly name: string; readonly comment: string }[];
    };
  };
}

interface Judged {
  readonly files: readonly string[];
  /** Each violation as `<file> imports <file>: <rule>`. */
  readonly violations: readonly string[];
  readonly messages: Readonly<Record<string, string>>;
}

function judge(folder: string): Judged {
  const cruiser = join(ROOT, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const rules = join(ROOT, "import-directions.js");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [cruiser, "--config", rules, "--output-type", "json", "."],
    { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 },
  );
  if (stdout === "") throw new Error(`dependency-cruiser found nothing in ${folder}: ${stderr}`);
  const { modules, summary } = JSON.parse(stdout) as Cruise;
  return {
    files: modules.map(({ source }) => source),
    violations: summary.violations.map(
      ({ from, to, rule, cycle }) =>
        `${from} imports ${cycle?.map(({ name }) => name).join(", ") ?? to}: ${rule.name}`,
    ),
    messages: Object.fromEntries(summary.ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment])),
  };
}

function specifier(file: string, imported: string): string {
  const path = relative(dirname(file), imported).replace(/\.ts$/, "");
  return path.startsWith(".") ? path : `./${path}`;
}

function writeTree(folder: string): void {
  const lines = new Map<string, string[]>();
  const add = (file: string, line: string) => lines.set(file, [...(lines.get(file) ?? []), line]);
  const pairs = [...REFUSED.map(([file, imported]) => [file, imported] as const), ...ALLOWED];
  for (const [file, imported] of pairs) {
    add(file, `import "${specifier(file, imported)}";`);
    if (!imported.endsWith("/missing.ts")) add(imported, "export {};");
  }
  for (const [file, source] of WAYS) add(file, source(specifier(file, SIBLING)));
  for (const [file, written] of lines) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), written.join("\n"));
  }
  const circle = join(folder, "contracts");
  writeFileSync(join(circle, "a.ts"), 'import type { B } from "./b"; export interface A { b: B }');
  writeFileSync(join(circle, "b.ts"), 'import type { A } from "./a"; export interface B { a: A }');
}

describe("a tree with every direction broken", () => {
  let judged: Judged;
  beforeAll(() => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "directions-")));
    writeTree(folder);
    judged = judge(folder);
    rmSync(folder, { recursive: true });
  });

  test.each(REFUSED)("%s may not import %s", (file, imported, rule) => {
    const target = rule === "not found" ? specifier(file, imported) : imported;
    expect(judged.violations).toContain(`${file} imports ${target}: ${rule}`);
  });

  test.each(ALLOWED)("%s may import %s", (file, imported) => {
    const directions = judged.violations.filter((violation) => !violation.endsWith(": circle"));
    expect(directions.filter((violation) => violation.startsWith(`${file} imports ${imported}:`))).toEqual(
      [],
    );
    expect(judged.files).toContain(imported);
  });

  test.each(WAYS)("%s is noticed", (file) => {
    expect(judged.violations).toContain(`${file} imports ${SIBLING}: core`);
  });

  test("a circle of files is noticed, though only types go round", () => {
    expect(judged.violations.filter((violation) => violation.startsWith("contracts/a.ts"))).toEqual([
      "contracts/a.ts imports contracts/b.ts, contracts/a.ts: circle",
    ]);
  });

  test("a message says what is allowed and what to do", () => {
    expect(judged.messages).toMatchObject({
      constructs:
        "constructs may import iam, encryption, artifacts, core, schedules, contracts, definition-checks of the other rooms. " +
        "Sibling constructs meet in patterns/, by IGrantable, metrics, names and ARNs.",
      core:
        "core may import nothing of the other rooms. " +
        "Move what both need to a room that both may import, or pass it as a value.",
      circle: "The files import each other in a circle. Move what both need to a file that both import.",
    });
    const broken = new Set(judged.violations.map((violation) => violation.split(": ").at(-1)));
    expect([...broken].sort()).toEqual(Object.keys(judged.messages).sort());
  });
});

test("the project has no import against the directions, and no circle", () => {
  const { files, violations } = judge(ROOT);
  expect(violations).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(["main.ts", "index.ts", "modules/iam/service-role.ts"]));
});
