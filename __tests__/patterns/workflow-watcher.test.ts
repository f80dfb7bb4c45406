import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import {
  EtlPlatform,
  GlueWorkflow,
  type GlueWorkflowProps,
  WorkflowNode,
  workflowChain,
  WorkflowWatcher,
  type WorkflowWatcherProps,
  Zone,
} from "../../index";
import { ROOT } from "../support/clone";
import { ACCOUNT, byText, refusal, REGION, type Statement, synth, unknownText } from "../support/synth";

const NAME = "etl-dev-mobile-users";
const FUNCTION = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${NAME}-watcher`;

const IOS = WorkflowNode.crawl("CrawlIos", { crawlerName: "etl-dev-segmentlogs-IOS", mayFail: true });
const DAILY = WorkflowNode.runJob("RunJob", { jobName: "etl-dev-mobile-user-daily", timeoutMinutes: 60 });

interface Given {
  readonly workflow?: Partial<GlueWorkflowProps>;
  readonly platform?: { readonly runbookUrl?: string };
  readonly watcher?: (platform: EtlPlatform) => Partial<WorkflowWatcherProps>;
}

function make(stack: TerraformStack, given: Given = {}, id = "Watcher"): WorkflowWatcher {
  const platform =
    (stack.node.tryFindChild("Platform") as EtlPlatform | undefined) ??
    new EtlPlatform(stack, "Platform", {
      name: "etl-dev",
      account: ACCOUNT,
      region: REGION,
      environment: "dev",
      ...given.platform,
    });
  const workflow = new GlueWorkflow(stack, `${id}Workflow`, {
    name: NAME,
    account: ACCOUNT,
    region: REGION,
    ...workflowChain([
      { trigger: "start", node: IOS },
      { trigger: "job", node: DAILY },
    ]),
    ...given.workflow,
  });
  return new WorkflowWatcher(stack, id, {
    platform,
    workflow,
    pipeline: "mobile-users",
    lateAfterMinutes: 180,
    ...given.watcher?.(platform),
  });
}

const settingsOf = (block: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse((block.environment as { variables: { SETTINGS: string } }).variables.SETTINGS) as Record<
    string,
    unknown
  >;

test("minimum: events and a schedule start the function, which knows what to look at", () => {
  const { at, built, reference } = synth((stack) => make(stack));
  expect(at("Watcher/Function/Resource")).toMatchObject({
    function_name: `${NAME}-watcher`,
    handler: "watch_workflow.handler",
    timeout: 120,
    memory_size: 256,
  });
  expect(settingsOf(at("Watcher/Function/Resource"))).toEqual({
    workflow: NAME,
    region: REGION,
    pipeline: "mobile-users",
    environment: "dev",
    title: "mobile-users in dev",
    console: `https://${REGION}.console.aws.amazon.com/glue/home?region=${REGION}#/v2/etl-configuration/workflows/view/${NAME}`,
    topic: reference("Platform/Notifications/Resource", "arn"),
    claims: "etl-dev-locks",
    books: null,
    mayFail: ["etl-dev-segmentlogs-IOS"],
    lateAfterMinutes: 180,
    runDate: null,
    namespace: "EtlPipelines",
    runs: {
      dimension: "WorkflowName",
      succeeded: "RunsSucceeded",
      failed: "RunsFailed",
      stopped: "RunsStopped",
      duration: "RunTime",
      stillRunning: "RunsStillRunning",
    },
    rows: {
      dimension: "StateMachineName",
      rowsRead: "RowsRead",
      rowsWritten: "RowsWritten",
      rowsQuarantined: "RowsQuarantined",
      rowsDuplicate: "RowsDuplicate",
      sourcesMissing: "SourcesMissing",
    },
    runbook: {
      failed: "docs/runbook/workflow-run.md, in the repository that deployed this pipeline",
      missing: "docs/runbook/missing-delivery.md, in the repository that deployed this pipeline",
    },
  });
  expect(at("Watcher/Schedule/Resource")).toMatchObject({
    name: `${NAME}-watcher`,
    description: `Looks at the runs of ${NAME}`,
    schedule_expression: "rate(5 minutes)",
    state: "ENABLED",
    target: {
      arn: reference("Watcher/Function/Resource", "arn"),
      input: "{}",
      retry_policy: { maximum_event_age_in_seconds: 300 },
    },
  });
  expect(built.alarmNames).toEqual(
    ["errors", "throttles", "dead-letters", "undelivered", "silent"].map(
      (suffix) => `${NAME}-watcher-${suffix}`,
    ),
  );
});

