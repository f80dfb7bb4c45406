import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lazy, TerraformOutput, type TerraformStack } from "cdktf";
import { unzipSync } from "fflate";
import { ArtifactFile } from "../../../modules/artifacts/artifact-file";
import { GlueSparkJob, type GlueSparkJobProps } from "../../../modules/glue-spark-job/glue-spark-job";
import { ServiceRole } from "../../../modules/iam/service-role";
import { ARTIFACTS, keyStatement, listStatement, place, PROCESSED, RAW, ROLE } from "../../support/places";
import {
  ACCOUNT,
  type Block,
  byText,
  REGION,
  refusal,
  synth,
  synthToFolder,
  unknownText,
} from "../../support/synth";

let folder: string;
let script: string;
let modules: string;
let contract: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-job-"));
  script = join(folder, "transform_events.py");
  modules = join(folder, "etl");
  contract = join(folder, "events.schema.json");
  mkdirSync(modules);
});
beforeEach(() => {
  writeFileSync(script, "print(1)\n");
  writeFileSync(contract, "{}\n");
  writeFileSync(join(modules, "__init__.py"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const minimum = (): GlueSparkJobProps => ({
  name: "etl-dev-events-transform",
  script,
  artifacts: ARTIFACTS,
  inputs: [RAW],
  outputs: [PROCESSED],
  capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
  account: ACCOUNT,
  region: REGION,
});
const make = (stack: TerraformStack, props: Partial<GlueSparkJobProps> = {}, id = "Job"): GlueSparkJob =>
  new GlueSparkJob(stack, id, { ...minimum(), ...props });

const logGroups = (name: string): string[] =>
  ["error", "output"].flatMap((stream) => {
    const group = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws-glue/jobs/${name}/${stream}`;
    return [group, `${group}:*`];
  });

test("minimum: a Glue 5.1 job without retries, its script, its log groups and a role of its own", () => {
  const { address, at, counts, reference } = synth((stack) => make(stack));
  expect(counts).toEqual({
    aws_cloudwatch_log_group: 2,
    aws_glue_job: 1,
    aws_iam_role: 1,
    aws_iam_role_policy: 1,
    aws_s3_object: 1,
  });
  const key = reference("Job/Script/Resource", "key");
  expect(at("Job/Resource")).toEqual({
    name: "etl-dev-events-transform",
    role_arn: reference("Job/Role/Resource", "arn"),
    glue_version: "5.1",
    command: { name: "glueetl", python_version: "3", script_location: `s3://artifacts-bucket/${key}` },
    default_arguments: {
      "--TempDir": "s3://artifacts-bucket/temp/etl-dev-events-transform/",
      "--conf": `spark.hadoop.fs.s3a.endpoint.region=${REGION}`,
      "--custom-logGroup-prefix": "/aws-glue/jobs/etl-dev-events-transform",
      "--enable-job-insights": "true",
      "--enable-metrics": "true",
      "--enable-observability-metrics": "true",
      "--job-language": "python",
    },
    worker_type: "G.1X",
    number_of_workers: 2,
    execution_class: "STANDARD",
    timeout: 60,
    max_retries: 0,
    execution_property: { max_concurrent_runs: 1 },
    depends_on: [address("Job/Role/Policy/Resource"), address("Job/OutputLogs"), address("Job/ErrorLogs")],
  });
});

test("both log groups are named as Glue names them, and end", () => {
  const { at } = synth((stack) => make(stack));
  expect(at("Job/OutputLogs")).toMatchObject({
    name: "/aws-glue/jobs/etl-dev-events-transform/output",
    retention_in_days: 90,
  });
  expect(at("Job/ErrorLogs")).toMatchObject({
    name: "/aws-glue/jobs/etl-dev-events-transform/error",
    retention_in_days: 90,
  });
});

test("its role: assumed by Glue for this account; reads inputs and script, writes outputs, temporary files and logs, nothing else", () => {
  const { built, at, statements } = synth((stack) => make(stack));
  expect(at("Job/Role/Resource").name).toBe("etl-dev-events-transform-job");
  expect(statements("Job/Role/Resource", "assume_role_policy")).toEqual([
    {
      Effect: "Allow",
      Principal: { Service: "glue.amazonaws.com" },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
    },
  ]);
  const temp = "temp/etl-dev-events-transform";
  const key = at("Job/Script/Resource").key as string;
  expect(byText(statements("Job/Role/Policy/Resource"))).toEqual(
    byText([
      {
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: [
          `arn:aws:s3:::artifacts-bucket/${key}`,
          `arn:aws:s3:::artifacts-bucket/${temp}`,
          "arn:aws:s3:::processed-bucket/events",
          "arn:aws:s3:::raw-bucket/events",
          "arn:aws:s3:::raw-bucket/events/*",
        ].sort(),
      },
      {
        Effect: "Allow",
        Action: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        Resource: [`arn:aws:s3:::artifacts-bucket/${temp}/*`, "arn:aws:s3:::processed-bucket/events/*"],
      },
      {
        ...listStatement("", "events/"),
        Resource: ["arn:aws:s3:::processed-bucket", "arn:aws:s3:::raw-bucket"],
      },
      listStatement("arn:aws:s3:::artifacts-bucket", `${temp}/`),
      keyStatement(["kms:Decrypt", "kms:GenerateDataKey"]),
      {
        Effect: "Allow",
        Action: "logs:CreateLogGroup",
        Resource: logGroups("etl-dev-events-transform"),
      },
      {
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: logGroups("etl-dev-events-transform").filter((arn) => arn.endsWith(":*")),
      },
      {
        Effect: "Allow",
        Action: "cloudwatch:PutMetricData",
        Resource: "*",
        Condition: { StringEquals: { "cloudwatch:namespace": "Glue" } },
      },
    ]),
  );
  expect(built.logGroupPrefix).toBe("/aws-glue/jobs/etl-dev-events-transform");
});

test("inputs are read and never written; only outputs and temporary files are", () => {
  const { statements } = synth((stack) => make(stack));
  const writable = statements("Job/Role/Policy/Resource")
    .filter(({ Action }) => [Action].flat().some((action) => /^s3:(Put|Delete)/.test(action)))
    .flatMap(({ Resource }) => Resource);
  expect(writable.filter((arn) => arn.includes("raw-bucket"))).toEqual([]);
});

test("every prop changed", () => {
  const all = (stack: TerraformStack): GlueSparkJobProps => ({
    name: "other",
    description: "Transforms others",
    script,
    modules,
    files: [fileIn(stack)],
    artifacts: place("other-artifacts", "jobs/"),
    inputs: [place("in", ""), RAW],
    outputs: [place("out", "x/")],
    arguments: { source_bucket: "in", plan_uri: "s3://x/y" },
    capacity: { kind: "autoScaling", workerType: "G.2X", maxWorkers: 10 },
    account: "111122223333",
    region: "eu-north-1",
    glueVersion: "6.0",
    timeoutMinutes: 10_079,
    logRetentionDays: 30,
    tags: { team: "data" },
  });
  const { at, built, reference, statements } = synth((stack) => make(stack, all(stack)));
  const { default_arguments: given, ...job } = at("Job/Resource");
  expect(job).toMatchObject({
    name: "other",
    description: "Transforms others",
    glue_version: "6.0",
    worker_type: "G.2X",
    number_of_workers: 10,
    timeout: 10_079,
    tags: { team: "data" },
  });
  expect(given).toMatchObject({
    "--TempDir": "s3://other-artifacts/jobs/temp/other/",
    "--plan_uri": "s3://x/y",
    "--enable-auto-scaling": "true",
    "--extra-py-files": `s3://other-artifacts/${reference("Job/Modules/Resource", "key")}`,
    "--source_bucket": "in",
  });
  expect(built.timeoutMinutes).toBe(10_079);
  for (const id of ["Job/OutputLogs", "Job/ErrorLogs", "Job/Role/Resource"]) {
    expect(at(id).tags).toEqual({ team: "data" });
  }
  expect(at("Job/OutputLogs").retention_in_days).toBe(30);
  const keys = ["Job/Script/Resource", "Job/Modules/Resource", "Contract/Resource"].map(
    (id) => at(id).key as string,
  );
  expect(keys).toEqual([
    expect.stringMatching(/^jobs\/scripts\/[0-9a-f]{16}\/transform_events\.py$/),
    expect.stringMatching(/^jobs\/modules\/[0-9a-f]{16}\/etl\.zip$/),
    expect.stringMatching(/^contracts\/[0-9a-f]{16}\/events\.schema\.json$/),
  ]);
  const read = JSON.stringify(statements("Job/Role/Policy/Resource"));
  for (const key of keys) expect(read).toContain(`/${key}"`);
});

test("a brought role is used and given what is needed, and none is made", () => {
  const { address, at, counts, statements } = synth((stack) =>
    make(stack, { name: "a".repeat(255), role: ServiceRole.fromRoleAttributes(stack, "Brought", ROLE) }),
  );
  expect(counts.aws_iam_role).toBeUndefined();
  expect(at("Job/Resource").role_arn).toBe(ROLE.roleArn);
  expect(at("Job/Resource").depends_on).toContain(address("Brought/Policy/Resource"));
  expect(JSON.stringify(statements("Brought/Policy/Resource"))).toContain("cloudwatch:PutMetricData");
});

test("in China: ARNs of its partition, and keys that know S3 by its name there", () => {
  const { json, statements } = synth((stack) => make(stack, { region: "cn-north-1" }));
  const logs = statements("Job/Role/Policy/Resource").find(({ Action }) =>
    Action.includes("logs:CreateLogGroup"),
  );
  const groups = logGroups("etl-dev-events-transform").map((arn) =>
    arn.replace("arn:aws:", "arn:aws-cn:").replace(REGION, "cn-north-1"),
  );
  expect(logs?.Resource).toEqual(groups);
  expect(json).toContain("s3.cn-north-1.amazonaws.com.cn");
  expect(json).not.toContain("s3.cn-north-1.amazonaws.com\\");
});

test("two in one stack keep their files and rights apart", () => {
  const { at, counts, statements } = synth((stack) => {
    make(stack, { modules });
    const other = { name: "other", artifacts: place("artifacts-bucket", "other/") };
    make(stack, { ...other, modules, inputs: [place("other-raw", "")] }, "Other");
  });
  expect(counts).toMatchObject({ aws_glue_job: 2, aws_iam_role: 2, aws_s3_object: 4 });
  expect(at("Job/Modules/Resource").source).not.toBe(at("Other/Modules/Resource").source);
  expect(JSON.stringify(statements("Job/Role/Policy/Resource"))).not.toContain("other-raw");
});

describe("uploaded files", () => {
  const object = (id: string): Block => synth((stack) => make(stack, { modules })).at(`Job/${id}/Resource`);

  test.each(["Script", "Modules"])(
    "%s: a new object for a new content, put before the old one goes",
    (id) => {
      const before = object(id);
      expect(before).toMatchObject({
        bucket: "artifacts-bucket",
        lifecycle: { create_before_destroy: true },
      });
      expect(before.etag).toBeUndefined();
      expect(before.source_hash).toMatch(/^[0-9a-f]+$/);
      expect(object(id)).toEqual(before);
      writeFileSync(script, "print(2)\n");
      writeFileSync(join(modules, "__init__.py"), "VERSION = 2\n");
      const after = object(id);
      expect(after.key).not.toBe(before.key);
      expect(after.source_hash).not.toBe(before.source_hash);
    },
  );

  test("a script of another name is another object, though its content is the same", () => {
    const renamed = join(folder, "transform_orders.py");
    writeFileSync(renamed, readFileSync(script));
    const keyOf = (of: string) =>
      synth((stack) => make(stack, { script: of })).at("Job/Script/Resource").key as string;
    const [key, other] = [keyOf(script), keyOf(renamed)];
    expect(key).toMatch(/^scripts\/[0-9a-f]{16}\/transform_events\.py$/);
    expect(other).toBe(key.replace("transform_events", "transform_orders"));
  });

  test("a renamed module is another zip, caches do not count", () => {
    const key = () => object("Modules").key;
    writeFileSync(join(modules, "books.py"), "READ = 1\n");
    const before = key();
    mkdirSync(join(modules, "__pycache__"));
    writeFileSync(join(modules, "__pycache__", "books.cpython-311.pyc"), "x");
    expect(key()).toBe(before);
    renameSync(join(modules, "books.py"), join(modules, "book.py"));
    expect(key()).not.toBe(before);
    for (const left of ["__pycache__", "book.py"]) rmSync(join(modules, left), { recursive: true });
  });

  test("lie in the stack's own folder, under relative paths, with their content", () => {
    synthToFolder(
      (stack) => void make(stack, { modules }),
      (stack) => {
        const text = readFileSync(join(stack, "cdk.tf.json"), "utf8");
        expect(text).not.toContain(folder);
        const objects = (JSON.parse(text) as { resource: Record<string, Record<string, Block>> }).resource
          .aws_s3_object!;
        const sources = Object.values(objects).map(({ source }) => source as string);
        expect(sources).toHaveLength(2);
        for (const source of sources) expect(source).toMatch(/^assets\/[\w/.]+$/);
        expect(sources.every((source) => existsSync(join(stack, source)))).toBe(true);
        const zip = sources.find((source) => source.endsWith("etl.zip"))!;
        expect(Object.keys(unzipSync(readFileSync(join(stack, zip))))).toEqual(["etl/__init__.py"]);
      },
    );
  });

  test("a kind of artifact that nobody named is refused", () => {
    expect(
      refusal(
        (stack) =>
          new ArtifactFile(stack, "Contract", { source: contract, artifacts: ARTIFACTS, prefix: "<kind>/" }),
      ),
    ).toBe(
      "ArtifactFile 'etl-dev/Contract': 'prefix' still holds a placeholder, got \"<kind>/\"; fill it in",
    );
  });

  test("a file that does not exist is refused", () => {
    const source = join(folder, "none.json");
    expect(
      refusal(
        (stack) =>
          new ArtifactFile(stack, "Contract", {
            source,
            artifacts: place("<bucket>", "jobs"),
            prefix: "/contracts",
          }),
      ),
    ).toBe(
      `ArtifactFile 'etl-dev/Contract': 'source' must be a file, got '${source}', which does not exist or is not a file; ` +
        "'artifacts.bucketName' still holds a placeholder, got \"<bucket>\"; fill it in; " +
        "'artifacts.bucketArn' still holds a placeholder, got \"arn:aws:s3:::<bucket>\"; fill it in; " +
        "'artifacts.prefix' must end in a slash, got \"jobs\"; without it a sibling such as 'events-old/' matches too; " +
        "'prefix' must not start with a slash, got \"/contracts\"; S3 would take it as a folder without a name",
    );
  });
});

test("what it made can be read back", () => {
  const { outputs, reference } = synth((stack) => {
    const { jobName, jobArn, timeoutMinutes } = make(stack);
    const { uri } = fileIn(stack);
    new TerraformOutput(stack, "job", { value: { jobName, jobArn, timeoutMinutes, uri } });
  });
  expect(outputs.job?.value).toEqual({
    jobName: reference("Job/Resource", "name"),
    jobArn: reference("Job/Resource", "arn"),
    timeoutMinutes: 60,
    uri: `s3://artifacts-bucket/${reference("Contract/Resource", "key")}`,
  });
});

describe("refusals", () => {
  test("all at once", () => {
    expect(
      refusal((stack) =>
        make(stack, {
          name: "events transform",
          description: "CHANGE_ME",
          script: "jobs/transform_events.py",
          modules: "etl",
          artifacts: place("artifacts-bucket", "/"),
          inputs: [RAW, place("raw-bucket", "events")],
          outputs: [],
          arguments: { "extra-py-files": "s3://x/y.zip", from: "", to: "${To}", mode: "daily" },
          capacity: { kind: "fixed", workerType: "G.1X", workers: 1 },
          glueVersion: "4.0" as "5.1",
          timeoutMinutes: 10_080,
          logRetentionDays: 31,
          account: "42",
        }),
      ),
    ).toBe(
      "GlueSparkJob 'etl-dev/Job': 'description' still holds a placeholder, got \"CHANGE_ME\"; fill it in; " +
        "'arguments.to' still holds a placeholder, got \"${To}\"; fill it in; " +
        "'account' must be an AWS account id of 12 digits, got \"42\"; " +
        "'name' must be 1 to 60 letters, digits or _.- (its role is named '<name>-job'), got \"events transform\" with 16; " +
        "'script' must be an absolute path, got 'jobs/transform_events.py'; use join(__dirname, …); " +
        "'modules' must be an absolute path, got 'etl'; use join(__dirname, …); " +
        "'artifacts.prefix' must not start with a slash, got \"/\"; S3 would take it as a folder without a name; " +
        "'inputs[1].prefix' must end in a slash, got \"events\"; without it a sibling such as 'events-old/' matches too; " +
        "'outputs' must not be empty: a job needs a location to write to; " +
        "'arguments.extra-py-files' is managed by this construct; set 'modules'; " +
        "'arguments.from' must not be empty: Glue refuses empty arguments; leave it out; " +
        "'arguments.mode' is reserved by Glue; use another name; " +
        "'glueVersion' must be one of 5.1, 6.0, got \"4.0\": the library's jobs are not tested on it; " +
        "'capacity.workers' must be a whole number from 2 (a driver and a worker) to 299, got 1; " +
        "'timeoutMinutes' must be a whole number from 1 to 10079, got 10080; " +
        "'logRetentionDays' must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, " +
        "2192, 2557, 2922, 3288, 3653, got 31",
    );
  });

  test.each([0, 1.5])("a time-out of %d minutes", (timeoutMinutes) => {
    expect(refusal((stack) => make(stack, { timeoutMinutes }))).toBe(
      `GlueSparkJob 'etl-dev/Job': 'timeoutMinutes' must be a whole number from 1 to 10079, got ${timeoutMinutes}`,
    );
  });

  test("a script that is no Python file, or not there", () => {
    expect(refusal((stack) => make(stack, { script: contract }))).toBe(
      `GlueSparkJob 'etl-dev/Job': 'script' must be a Python file, got '${contract}'`,
    );
    const none = join(folder, "none.py");
    expect(refusal((stack) => make(stack, { script: none }))).toBe(
      `GlueSparkJob 'etl-dev/Job': 'script' must be a file, got '${none}', which does not exist or is not a file`,
    );
  });
});

test("where somebody keeps the sources is nobody's placeholder", () => {
  const home = join(folder, "your-team", "TODO");
  mkdirSync(join(home, "etl"), { recursive: true });
  writeFileSync(join(home, "etl", "__init__.py"), "");
  writeFileSync(join(home, "transform.py"), "");
  const props = { script: join(home, "transform.py"), modules: join(home, "etl") };
  expect(() => synth((stack) => make(stack, props))).not.toThrow();
});

test("what only Terraform can resolve is left alone", () => {
  const text = unknownText();
  const number = Lazy.numberValue({ produce: () => 5 });
  expect(() =>
    synth((stack) =>
      make(stack, {
        name: text,
        description: text,
        account: text,
        artifacts: place(text, "", text),
        inputs: [place(text, text)],
        arguments: { source_bucket: text },
        capacity: { kind: "fixed", workerType: "G.1X", workers: number },
        timeoutMinutes: number,
        logRetentionDays: number,
      }),
    ),
  ).not.toThrow();
});

function fileIn(stack: TerraformStack): ArtifactFile {
  return new ArtifactFile(stack, "Contract", {
    source: contract,
    artifacts: ARTIFACTS,
    prefix: "contracts/",
  });
}
