import { join } from "node:path";
import { Linter } from "eslint";
import directions from "../../import-directions";

/**
 * The directions of imports live in import-directions.js; here each is broken on purpose, so that a rule that stopped
 * matching fails a test instead of letting everything through.
 */

const root = join(__dirname, "..", "..");

const REFUSED: readonly (readonly [file: string, source: string, message: RegExp])[] = [
  ["modules/data-lake/data-lake.ts", "@cdktf/provider-aws", /deep path/],
  ["environments/etl-stack.ts", "@cdktf/provider-aws", /deep path/],
  ["local/cli.ts", "@cdktf/provider-aws", /deep path/],
  ["main.ts", "@cdktf/provider-aws/lib/provider", /Only modules\/ and environments\//],
  ["main.ts", "./modules", /main imports environments only/],
  ["main.ts", "./local/cli", /Nothing knows the bench/],
  ["environments/etl-stack.ts", "../modules/data-lake/data-lake", /public surface/],
  ["environments/pipelines/events.ts", "../../modules/glue-crawler", /public surface/],
  ["environments/settings.ts", "cdktf", /pure/],
  ["environments/settings.ts", "../modules/index", /Settings are pure/],
  ["modules/core/s3-location.ts", "cdktf", /pure/],
  ["modules/core/s3-location.ts", "../iam/service-role", /core imports nothing/],
  ["modules/iam/service-role.ts", "../data-lake/data-lake", /iam imports core only/],
  ["modules/encryption/encryption-key.ts", "../data-lake/data-lake", /encryption imports core and iam only/],
  ["modules/glue-crawler/glue-crawler.ts", "../data-lake/data-lake", /Sibling constructs/],
  ["modules/glue-crawler/glue-crawler.ts", "../../environments/index", /never imports environments/],
  ["modules/etl-orchestrator/asl-checks.ts", "constructs", /pure/],
  ["modules/glue-spark-job/job-arguments.ts", "cdktf", /pure/],
  ["plan-review/review.ts", "cdktf", /pure/],
  ["plan-review/review.ts", "@cdktf/provider-aws/lib/s3-bucket", /Only modules/],
  ["plan-review/review.ts", "../environments/index", /environments/],
  ["plan-review/review.ts", "../modules/iam/service-role", /modules\/core only/],
  ["plan-review/review.ts", "../local/plan", /Nothing knows the bench/],
];

const ALLOWED: readonly (readonly [file: string, source: string])[] = [
  ["main.ts", "./environments"],
  ["environments/settings.ts", "../modules/core/log-retention"],
  ["environments/etl-stack.ts", "../modules/index"],
  ["environments/etl-stack.ts", "@cdktf/provider-aws/lib/provider"],
  ["modules/data-lake/data-lake.ts", "@cdktf/provider-aws/lib/s3-bucket"],
  ["modules/data-lake/data-lake.ts", "../encryption/encryption-key"],
  ["modules/glue-crawler/glue-crawler.ts", "../iam/service-role"],
  ["plan-review/money.ts", "../modules/core/runs-per-month"],
];

function restrictionsOf(file: string, source: string): string[] {
  const linter = new Linter({ cwd: root });
  const code = `import x from "${source}";\nx();\n`;
  return linter.verify(code, directions, join(root, file)).map(({ message }) => message);
}

test.each(REFUSED)("%s may not import %s", (file, source, message) => {
  expect(restrictionsOf(file, source).join("\n")).toMatch(message);
});

test.each(ALLOWED)("%s may import %s", (file, source) => {
  expect(restrictionsOf(file, source)).toEqual([]);
});
