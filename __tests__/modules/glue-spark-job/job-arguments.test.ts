import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GLUE_ARGUMENTS } from "../../../modules/core/glue-arguments";
import { GlueSparkJob } from "../../../modules/glue-spark-job/glue-spark-job";
import { argumentMistakes, renderArguments } from "../../../modules/glue-spark-job/job-arguments";
import { type JobCapacity, mostWorkers } from "../../../modules/glue-spark-job/job-capacity";
import { ROOT } from "../../support/clone";
import { ARTIFACTS, PROCESSED } from "../../support/places";
import { ACCOUNT, REGION, synth } from "../../support/synth";

const known = () => true;
const managed = {
  tempUri: "s3://artifacts/temp/",
  logGroupPrefix: "/aws-glue/jobs/x",
  autoScaling: false,
  conf: "spark.a=b",
};

test("arguments get their hyphens and an order of their own", () => {
  const given = { to: "b", from: "a" };
  const rendered = renderArguments(given, managed);
  expect(rendered).toEqual({
    "--TempDir": "s3://artifacts/temp/",
    "--conf": "spark.a=b",
    "--custom-logGroup-prefix": "/aws-glue/jobs/x",
    "--enable-job-insights": "true",
    "--enable-metrics": "true",
    "--enable-observability-metrics": "true",
    "--from": "a",
    "--job-language": "python",
    "--to": "b",
  });
  expect(JSON.stringify(rendered)).toBe(JSON.stringify(renderArguments({ from: "a", to: "b" }, managed)));
});

test("auto-scaling and modules are there when they are set, and not when they are not", () => {
  const rendered = renderArguments(
    {},
    { ...managed, autoScaling: true, modulesUri: "s3://artifacts/etl.zip" },
  );
  expect(rendered).toMatchObject({
    "--enable-auto-scaling": "true",
    "--extra-py-files": "s3://artifacts/etl.zip",
  });
  expect(Object.keys(renderArguments({}, managed))).not.toContain("--enable-auto-scaling");
});

test("every argument that the construct can emit is refused from a caller: there is one way to set each", () => {
  const emitted = Object.keys(
    renderArguments(
      {},
      {
        ...managed,
        autoScaling: true,
        modulesUri: "s3://x",
        datalakeFormats: "iceberg",
        pythonModules: ["a==1"],
        installerOptions: "--no-deps",
        jars: ["s3://x/a.jar"],
        extraFiles: ["s3://x/a.json"],
      },
    ),
  );
  expect(emitted).toContain("--python-modules-installer-option");
  for (const argument of emitted) {
    const name = argument.slice(2);
    expect(argumentMistakes({ [name]: "x" }, known)).toEqual([
      [name, expect.stringMatching(/^is managed by this construct; /)],
    ]);
  }
});

test.each([
  ["conf", "is managed by this construct; set 'sparkConf'"],
  [
    "additional_python_modules",
    "is not an argument of Glue, whose own is 'additional-python-modules', so Glue would only pass it to the script; set 'pythonModules', or use another name",
  ],
  [
    "enable_spark_ui",
    "is not an argument of Glue, whose own is 'enable-spark-ui', so Glue would only pass it to the script; " +
      'set it with job.resource.addOverride("default_arguments.--enable-spark-ui", "…"), or use another name',
  ],
  [
    "user-jars-first",
    "is an argument of Glue that has no prop: classes of 'jars' would replace Glue's own, also those that it needs; " +
      'to set it: job.resource.addOverride("default_arguments.--user-jars-first", "…")',
  ],
  ["additional-python-modules", "is managed by this construct; set 'pythonModules'"],
  ["python-modules-installer-option", "is managed by this construct; set 'pythonInstaller'"],
  ["extra-jars", "is managed by this construct; set 'jars'"],
  ["extra-files", "is managed by this construct; set 'extraFiles'"],
  [
    "extra_py_files",
    "is not an argument of Glue, whose own is 'extra-py-files', so Glue would only pass it to the script; set 'modules', or use another name",
  ],
  [
    "custom_loggroup_prefix",
    "is not an argument of Glue, whose own is 'custom-logGroup-prefix', so Glue would only pass it to the script; it is always set, from 'name', or use another name",
  ],
  ["extra-py-files", "is managed by this construct; set 'modules'"],
  ["enable-auto-scaling", "is managed by this construct; set 'capacity' to { kind: \"autoScaling\", … }"],
  ["number-of-workers", "is managed by this construct; it is not a job argument; set 'capacity'"],
  ["TempDir", "is managed by this construct; it is always set, below the artifacts"],
  [
    "job-bookmark-option",
    "is managed by this construct; bookmarks are not supported: a rename loses them, and with overwriting they lose data",
  ],
  ["JOB_NAME", "is reserved by Glue; use another name"],
  ["mode", "is reserved by Glue; use another name"],
  ["debug", "is reserved by Glue; use another name"],
  ["--from", "must be named without leading hyphens; they are added"],
  ["from date", "must be named with letters, digits, hyphens and underscores"],
  [
    "db_password",
    "looks like a secret, and is written to plans, state and logs; keep it in Secrets Manager and pass the secret's ARN as '…_arn' instead",
  ],
])("%s is refused", (name, mistake) => {
  expect(argumentMistakes({ [name]: "x" }, known)).toEqual([[name, mistake]]);
});

