import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TerraformOutput, type TerraformStack } from "cdktf";
import { readContract } from "../../../contracts/contract";
import { planOf, planText } from "../../../contracts/plan";
import { judgedBy } from "../../../contracts/quality-contract";
import { readQuality } from "../../../contracts/quality-reader";
import { ContractPlan, type ContractPlanProps } from "../../../modules/contract-plan/contract-plan";
import { changedContract, contractFile, rulesFile, SHIPPED, shippedContract } from "../../support/contracts";
import { ARTIFACTS, place } from "../../support/places";
import { Changes, droppedProps, refusal, synth, synthToFolder, unknownText } from "../../support/synth";

const folder = mkdtempSync(join(tmpdir(), "etl-plan-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** Without expressions, so that it needs no record of Spark's answers. */
const PLAIN = shippedContract("customers");
const COUNT = { name: "a_run_has_rows", type: "rowCount", atLeast: 1, action: "halt" };
const RULES = { threshold: 80, rules: [COUNT] };
/** Its timestamp has no zone, and names none. */
const ZONELESS = changedContract({ of: "events", take: ["x-etl/timestamp/timeZone"] });

const minimum: ContractPlanProps = {
  contractFile: file("plain.schema.json", PLAIN),
  rulesFile: file("plain.quality.json", RULES),
  artifacts: ARTIFACTS,
};
const make = (stack: TerraformStack, props: Partial<ContractPlanProps> = {}, id = "Plan") =>
  new ContractPlan(stack, id, { ...minimum, ...props });

/** The plan of the two documents. */
function compiled(contract: object, rules: object): string {
  const { quality } = readQuality(rules, judgedBy(contract).judged);
  return planText(planOf(readContract(contract).contract, quality));
}

/** The texts of all plans of an app, and of its manifest. */
function onDisk(build: (stack: TerraformStack) => unknown) {
  return synthToFolder(build, (stack) => {
    const { resource } = JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as {
      resource: { aws_s3_object: Record<string, { source: string }> };
    };
    return {
      plans: Object.values(resource.aws_s3_object).map(({ source }) =>
        readFileSync(join(stack, source), "utf8"),
      ),
      manifest: JSON.parse(readFileSync(join(stack, "..", "..", "manifest.json"), "utf8")) as {
        stacks: Record<string, { annotations: { level: string; message: string }[] }>;
      },
    };
  });
}

test("minimum: one object, which holds the plan of the two files", () => {
  const { at, counts, built } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_s3_object: 1 });
  const key = expect.stringMatching(/^contracts\/[0-9a-f]+\/plain\.plan\.json$/) as string;
  expect(at("Plan/Text/Resource")).toMatchObject({
    bucket: "artifacts-bucket",
    key,
    lifecycle: { create_before_destroy: true },
    source_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  expect(built.location).toEqual({ ...ARTIFACTS, prefix: key });
  expect(built.tables.output.columns.map(({ name }) => name)).toEqual([
    "customer_id",
    "customer_name",
    "region",
    "registered_on",
  ]);
  expect(onDisk((stack) => make(stack)).plans).toEqual([compiled(PLAIN, RULES)]);
});

test("every prop changed, two in one stack, and what was made can be read back", () => {
  const contract = changedContract({ of: "customers", put: { "x-etl/lookbackDays": 3 } });
  const rules = { threshold: 70, rules: [COUNT] };
  const build = (stack: TerraformStack) => {
    make(stack, {}, "Other");
    const plan = make(stack, {
      contractFile: file("people.json", contract),
      rulesFile: file("people.quality.json", rules),
      artifacts: place("other", "x/"),
      prefix: "plans/",
    });
    new TerraformOutput(stack, "uri", { value: plan.uri });
    return plan;
  };
  const { at, counts, outputs, reference, built } = synth(build);
  expect(counts).toEqual({ aws_s3_object: 2 });
  const key = expect.stringMatching(/^x\/plans\/[0-9a-f]+\/people\.plan\.json$/) as string;
  expect(at("Plan/Text/Resource")).toMatchObject({ bucket: "other", key });
  expect(outputs.uri?.value).toBe(`s3://other/${reference("Plan/Text/Resource", "key")}`);
  expect(built.location).toMatchObject({ bucketName: "other", prefix: key });
  expect(onDisk(build).plans.sort()).toEqual([compiled(PLAIN, RULES), compiled(contract, rules)].sort());
});

test("the same files give the same bytes, and another rule another key", () => {
  const keyOf = (props: Partial<ContractPlanProps> = {}) =>
    synth((stack) => make(stack, props)).at("Plan/Text/Resource").key;
  expect(synth((stack) => make(stack)).json).toBe(synth((stack) => make(stack)).json);
  // Spaces and notes are not part of a plan.
  const noted = file("noted.schema.json", JSON.stringify({ ...PLAIN, $comment: "x" }, null, 4));
  const keys = [
    keyOf(),
    keyOf({ contractFile: noted }),
    keyOf({ rulesFile: file("other.json", { ...RULES, threshold: 81 }) }),
  ].map((key) => /contracts\/(\w+)\//.exec(String(key))![1]);
  expect(new Set(keys.slice(0, 2)).size).toBe(1);
  expect(new Set(keys).size).toBe(2);
});

test("no prop is dropped", () => {
  const build = (stack: TerraformStack, props: ContractPlanProps): void => {
    const { uri, tables } = new ContractPlan(stack, "Plan", props);
    new TerraformOutput(stack, "made", { value: { uri, tables } });
  };
  const sets: [Required<ContractPlanProps>, Required<ContractPlanProps>] = [
    { ...minimum, artifacts: place("one", "x/"), prefix: "p/" },
    {
      contractFile: file("two.schema.json", PLAIN),
      rulesFile: file("two.quality.json", { threshold: 0, rules: [COUNT] }),
      artifacts: place("two", "y/"),
      prefix: "q/",
    },
  ];
  expect(droppedProps(new Changes(() => sets, build))).toEqual([]);
});

test("two plans of the same files at one place: the message names them", () => {
  expect(
    refusal((stack) => {
      make(stack, {}, "One");
      make(stack, {}, "Two");
    }).replace(/[0-9a-f]{16}/, "HASH"),
  ).toBe(
    "ContractPlan 'etl-dev/Two': 'artifacts' must lead to a key of its own, got " +
      "s3://artifacts-bucket/contracts/HASH/plain.plan.json, which ContractPlan 'etl-dev/One' makes already: " +
      "an S3 object belongs to one construct, and is deleted with it; give one of them another prefix in 'artifacts'",
  );
});

test("refusals of the props and the files, all at once", () => {
  const bad = changedContract({ of: "customers", put: { "x-etl/onDirft": "fail" }, take: ["x-etl/output"] });
  expect(
    refusal((stack) =>
      make(stack, {
        contractFile: file("bad.schema.json", bad),
        rulesFile: file("bad.quality.json", { threshold: 80, rules: [{ ...COUNT, weight: 0 }] }),
        artifacts: place("<bucket>", "x"),
        prefix: "/p/",
      }),
    ).replaceAll(folder, "FOLDER"),
  ).toBe(
    "ContractPlan 'etl-dev/Plan': 'artifacts.bucketName' still holds a placeholder, got \"<bucket>\"; fill it in; " +
      "'artifacts.bucketArn' still holds a placeholder, got \"arn:aws:s3:::<bucket>\"; fill it in; " +
      "'artifacts.prefix' must end in a slash, got \"x\"; without it a sibling such as 'events-old/' matches too; " +
      "'prefix' must not start with a slash, got \"/p/\"; S3 would take it as a folder without a name; " +
      "FOLDER/bad.schema.json: 'x-etl.onDirft' is unknown: x-etl may hold businessKey, lookbackDays, onDrift, reasons, " +
      "timestamp, category, output, format, shapes, computed, partitionBy, aggregate, orderColumn, changes, sources, sourceColumn, unknownSources, dropped, dms; " +
      "'x-etl.output' must be a list of at least one text, got nothing; " +
      "FOLDER/bad.quality.json: 'rules[0].weight' of a_run_has_rows must be a whole number from 1 to 100, got 0",
  );
});

test("files that are missing, or are not JSON", () => {
  expect(
    refusal((stack) =>
      make(stack, { contractFile: "plain.schema.json", rulesFile: join(folder, "none.json") }),
    ),
  ).toBe(
    "ContractPlan 'etl-dev/Plan': 'contractFile' must be an absolute path, got 'plain.schema.json'; use join(__dirname, …); " +
      `'rulesFile' must be a file, got '${join(folder, "none.json")}', which does not exist or is not a file`,
  );
  expect(
    refusal((stack) =>
      make(stack, { contractFile: file("text.schema.json", "{"), rulesFile: file("list.json", []) }),
    ).replaceAll(folder, "FOLDER"),
  ).toMatch(
    /^ContractPlan 'etl-dev\/Plan': FOLDER\/text\.schema\.json: is not valid JSON: .+; FOLDER\/list\.json: must be an object, got \[\]$/,
  );
});

test("what only Terraform can resolve is left alone", () => {
  const { at } = synth((stack) =>
    make(stack, { artifacts: place(unknownText(), unknownText()), prefix: unknownText() }),
  );
  expect(at("Plan/Text/Resource")).toMatchObject({
    bucket: "${local.elsewhere}",
    key: expect.stringMatching(
      /^\$\{local\.elsewhere\}\$\{local\.elsewhere\}[0-9a-f]+\/plain\.plan\.json$/,
    ) as string,
  });
});

test("a moment without a zone is a warning at synth, and those that are shipped give none", () => {
  const warned = (build: (stack: TerraformStack) => unknown) => onDisk(build).manifest.stacks["etl-dev"]!;
  const zoneless = file("zoneless.schema.json", ZONELESS);
  expect(warned((stack) => make(stack, { contractFile: zoneless })).annotations).toMatchObject([
    {
      level: "@cdktf/warn",
      message:
        `${zoneless}: 'x-etl.timestamp.timeZone' is missing: texts in 'yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]' have no zone, so UTC is assumed; ` +
        'name the source\'s zone, e.g. "Europe/Berlin", or "UTC"',
    },
  ]);
  const shipped = (stack: TerraformStack) =>
    SHIPPED.forEach((name) =>
      make(stack, { contractFile: contractFile(name), rulesFile: rulesFile(name) }, name),
    );
  expect(warned(shipped).annotations).toEqual([]);
});
