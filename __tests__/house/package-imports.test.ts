import { existsSync } from "node:fs";
import { join } from "node:path";
import { Linter } from "eslint";
import packageImports from "../../package-imports";
import { ROOT } from "../support/clone";

/** Which packages a file may import stands in package-imports.js; here each rule is broken on purpose. */

const BARREL = "@cdktf/provider-aws";
const RESOURCE = "@cdktf/provider-aws/lib/s3-bucket";

const REFUSED: readonly (readonly [file: string, source: string, message: RegExp])[] = [
  ["modules/data-lake/data-lake.ts", BARREL, /Import the deep path/],
  ["environments/etl-stack.ts", BARREL, /Import the deep path/],
  ["patterns/etl-platform.ts", BARREL, /Import the deep path/],
  ["tools/docs.ts", BARREL, /Import the deep path/],
  ["__tests__/local/cli.test.ts", BARREL, /Import the deep path/],
  ["main.ts", RESOURCE, /Only modules\/, patterns\/, pipelines\/ and environments\//],
  ["index.ts", RESOURCE, /Only modules/],
  ["local/cli.ts", BARREL, /Import the deep path/],
  ["local/cli.ts", RESOURCE, /Only modules/],
  ["contracts/contract.ts", "cdktf", /This file is pure/],
  ["definition-checks/asl-checks.ts", "constructs", /This file is pure/],
  ["plan-review/review.ts", RESOURCE, /This file is pure/],
  ["modules/core/s3-location.ts", "cdktf", /This file is pure/],
  ["modules/schedules/cron-fields.ts", "cdktf", /This file is pure/],
  ["modules/glue-spark-job/job-arguments.ts", "cdktf", /This file is pure/],
  ["environments/settings.ts", "cdktf", /This file is pure/],
  ["environments/dev.ts", "constructs", /This file is pure/],
  ["pipelines/job-settings.ts", "cdktf", /This file is pure/],
];

const ALLOWED: readonly (readonly [file: string, source: string])[] = [
  ["modules/data-lake/data-lake.ts", RESOURCE],
  ["patterns/etl-platform.ts", RESOURCE],
  ["pipelines/events/pipeline.ts", RESOURCE],
  ["environments/etl-stack.ts", RESOURCE],
  ["main.ts", "cdktf"],
  ["environments/settings.ts", "zod"],
  ["definition-checks/asl-checks.ts", "asl-validator"],
];

function restrictionsOf(file: string, source: string): string[] {
  const linter = new Linter({ cwd: ROOT });
  const code = `import x from "${source}";\nx();\n`;
  return linter.verify(code, packageImports, join(ROOT, file)).map(({ message }) => message);
}

test.each(REFUSED)("%s may not import %s", (file, source, message) => {
  expect(restrictionsOf(file, source).join("\n")).toMatch(message);
});

test.each(ALLOWED)("%s may import %s", (file, source) => {
  expect(restrictionsOf(file, source)).toEqual([]);
});

test("every file that is named is there", () => {
  const named = packageImports
    .flatMap(({ files = [] }) => files.flat())
    .filter((file) => !file.includes("*"));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
