import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import validate from "asl-validator";
import { asDefinition, CHECKS, checkDefinition, formatFinding } from "../../definition-checks/asl-checks";
import { lintDefinition } from "../../definition-checks/definition-lint";
import { MISTAKES } from "./seed-mistakes";

const root = join(__dirname, "..", "..");
const checksOf = (states: object, input?: Record<string, string | number>) =>
  checkDefinition(
    asDefinition(
      JSON.parse(JSON.stringify({ StartAt: Object.keys(states)[0], TimeoutSeconds: 86_400, States: states })),
    ),
    { input },
  );

describe("each mistake of the documents is found, and no longer found once it is fixed", () => {
  test.each(MISTAKES.map((one) => [`${one.fact}: ${one.mistake}`, one] as const))(
    "%s",
    (_name, { check, state, says, wrong, right, input }) => {
      const found = checksOf(wrong, input);
      expect(found.map((finding) => [finding.check, finding.state, formatFinding(finding)])).toEqual([
        [check, state, expect.stringMatching(says) as string],
      ]);
      expect(checksOf(right, input).map(formatFinding)).toEqual([]);
    },
  );
});

test("a machine without a time-out may poll for a year (A1, A5)", () => {
  const endless = asDefinition({ StartAt: "Done", States: { Done: { Type: "Succeed" } } });
  expect(checkDefinition(endless).map(({ check }) => check)).toEqual(["machine-timeout"]);
});

/** Mistakes that a definition does not show, with the test that refuses or prevents each. */
const ELSEWHERE: readonly (readonly [fact: string, mistake: string, file: string, title: string])[] = [
  [
    "A3",
    "a role that may start a job run and neither follow nor stop it, on everything",
    "modules/etl-orchestrator/etl-orchestrator.test.ts",
    "the parent may do exactly what its definition calls",
  ],
  [
    "A3",
    "the same for a definition written by hand",
    "modules/etl-orchestrator/hand-written-definition.test.ts",
    "is filled, checked, and its rights are derived",
  ],
  [
    "A4",
    "retries of the job on top of those of the machine",
    "modules/glue-spark-job/glue-spark-job.test.ts",
    "minimum: a Glue 5.1 job without retries, its script, its log groups and a role of its own",
  ],
  [
    "A6",
    "a function that answers with more than fits: its size is nowhere in a definition, and the failure message has the command for a new execution",
    "modules/etl-orchestrator/failure-messages.test.ts",
    "the rules are disjoint and leave out no failure",
  ],
  [
    "A7",
    "ARNs of the partition aws everywhere",
    "modules/etl-orchestrator/etl-orchestrator.test.ts",
    "in other partitions every ARN is of that partition",
  ],
  [
    "A8",
    "failures of the crawler and of the check that nobody hears of",
    "modules/etl-orchestrator/failure-messages.test.ts",
    "the rules are disjoint and leave out no failure",
  ],
  [
    "A8",
    "a role that may publish and may not use the topic's key",
    "modules/notifications-topic/notifications-topic.test.ts",
    "a role that was let in publishes, with the key through SNS",
  ],
  [
    "A9",
    "a name of the day for an execution that is started by hand: the command in the message has none",
    "modules/etl-orchestrator/failure-messages.test.ts",
    "is reported once, with cause, link and the command that continues",
  ],
  [
    "A9",
    "two executions at a time",
    "modules/etl-orchestrator/scenarios.test.ts",
    "is taken before anything is read, and released before the success is reported",
  ],
  [
    "A10",
    "no log, a log destination without :*, data of runs in the log, no traces, no version, Express with .sync",
    "modules/etl-orchestrator/etl-orchestrator.test.ts",
    "a Standard machine, published, logged without data, traced",
  ],
  [
    "A10",
    "a log group that fills up the account's resource policies",
    "modules/etl-orchestrator/etl-orchestrator.test.ts",
    "log groups under the vended prefix",
  ],
  [
    "A10",
    "a role that may not deliver logs, or traces",
    "modules/etl-orchestrator/etl-orchestrator.test.ts",
    "the parent may do exactly what its definition calls",
  ],
  [
    "A10",
    "a schedule of the latest edit instead of a version",
    "modules/etl-orchestrator/etl-orchestrator.test.ts",
    "an alias on the published version",
  ],
  ["A10", "a name that is too long", "modules/etl-orchestrator/refusals.test.ts", "a long name"],
  [
    "A12",
    "a crawler with a schedule of its own beside the machine's: it has none",
    "modules/glue-crawler/glue-crawler.test.ts",
    "minimum: an S3 crawl of everything that was not left over, with a role of its own",
  ],
];