/** AWS's page "Using job parameters in AWS Glue jobs", and what the job's definition sets by other means. */
const RESERVED = {
  managed: [
    "TempDir",
    "conf",
    "custom-logGroup-prefix",
    "custom-logStream-prefix",
    "enable-auto-scaling",
    "enable-continuous-cloudwatch-log",
    "enable-job-insights",
    "enable-metrics",
    "enable-observability-metrics",
    "extra-py-files",
    "job-bookmark-from",
    "job-bookmark-option",
    "job-bookmark-to",
    "job-language",
    "number-of-workers",
    "scriptLocation",
    "worker-type",
  ],
  kept: [
    "JOB_ID",
    "JOB_NAME",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "class",
    "debug",
    "encryption-type",
    "endpoint",
    "mode",
  ],
};

test.each(RESERVED.managed)("%s is managed", (name) => {
  expect(argumentMistakes({ [name]: "x" }, known)).toEqual([
    [name, expect.stringMatching(/^is managed by this construct; .+/)],
  ]);
});

test.each(RESERVED.kept)("%s is kept by Glue", (name) => {
  expect(argumentMistakes({ [name]: "x" }, known)).toEqual([[name, "is reserved by Glue; use another name"]]);
});

/** The page of the job has all of them, so that nobody looks for one in vain. */
test.each(GLUE_ARGUMENTS)("%s of Glue is refused, and the job's page says what to do", (name) => {
  const readme = readFileSync(join(ROOT, "modules", "glue-spark-job", "README.md"), "utf8");
  expect(argumentMistakes({ [name]: "x" }, known)).toEqual([
    [
      name,
      expect.stringMatching(
        /^is (managed by this construct; |an argument of Glue that has no prop: |reserved by Glue; )/,
      ),
    ],
  ]);
  const row = readme.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``));
  expect(row).toMatch(/^\| .+ \| .+ \|$/);
});

test("an argument without a prop is set by the statement of the refusal, and reaches Glue", () => {
  const said = argumentMistakes({ "enable-glue-datacatalog": "true" }, known)[0]![1];
  const statement = /job\.resource\.addOverride\("([^"]+)"/.exec(said)!;
  const { at } = synth((stack) => {
    const job = new GlueSparkJob(stack, "Job", {
      name: "clean",
      script: join(ROOT, "glue-scripts", "jobs", "transform_deliveries.py"),
      artifacts: ARTIFACTS,
      inputs: [],
      outputs: [PROCESSED],
      capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
      account: ACCOUNT,
      region: REGION,
    });
    job.resource.addOverride(statement[1]!, "true");
  });
  expect(at("Job/Resource").default_arguments).toMatchObject({
    "--enable-glue-datacatalog": "true",
    "--job-language": "python",
  });
});

test.each([
  "source_bucket",
  "plan_uri",
  "secret_name",
  "db_password_name",
  "token-arn",
  "tokenizer",
  "from",
  "x-1",
  "temp_dir",
  "files",
])("%s is taken", (name) => {
  expect(argumentMistakes({ [name]: "x" }, known)).toEqual([]);
});

test("a secret's ARN may have its name, and what only Terraform can resolve is not judged", () => {
  const arn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:db-a1b2c3";
  expect(argumentMistakes({ db_password: arn }, known)).toEqual([]);
  expect(argumentMistakes({ db_password: "x" }, () => false)).toEqual([]);
});

test("an empty value is refused; one that only Terraform can resolve is not", () => {
  expect(argumentMistakes({ from: "" }, known)).toEqual([
    ["from", "must not be empty: Glue refuses empty arguments; leave it out"],
  ]);
  expect(argumentMistakes({ from: "" }, () => false)).toEqual([]);
});

test.each<[JobCapacity, number]>([
  [{ kind: "fixed", workerType: "G.1X", workers: 2 }, 2],
  [{ kind: "autoScaling", workerType: "G.8X", maxWorkers: 299 }, 299],
])("%j has at most %d workers", (capacity, workers) => {
  expect(mostWorkers(capacity)).toBe(workers);
});