test("its rule hears of every way in which a job or crawler ends, and only of the workflow's own", () => {
  const { at, reference } = synth((stack) => make(stack));
  expect(JSON.parse(at("Watcher/Ended").event_pattern as string)).toEqual({
    source: ["aws.glue"],
    "detail-type": ["Glue Job State Change", "Glue Crawler State Change"],
    detail: {
      $or: [
        { jobName: ["etl-dev-mobile-user-daily"], state: ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"] },
        { crawlerName: ["etl-dev-segmentlogs-IOS"], state: ["Succeeded", "Failed"] },
      ],
    },
  });
  expect(at("Watcher/EndedTarget")).toMatchObject({
    rule: reference("Watcher/Ended", "name"),
    arn: reference("Watcher/Function/Resource", "arn"),
  });
  expect(at("Watcher/EndedPermission")).toEqual({
    action: "lambda:InvokeFunction",
    function_name: reference("Watcher/Function/Resource", "function_name"),
    principal: "events.amazonaws.com",
    source_arn: reference("Watcher/Ended", "arn"),
  });
});

test.each([
  [
    "job",
    DAILY,
    { jobName: ["etl-dev-mobile-user-daily"], state: ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"] },
  ],
  ["crawler", IOS, { crawlerName: ["etl-dev-segmentlogs-IOS"], state: ["Succeeded", "Failed"] }],
])("a workflow of one %s has no other in its pattern", (_, node, detail) => {
  const { at } = synth((stack) => make(stack, { workflow: workflowChain([{ trigger: "start", node }]) }));
  expect((JSON.parse(at("Watcher/Ended").event_pattern as string) as { detail: object }).detail).toEqual(
    detail,
  );
});

describe("its rights", () => {
  const RUNS = {
    Effect: "Allow",
    Action: ["glue:GetWorkflowRun", "glue:GetWorkflowRuns"],
    Resource: `arn:aws:glue:${REGION}:${ACCOUNT}:workflow/${NAME}`,
  };
  const rights = (given: Given) => {
    const { statements, reference } = synth((stack) => make(stack, given));
    const key = reference("Platform/Lake/Key/Resource", "arn");
    const common: Statement[] = [
      RUNS,
      {
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/${NAME}-watcher:*`,
      },
      {
        Effect: "Allow",
        Action: "sqs:SendMessage",
        Resource: `arn:aws:sqs:${REGION}:${ACCOUNT}:${NAME}-watcher-dead-letters`,
      },
      {
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: key,
        Condition: { StringEquals: { "kms:EncryptionContext:aws:lambda:FunctionArn": FUNCTION } },
      },
      {
        Effect: "Allow",
        Action: "dynamodb:UpdateItem",
        Resource: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/etl-dev-locks`,
        Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": `runs/${NAME}/*` } },
      },
      {
        Effect: "Allow",
        Action: "sns:Publish",
        Resource: reference("Platform/Notifications/Resource", "arn"),
      },
      {
        Effect: "Allow",
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: key,
        Condition: { StringEquals: { "kms:ViaService": `sns.${REGION}.amazonaws.com` } },
      },
      {
        Effect: "Allow",
        Action: "cloudwatch:PutMetricData",
        Resource: "*",
        Condition: { StringEquals: { "cloudwatch:namespace": "EtlPipelines" } },
      },
    ];
    return { found: byText(statements("Watcher/Function/Role/Policy/Resource")), common, key, reference };
  };

  test("are those that its calls need, on its own workflow, claims, topic and namespace", () => {
    const { found, common } = rights({});
    expect(found).toEqual(byText(common));
  });

  test("include the summaries of books where the job writes them, and nothing else below that folder", () => {
    const { found, common, key } = rights({
      watcher: (platform) => ({ books: platform.lake.location(Zone.PROCESSED, "books/mobile-users/") }),
    });
    const books = found.filter(
      (statement) => !common.some((one) => JSON.stringify(one) === JSON.stringify(statement)),
    );
    const [bucket] = books
      .map(({ Action, Resource }) => (Action === "s3:ListBucket" ? String(Resource) : ""))
      .filter((one) => one !== "");
    expect(books).toEqual(
      byText([
        {
          Effect: "Allow",
          Action: "s3:ListBucket",
          Resource: bucket!,
          Condition: { StringLike: { "s3:prefix": "books/mobile-users/*/summary.json" } },
        },
        { Effect: "Allow", Action: "s3:GetObject", Resource: `${bucket}/books/mobile-users/*/summary.json` },
        {
          Effect: "Allow",
          Action: "kms:Decrypt",
          Resource: key,
          Condition: { StringEquals: { "kms:ViaService": `s3.${REGION}.amazonaws.com` } },
        },
      ]),
    );
  });

  test("every service that the function calls is one of them", () => {
    const code = readFileSync(
      join(ROOT, "glue-scripts", "functions", "watch_workflow", "watch_workflow.py"),
      "utf8",
    );
    const called = [...code.matchAll(/_client\("([a-z0-9]+)"\)\s*\.(\w+)\(/g)].map(
      ([, service, method]) => `${service}:${method}`,
    );
    expect([...new Set(called)].sort()).toEqual([
      "cloudwatch:put_metric_data",
      "dynamodb:update_item",
      "glue:get_workflow_run",
      "glue:get_workflow_runs",
      "s3:get_object",
      "s3:list_objects_v2",
      "sns:publish",
    ]);
  });

  test("the schedule may call the function, and nothing else", () => {
    const { statements, reference } = synth((stack) => make(stack));
    expect(byText(statements("Watcher/Schedule/Role/Policy/Resource"))).toEqual(
      byText([
        {
          Effect: "Allow",
          Action: "lambda:InvokeFunction",
          Resource: reference("Watcher/Function/Resource", "arn"),
        },
        {
          Effect: "Allow",
          Action: "sqs:SendMessage",
          Resource: `arn:aws:sqs:${REGION}:${ACCOUNT}:${NAME}-watcher-schedule-dead-letters`,
        },
      ]),
    );
  });
});

test("a watcher that is not called for three looks is an alarm, also without data", () => {
  const { at, reference } = synth((stack) => make(stack, { watcher: () => ({ everyMinutes: 10 }) }));
  const topic = [reference("Platform/Alerts/Resource", "arn")];
  expect(at("Watcher/Silent")).toEqual({
    alarm_name: `${NAME}-watcher-silent`,
    alarm_description:
      `Workflow ${NAME}: its watcher has not run for 30 minutes, so nobody reports its runs. ` +
      "Check the schedule, its dead letters and the right to call the function. " +
      `Function: https://${REGION}.console.aws.amazon.com/lambda/home?region=${REGION}#/functions/${NAME}-watcher?tab=monitoring ` +
      "Runbook: docs/runbook/workflow-watcher.md",
    namespace: "AWS/Lambda",
    metric_name: "Invocations",
    dimensions: { FunctionName: `${NAME}-watcher` },
    statistic: "Sum",
    period: 600,
    evaluation_periods: 3,
    datapoints_to_alarm: 3,
    comparison_operator: "LessThanThreshold",
    threshold: 1,
    treat_missing_data: "breaching",
    actions_enabled: true,
    alarm_actions: topic,
    ok_actions: topic,
  });
});

test("every prop changed, two in one stack", () => {
  const runbookUrl = "https://wiki.example.com/runbook/";
  const { at, counts } = synth((stack) => {
    make(stack, { platform: { runbookUrl } });
    const node = WorkflowNode.runJob("Load", { jobName: "load", timeoutMinutes: 5 });
    return make(
      stack,
      {
        workflow: { name: "shop", ...workflowChain([{ trigger: "shop", node }]) },
        watcher: (platform) => ({
          pipeline: "orders",
          books: platform.lake.location(Zone.PROCESSED, "books/orders/"),
          lateAfterMinutes: 10_080,
          runDate: { timeZone: "America/Los_Angeles", lagDays: 1 },
          everyMinutes: 1,
          actionsEnabled: false,
          tags: { team: "data" },
        }),
      },
      "Second",
    );
  });
  expect(counts).toMatchObject({
    aws_lambda_function: 2,
    aws_scheduler_schedule: 2,
    aws_cloudwatch_event_rule: 3,
  });
  const settings = settingsOf(at("Second/Function/Resource"));
  expect(settings).toMatchObject({
    workflow: "shop",
    title: "orders in dev",
    books: { prefix: "books/orders/" },
    mayFail: [],
    lateAfterMinutes: 10_080,
    runDate: { timeZone: "America/Los_Angeles", lagDays: 1 },
    runbook: { failed: `${runbookUrl}workflow-run.md`, missing: `${runbookUrl}missing-delivery.md` },
  });
  expect(at("Second/Schedule/Resource")).toMatchObject({ schedule_expression: "rate(1 minute)" });
  expect(at("Second/Silent")).toMatchObject({ period: 60, actions_enabled: false, tags: { team: "data" } });
  for (const path of [
    "Second/Ended",
    "Second/Schedule/Group",
    "Second/Function/Resource",
    "Second/Function/DeadLettersAlarm",
  ])
    expect(at(path)).toMatchObject({ tags: { team: "data" } });
  expect(at("Second/Function/DeadLettersAlarm").actions_enabled).toBe(false);
});

test("the environment of the function fits Lambda with fifty crawls that may fail, which is the most", () => {
  const crawls = Array.from({ length: 50 }, (_, index) => ({
    trigger: `t${index}`,
    node: WorkflowNode.crawl(`Crawl${index}`, { crawlerName: `crawl-${index}`, mayFail: true }),
  }));
  const { at } = synth((stack) => make(stack, { workflow: workflowChain(crawls) }));
  expect(settingsOf(at("Watcher/Function/Resource")).mayFail).toHaveLength(50);
});

const refused = (given: Given): string =>
  refusal((stack) => make(stack, given)).replace("WorkflowWatcher 'etl-dev/Watcher': ", "");

test("refusals, all at once", () => {
  const workflow = { name: "w".repeat(48) };
  const watcher = () => ({
    pipeline: " ",
    lateAfterMinutes: 0,
    everyMinutes: 61,
    runDate: { timeZone: "Europe/Berlyn", lagDays: 367 },
    tags: { team: "YOUR_TEAM" },
  });
  expect(refused({ workflow, watcher }).split("; '")).toEqual([
    "'tags.team' still holds a placeholder, got \"YOUR_TEAM\"; fill it in",
    `workflow' must have a name of at most 47 characters, because the watcher's role is named '<name>-watcher-function', got "${workflow.name}" (48)`,
    "pipeline' must not be empty",
    "lateAfterMinutes' must be a whole number from 1 to 10080, got 0",
    "everyMinutes' must be a whole number from 1 to 60, got 61",
    'runDate.timeZone\' must be a time zone of the IANA database such as Europe/Berlin or UTC, got "Europe/Berlyn"',
    "runDate.lagDays' must be a whole number from 0 to 366, got 367",
  ]);
});

test("a pattern that EventBridge would refuse is refused before", () => {
  const crawls = Array.from({ length: 20 }, (_, index) => ({
    trigger: `t${index}`,
    node: WorkflowNode.crawl(`Crawl${index}`, { crawlerName: `${"c".repeat(100)}-${index}` }),
  }));
  expect(refused({ workflow: workflowChain(crawls) })).toBe(
    "'workflow' must have fewer nodes, or shorter names of crawlers and jobs: the pattern of their events would have 2259 characters, EventBridge takes 2048",
  );
});

test("what only Terraform can resolve is left alone", () => {
  const node = WorkflowNode.crawl("Crawl", { crawlerName: unknownText(), mayFail: true });
  const given: Given = {
    workflow: workflowChain([{ trigger: "start", node }]),
    watcher: () => ({ pipeline: unknownText(), runDate: { timeZone: unknownText(), lagDays: 1 } }),
  };
  expect(() => synth((stack) => make(stack, given))).not.toThrow();
});
