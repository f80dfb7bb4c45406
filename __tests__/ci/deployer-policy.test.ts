import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENVIRONMENTS, stackOf, synthesiseApp } from "../support/app";
import {
  allowing,
  DEPLOY,
  DESTROY,
  filledIn,
  PLAN,
  type Place,
  type Statement,
  SOURCES,
  WITH_SOURCES,
  WITH_WORKFLOWS,
  WORKFLOWS,
  statementsOf,
} from "../support/deployer-policy";

/** Compares docs/deployer with the synthesised stacks: names, services that get roles, and no rights on other environments. */

const ACCOUNT = "000000000000";
const REGION = "eu-west-1";

type Blocks = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

let folder: string;
const resources: Record<string, Blocks> = {};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-deployer-"));
  synthesiseApp(folder, { account: ACCOUNT, region: REGION });
  for (const environment of ENVIRONMENTS) {
    const file = join(stackOf(folder, environment), "cdk.tf.json");
    resources[environment] = (JSON.parse(readFileSync(file, "utf8")) as { resource: Blocks }).resource;
  }
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const placeOf = (environment: string): Place => ({
  project: "etl",
  environment,
  account: ACCOUNT,
  region: REGION,
});

const arn = (service: string, rest: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const named =
  (service: string, before = "") =>
  (name: string): string =>
    arn(service, `${before}${name}`);

/** For each type with a name: the action that creates one, and the ARN that the action is checked on. */
const MADE_BY: Readonly<Record<string, readonly [action: string, arnOf: (name: string) => string]>> = {
  aws_athena_workgroup: ["athena:CreateWorkGroup", named("athena", "workgroup/")],
  // AWS ignores a right that is narrower than everything: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html.
  aws_cloudwatch_composite_alarm: ["cloudwatch:PutCompositeAlarm", () => "*"],
  aws_cloudwatch_dashboard: [
    "cloudwatch:PutDashboard",
    (name) => `arn:aws:cloudwatch::${ACCOUNT}:dashboard/${name}`,
  ],
  aws_cloudwatch_event_rule: ["events:PutRule", named("events", "rule/")],
  aws_cloudwatch_log_group: ["logs:CreateLogGroup", named("logs", "log-group:")],
  aws_cloudwatch_metric_alarm: ["cloudwatch:PutMetricAlarm", named("cloudwatch", "alarm:")],
  aws_dynamodb_table: ["dynamodb:CreateTable", named("dynamodb", "table/")],
  aws_glue_catalog_database: ["glue:CreateDatabase", named("glue", "database/")],
  aws_glue_crawler: ["glue:CreateCrawler", named("glue", "crawler/")],
  aws_glue_job: ["glue:CreateJob", named("glue", "job/")],
  aws_iam_role: ["iam:CreateRole", (name) => `arn:aws:iam::${ACCOUNT}:role/${name}`],
  aws_kms_alias: ["kms:CreateAlias", named("kms")],
  aws_s3_bucket: ["s3:CreateBucket", (name) => `arn:aws:s3:::${name}`],
  aws_scheduler_schedule: ["scheduler:CreateSchedule", named("scheduler", "schedule/default/")],
  aws_scheduler_schedule_group: ["scheduler:CreateScheduleGroup", named("scheduler", "schedule-group/")],
  aws_sfn_state_machine: ["states:CreateStateMachine", named("states", "stateMachine:")],
  aws_sns_topic: ["sns:CreateTopic", named("sns")],
  aws_sqs_queue: ["sqs:CreateQueue", named("sqs")],
};

/** The types that come with a Glue workflow. */
const WORKFLOW_TYPES: typeof MADE_BY = {
  aws_glue_trigger: ["glue:CreateTrigger", named("glue", "trigger/")],
  aws_glue_workflow: ["glue:CreateWorkflow", named("glue", "workflow/")],
  aws_lambda_function: ["lambda:CreateFunction", named("lambda", "function:")],
};

/** The types that come with a connection to a database, or with files that announce themselves. */
const SOURCE_TYPES: typeof MADE_BY = {
  aws_glue_connection: ["glue:CreateConnection", named("glue", "connection/")],
  // It has no ARN before it is made, and then one without a name; a condition names its function.
  aws_lambda_event_source_mapping: ["lambda:CreateEventSourceMapping", () => "*"],
  aws_security_group: ["ec2:CreateSecurityGroup", () => arn("ec2", "security-group/sg-1")],
  aws_vpc_security_group_egress_rule: [
    "ec2:AuthorizeSecurityGroupEgress",
    () => arn("ec2", "security-group/sg-1"),
  ],
  aws_vpc_security_group_ingress_rule: [
    "ec2:AuthorizeSecurityGroupIngress",
    () => arn("ec2", "security-group/sg-1"),
  ],
};

/** Parts of the types above, created with rights on those, or a key, which has no name. */
const PARTS =
  /^aws_(?:cloudwatch_event_target|glue_catalog_table|iam_role_policy|kms_key|lambda_(?:function_event_invoke_config|permission)|s3_bucket_\w+|s3_object|sfn_alias|sns_topic_(?:policy|subscription)|sqs_queue_policy)$/;

/** @returns the name of each resource of the types above, or the type of an unknown one */
function namesOf(blocks: Blocks): (readonly [type: string, name: string])[] {
  return Object.entries(blocks)
    .filter(([type]) => !PARTS.test(type))
    .flatMap(([type, ofType]) =>
      Object.values(ofType).map(
        ({ name, bucket, alarm_name: alarm, dashboard_name: dashboard, function_name: functionName }) =>
          [type, String(bucket ?? alarm ?? dashboard ?? functionName ?? name)] as const,
      ),
    );
}

test.each(ENVIRONMENTS)("every resource of %s may be created, by its name", (environment) => {
  const statements = statementsOf(DEPLOY, placeOf(environment));
  expect(refusedOf(resources[environment]!, statements)).toEqual([]);
});

/** The resources that the statements do not let anybody make. */
function refusedOf(blocks: Blocks, statements: readonly Statement[]): string[] {
  return namesOf(blocks).flatMap(([type, name]) => {
    const made = { ...MADE_BY, ...WORKFLOW_TYPES, ...SOURCE_TYPES }[type];
    if (made === undefined)
      return [`${type} is new: say here what makes one, and give that right in docs/deployer`];
    const [action, arnOf] = made;
    const may = allowing(statements, action, arnOf(name)).length > 0;
    return may ? [] : [`docs/deployer does not give ${action} on ${arnOf(name)}`];
  });
}

/** The resources of dev with settings of its own. */
function devWith(variables: Readonly<Record<string, string>>): Blocks {
  const outdir = mkdtempSync(join(tmpdir(), "etl-deployer-dev-"));
  try {
    synthesiseApp(outdir, { account: ACCOUNT, region: REGION }, [], {
      ETL_ENVIRONMENTS: "dev",
      ...variables,
    });
    const file = join(stackOf(outdir, "dev"), "cdk.tf.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { resource: Blocks }).resource;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

test("with a Glue workflow, its own documents give what the others do not", () => {
  const resource = devWith({ ETL_DEV_ORCHESTRATION: "mobile-users:workflow,events:workflow" });
  const place = placeOf("dev");
  expect(refusedOf(resource, statementsOf(WITH_WORKFLOWS, place))).toEqual([]);
  const lacking = refusedOf(resource, statementsOf(DEPLOY, place)).map(
    (text) => / (\w+:\w+) on/.exec(text)![1],
  );
  expect([...new Set(lacking)].sort()).toEqual([
    "glue:CreateTrigger",
    "glue:CreateWorkflow",
    "lambda:CreateFunction",
    "logs:CreateLogGroup",
  ]);
  const passed = allowing(
    statementsOf(WITH_WORKFLOWS, place),
    "iam:PassRole",
    `arn:aws:iam::${ACCOUNT}:role/etl-dev-events-watcher-function`,
  );
  expect(passed.map(({ Condition }) => Condition!["StringEquals"]!["iam:PassedToService"])).toEqual([
    "lambda.amazonaws.com",
  ]);
});

/** A connection whose security group is made, and files that start runs. */
const WITH_BOTH_SOURCES = {
  ETL_DEV_ARRIVAL: "events",
  ETL_DEV_SHOP_HOST: "shop.example",
  ETL_DEV_SHOP_DATABASE: "shop",
  ETL_DEV_SHOP_SECRET_ARN: arn("secretsmanager", "secret:shop/reader-a1B2c3"),
  ETL_DEV_SHOP_SUBNET_ID: "subnet-0a1b2c3d4e5f67890",
  ETL_DEV_SHOP_AVAILABILITY_ZONE: `${REGION}a`,
  ETL_DEV_SHOP_VPC_ID: "vpc-0a1b2c3d4e5f67890",
};

test("with a database and arriving files, the documents of sources and of functions give what the others do not", () => {
  const resource = devWith(WITH_BOTH_SOURCES);
  const place = placeOf("dev");
  for (const type of Object.keys(SOURCE_TYPES)) expect(Object.keys(resource)).toContain(type);
  expect(refusedOf(resource, statementsOf(WITH_SOURCES, place))).toEqual([]);
  const lacking = refusedOf(resource, statementsOf(WITH_WORKFLOWS, place)).map(
    (text) => / (\w+:\w+) on/.exec(text)![1],
  );
  expect([...new Set(lacking)].sort()).toEqual(
    Object.values(SOURCE_TYPES)
      .map(([action]) => action)
      .sort(),
  );
  const trusted = Object.values(resource.aws_iam_role!).map(({ name }) => String(name));
  expect(trusted).toContain("etl-dev-arrival-function");
  const passed = allowing(
    statementsOf(WITH_SOURCES, place),
    "iam:PassRole",
    `arn:aws:iam::${ACCOUNT}:role/etl-dev-arrival-function`,
  );
  expect(passed.map(({ Condition }) => Condition!["StringEquals"]!["iam:PassedToService"])).toEqual([
    "lambda.amazonaws.com",
  ]);
  // The ledger can be restored to a point in time, which is a call of its own.
  const ledger = arn("dynamodb", "table/etl-dev-arrival");
  expect(
    allowing(statementsOf(WITH_SOURCES, place), "dynamodb:UpdateContinuousBackups", ledger),
  ).toHaveLength(1);
});

test("what sources need on everything is bound to functions, tags or reading", () => {
  const statements = statementsOf(SOURCES, placeOf("dev"));
  const isWide = (resource: string): boolean => /(?:^|:[a-z-]+[:/])\*$/.test(resource);
  const wide = statements
    .filter(({ Resource }) => [Resource].flat().some(isWide))
    .filter(({ Action }) => ![Action].flat().every((action) => action.startsWith("ec2:Describe")))
    .map(({ Sid, Condition }) => [Sid, Object.values(Condition ?? {}).flatMap(Object.keys)]);
  const [asked, has] = ["aws:RequestTag", "aws:ResourceTag"].map((key) => [
    `${key}/project`,
    `${key}/environment`,
  ]);
  expect(Object.fromEntries(wide)).toEqual({
    ReadMappings: ["lambda:FunctionArn"],
    ReadMappingTags: [],
    MakeGroups: asked,
    MakeGroupsInNetworks: [],
    ChangeGroups: has,
    MakeGroupRules: asked,
    TagWhatIsMade: ["ec2:CreateAction"],
    MakeMappings: ["lambda:FunctionArn"],
    ChangeMappings: ["lambda:FunctionArn"],
    TagMappings: asked,
    UntagMappings: has,
  });
  const prod = arn("glue", "connection/etl-prod-shop");
  expect(allowing(statements, "glue:UpdateConnection", prod)).toEqual([]);
});

test.each(ENVIRONMENTS)(
  "roles of %s are passed to the services that they trust, and no others",
  (environment) => {
    const statements = statementsOf(DEPLOY, placeOf(environment));
    const passing = (role: string): string[] =>
      allowing(statements, "iam:PassRole", `arn:aws:iam::${ACCOUNT}:role/${role}`).map(({ Condition }) =>
        String(Condition!["StringEquals"]!["iam:PassedToService"]),
      );
    const roles = Object.values(resources[environment]!["aws_iam_role"]!).map((role) => {
      const trust = JSON.parse(role["assume_role_policy"] as string) as {
        Statement: { Principal: { Service: string } }[];
      };
      return [role["name"] as string, trust.Statement.map(({ Principal }) => Principal.Service)] as const;
    });
    const wrong = roles
      .map(([name, trusted]) => ({ name, trusted, passing: passing(name) }))
      .filter(({ trusted, passing: services }) => String(trusted) !== String(services));
    expect(wrong).toEqual([]);
  },
);

test("a deployer has no rights on another environment, except on composite alarms: AWS cannot restrict those by name", () => {
  const statements = statementsOf(DESTROY, placeOf("dev"));
  const others = namesOf(resources["prod"]!).flatMap(([type, name]) => {
    const [action, arnOf] = MADE_BY[type]!;
    if (arnOf(name) === "*") return [];
    return allowing(statements, action, arnOf(name)).map(({ Sid }) => `${Sid} gives ${action} on ${name}`);
  });
  expect(others).toEqual([]);
  const onEverything = Object.entries(MADE_BY).filter(([, [, arnOf]]) => arnOf("x") === "*");
  expect(onEverything.map(([type]) => type)).toEqual(["aws_cloudwatch_composite_alarm"]);
});

test("without destroy-data no resource that holds data can be destroyed", () => {
  const statements = statementsOf(DEPLOY, placeOf("prod"));
  const table = arn("glue", "table/etl_prod_processed/events");
  const bucket = `arn:aws:s3:::etl-prod-processed-${ACCOUNT}-${REGION}`;
  const calls = [
    ["s3:DeleteBucket", bucket],
    ["s3:DeleteObject", `${bucket}/events/x.parquet`],
    ["s3:DeleteObjectVersion", `${bucket}/events/x.parquet`],
    ["kms:ScheduleKeyDeletion", arn("kms", "key/1")],
    ["glue:DeleteDatabase", arn("glue", "database/etl_prod_processed")],
    ["glue:DeleteTable", table],
    ["dynamodb:DeleteTable", arn("dynamodb", "table/etl-prod-locks")],
  ] as const;
  expect(calls.filter(([action, on]) => allowing(statements, action, on).length > 0)).toEqual([]);
  const all = statementsOf(DESTROY, placeOf("prod"));
  expect(calls.filter(([action, on]) => allowing(all, action, on).length === 0)).toEqual([]);
});

test("the state can be written and never deleted, even with destroy-data", () => {
  const statements = statementsOf(DESTROY, placeOf("prod"));
  const bucket = `arn:aws:s3:::etl-prod-terraform-state-${ACCOUNT}-${REGION}`;
  const may = (action: string, on: string) => allowing(statements, action, on).length > 0;
  expect(may("s3:PutObject", `${bucket}/etl-prod.tfstate`)).toBe(true);
  expect(may("s3:DeleteObject", `${bucket}/etl-prod.tfstate.tflock`)).toBe(true);
  expect(may("s3:DeleteObject", `${bucket}/etl-prod.tfstate`)).toBe(false);
  expect(may("s3:DeleteObjectVersion", `${bucket}/etl-prod.tfstate`)).toBe(false);
  for (const action of [
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
  ])
    expect([action, may(action, bucket)]).toEqual([action, false]);
});

test("the role that plans can only read", () => {
  const reading =
    /^(?:s3|kms|glue|dynamodb|athena|iam|states|events|scheduler|sns|sqs|cloudwatch|logs|lambda|ec2):(?:Get|List|Describe|Decrypt|ValidateStateMachineDefinition)/;
  const actions = statementsOf([...PLAN, "plan-workflows", "plan-sources"], placeOf("prod")).flatMap(
    ({ Action }) => [Action].flat(),
  );
  expect(actions.filter((action) => !reading.test(action))).toEqual([]);
});

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 6,144 characters without white space. */
test.each([...DESTROY, ...WORKFLOWS, ...SOURCES])("%s fits into a managed policy", (document) => {
  const longest = { ...placeOf("production"), project: "a-rather-long-name", region: "ap-southeast-2" };
  expect(filledIn(document, longest).replaceAll(/\s/g, "").length).toBeLessThan(6_144);
});