test.each(ELSEWHERE)("%s: %s", (_fact, _mistake, file, title) => {
  expect(readFileSync(join(root, "__tests__", file), "utf8")).toContain(`"${title}"`);
});

const folder = join(__dirname, "seed-definitions");
const read = (file: string) => readFileSync(join(folder, file), "utf8");

/** The definitions as the documents print them. */
describe("the documents' definitions", () => {
  const input = {
    sourcePath: "s3://raw/events/",
    outputPath: "s3://processed/events/",
    runDate: "2010-12-01",
  };
  const EXPECTED: Readonly<Record<string, readonly string[]>> = {
    "document-000.asl.json": [
      "the definition: machine-timeout",
      "the definition: unused-input",
      "RunRawCrawler: integration",
      "RunRawCrawler: timeout",
      "RunRawCrawler: retry-run",
      "RunETLJob: caught-success",
      "RunETLJob: timeout",
      "RunETLJob: retry-run",
      "RunETLJob: catch-result-path",
      "RunETLJob: lost-input",
      "RunETLJob: lost-input",
      "RunProcessedCrawler: integration",
      "RunProcessedCrawler: timeout",
      "RunProcessedCrawler: retry-missing",
      "RunDataQualityCheck: place",
      "RunDataQualityCheck: integration",
      "RunDataQualityCheck: function-arn",
      "RunDataQualityCheck: retry-missing",
      "QualityCheckPassed: lost-input",
      "NotifySuccess: account-id",
      "NotifySuccess: place",
      "NotifySuccess: retry-missing",
      "NotifyQualityIssue: named-failure",
      "NotifyQualityIssue: account-id",
      "NotifyQualityIssue: place",
      "NotifyQualityIssue: retry-missing",
      "HandleETLFailure: account-id",
      "HandleETLFailure: place",
      "HandleETLFailure: retry-missing",
    ],
    "document-004-workflow.asl.json": [
      "the definition: machine-timeout",
      "CheckSourceData: place",
      "CheckSourceData: function-arn",
      "CheckSourceData: retry-missing",
      "BranchOnDataAvailability: lost-input",
      "RunGlueETL: retry-missing",
      "RunGlueETL: async-start",
      "CheckETLStatus: place",
      "CheckETLStatus: function-arn",
      "CheckETLStatus: retry-missing",
      "ETLSuccessChoice: lost-input",
      "UpdateDataCatalog: integration",
      "UpdateDataCatalog: parameter",
      "UpdateDataCatalog: parameter",
      "UpdateDataCatalog: retry-missing",
      "SendSuccessNotification: place",
      "SendSuccessNotification: retry-missing",
      "ETLFailed: named-failure",
      "ETLFailed: place",
      "ETLFailed: retry-missing",
    ],
    "document-004-stack.asl.json": [
      "the definition: machine-timeout",
      "ProcessData: function-arn",
      "ProcessData: retry-missing",
      "RunETLJob: retry-missing",
      "RunETLJob: async-start",
    ],
  };

  test.each(Object.entries(EXPECTED))("%s", (file, expected) => {
    const found = lintDefinition(read(file), file.includes("000") ? { input } : {});
    expect(found.map(({ state, check }) => `${state === "" ? "the definition" : state}: ${check}`)).toEqual(
      expected,
    );
  });

  test("are all there, and an outside judge of the language's schema has nothing against them", () => {
    const files = readdirSync(folder);
    expect(files.sort()).toEqual(Object.keys(EXPECTED).sort());
    for (const file of files) expect([file, validate(JSON.parse(read(file))).errors]).toEqual([file, []]);
  });
});

test.each(readdirSync(join(root, "step-functions")))("step-functions/%s passes the lint", (file) => {
  const text = readFileSync(join(root, "step-functions", file), "utf8");
  expect(lintDefinition(text).map(formatFinding)).toEqual([]);
});

/** The page for users lists every check once, in the order of the code. */
test("every check stands in docs/definition-checks.md", () => {
  const page = readFileSync(join(root, "docs", "definition-checks.md"), "utf8");
  expect([...page.matchAll(/^\| `([a-z-]+)`/gm)].map((match) => match[1])).toEqual([...CHECKS]);
});
