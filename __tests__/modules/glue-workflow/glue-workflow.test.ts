import { GlueJob } from "@cdktf/provider-aws/lib/glue-job";
import { TerraformStack } from "cdktf";
import {
  GlueWorkflow,
  type GlueWorkflowProps,
  type WorkflowSchedule,
} from "../../../modules/glue-workflow/glue-workflow";
import { WorkflowNode } from "../../../modules/glue-workflow/workflow-node";
import { workflowChain, type WorkflowTrigger } from "../../../modules/glue-workflow/workflow-trigger";
import { ServiceRole } from "../../../modules/iam/service-role";
import { ROLE } from "../../support/places";
import { ACCOUNT, byText, refusal, REGION, synth, unknownText } from "../../support/synth";

const NAME = "etl-dev-mobile-users";
const ARN = `arn:aws:glue:${REGION}:${ACCOUNT}:workflow/${NAME}`;

const IOS = WorkflowNode.crawl("CrawlIos", { crawlerName: "etl-dev-segmentlogs-IOS", mayFail: true });
const ANDROID = WorkflowNode.crawl("CrawlAndroid", {
  crawlerName: "etl-dev-segmentlogs-Android",
  mayFail: true,
});
const DAILY = WorkflowNode.runJob("RunJob", { jobName: "etl-dev-mobile-user-daily", timeoutMinutes: 60 });
const MOBILE = WorkflowNode.crawl("CrawlMobile", { crawlerName: "etl-dev-segmentlogs-Mobile" });

/** The eight steps of the document. */
const document = workflowChain([
  { trigger: "etl-dev-mobile-user-start", node: IOS },
  { trigger: "etl-dev-android-crawler-trigger", node: ANDROID },
  { trigger: "etl-dev-mobile-user-etl-trigger", node: DAILY },
  { trigger: "etl-dev-mobile-crawler-trigger", node: MOBILE },
]);
const minimum: GlueWorkflowProps = {
  name: NAME,
  nodes: [DAILY],
  triggers: [{ name: "start", starts: ["RunJob"] }],
  account: ACCOUNT,
  region: REGION,
};

/** A watched workflow; one that nobody watches does not synthesise. */
function make(stack: TerraformStack, props: Partial<GlueWorkflowProps> = {}, id = "Workflow"): GlueWorkflow {
  const workflow = new GlueWorkflow(stack, id, { ...minimum, ...props });
  workflow.grantWatchRuns(ServiceRole.fromRoleAttributes(stack, `${id}Watcher`, ROLE));
  return workflow;
}

const refused = (props: Partial<GlueWorkflowProps>): string =>
  refusal((stack) => make(stack, props)).replace("GlueWorkflow 'etl-dev/Workflow': ", "");

test("minimum: one run at a time, on demand, and nothing starts when it is made", () => {
  const { at, built, counts, reference } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_glue_trigger: 1, aws_glue_workflow: 1, aws_iam_role_policy: 1 });
  expect(at("Workflow/Resource")).toEqual({ name: NAME, max_concurrent_runs: 1 });
  expect(at("Workflow/StartRunJob")).toEqual({
    name: "start",
    workflow_name: reference("Workflow/Resource", "name"),
    type: "ON_DEMAND",
    enabled: false,
    actions: [{ job_name: "etl-dev-mobile-user-daily", timeout: 60 }],
  });
  expect(built).toMatchObject({
    workflowName: NAME,
    workflowArn: ARN,
    enabled: false,
    longestGapMinutes: 0,
    nodes: [DAILY],
  });
  expect([...built.triggers.keys()]).toEqual(["start"]);
  expect(built.run.name).toBe(NAME);
});

describe("the document's eight steps", () => {
  const conditions = (name: string, states: readonly string[]) =>
    states.map((crawl_state) => ({ crawler_name: name, crawl_state, logical_operator: "EQUALS" }));

  test.each<[GlueWorkflowProps["onCrawl"], string, readonly string[]]>([
    [undefined, "ANY", ["SUCCEEDED", "FAILED", "CANCELLED"]],
    ["ended", "ANY", ["SUCCEEDED", "FAILED", "CANCELLED"]],
    ["succeeded", "AND", ["SUCCEEDED"]],
  ])(
    "onCrawl %s: one scheduled trigger, then crawler, trigger, crawler, trigger, job, trigger, crawler",
    (onCrawl, logical, states) => {
      const schedule = { cron: "cron(0 14 * * ? *)" };
      const { at, counts, address, reference, built } = synth((stack) =>
        make(stack, { ...document, schedule, onCrawl }),
      );
      expect(counts).toMatchObject({ aws_glue_workflow: 1, aws_glue_trigger: 4 });
      const workflow_name = reference("Workflow/Resource", "name");
      const conditional = { type: "CONDITIONAL", enabled: true, workflow_name };
      expect(at("Workflow/StartCrawlIos")).toEqual({
        name: "etl-dev-mobile-user-start",
        workflow_name,
        type: "SCHEDULED",
        enabled: true,
        schedule: "cron(0 14 * * ? *)",
        actions: [{ crawler_name: "etl-dev-segmentlogs-IOS" }],
        depends_on: ["StartCrawlAndroid", "StartRunJob", "StartCrawlMobile"].map((id) =>
          address(`Workflow/${id}`),
        ),
      });
      expect(at("Workflow/StartCrawlAndroid")).toEqual({
        name: "etl-dev-android-crawler-trigger",
        ...conditional,
        predicate: { logical, conditions: conditions("etl-dev-segmentlogs-IOS", states) },
        actions: [{ crawler_name: "etl-dev-segmentlogs-Android" }],
      });
      expect(at("Workflow/StartRunJob")).toEqual({
        name: "etl-dev-mobile-user-etl-trigger",
        ...conditional,
        predicate: { logical, conditions: conditions("etl-dev-segmentlogs-Android", states) },
        actions: [{ job_name: "etl-dev-mobile-user-daily", timeout: 60 }],
      });
      expect(at("Workflow/StartCrawlMobile")).toEqual({
        name: "etl-dev-mobile-crawler-trigger",
        ...conditional,
        predicate: {
          logical: "AND",
          conditions: [
            { job_name: "etl-dev-mobile-user-daily", state: "SUCCEEDED", logical_operator: "EQUALS" },
          ],
        },
        actions: [{ crawler_name: "etl-dev-segmentlogs-Mobile" }],
      });
      expect([built.enabled, built.longestGapMinutes]).toEqual([true, 24 * 60]);
    },
  );
});

test("a schedule that is off leaves its trigger there, and the conditional ones activated", () => {
  const schedule = { cron: "cron(0 14 * * ? *)", enabled: false };
  const { all, built } = synth((stack) => make(stack, { ...document, schedule }));
  const enabled = all("aws_glue_trigger").map(({ type, enabled }) => `${String(type)} ${String(enabled)}`);
  expect([...new Set(enabled)].sort()).toEqual(["CONDITIONAL true", "SCHEDULED false"]);
  expect(built.enabled).toBe(false);
});

test("no trigger of any workflow is of the type EVENT, and each has its type by its place", () => {
  const { all } = synth((stack) => make(stack, document));
  expect(
    all("aws_glue_trigger")
      .map(({ type }) => type)
      .sort(),
  ).toEqual([...["CONDITIONAL", "CONDITIONAL", "CONDITIONAL"], "ON_DEMAND"]);
});

test("every prop changed, two in one stack, and a graph with branches", () => {
  const load = WorkflowNode.runJob("Load", {
    jobName: "load",
    timeoutMinutes: 10_079,
    arguments: { mode: "full", "enable-x": "true" },
  });
  const audit = WorkflowNode.runJob("Audit", { jobName: "audit", timeoutMinutes: 1 });
  const clean = WorkflowNode.runJob("Clean", { jobName: "clean", timeoutMinutes: 5 });
  const publish = WorkflowNode.crawl("Publish", { crawlerName: "publish" });
  const { at, all, counts } = synth((stack) => {
    make(stack, {}, "Other");
    return make(stack, {
      name: "shop",
      nodes: [load, audit, clean, publish],
      triggers: [
        { name: "start", starts: ["Load", "Audit"] },
        { name: "both", after: ["Load", "Audit"], starts: ["Publish"] },
        {
          name: "badly",
          after: [{ node: "Load", states: ["FAILED", "TIMEOUT", "STOPPED"] }],
          starts: ["Clean"],
        },
      ],
      schedule: { cron: "cron(0/5 14 ? * MON-FRI *)", timeZone: "UTC", enabled: true },
      onCrawl: "succeeded",
      description: "The shop's orders",
      account: "111122223333",
      region: "cn-north-1",
      tags: { team: "data" },
    });
  });
  expect(counts).toMatchObject({ aws_glue_workflow: 2, aws_glue_trigger: 4 });
  expect(at("Workflow/Resource")).toEqual({
    name: "shop",
    description: "The shop's orders",
    max_concurrent_runs: 1,
    tags: { team: "data" },
  });
  expect(at("Workflow/StartLoad")).toMatchObject({
    schedule: "cron(0/5 14 ? * MON-FRI *)",
    actions: [
      { job_name: "load", timeout: 10_079, arguments: { "--mode": "full", "--enable-x": "true" } },
      { job_name: "audit", timeout: 1 },
    ],
  });
  expect(at("Workflow/StartPublish").predicate).toEqual({
    logical: "AND",
    conditions: [
      { job_name: "load", state: "SUCCEEDED", logical_operator: "EQUALS" },
      { job_name: "audit", state: "SUCCEEDED", logical_operator: "EQUALS" },
    ],
  });
  expect(at("Workflow/StartClean").predicate).toEqual({
    logical: "ANY",
    conditions: ["FAILED", "TIMEOUT", "STOPPED"].map((state) => ({
      job_name: "load",
      state,
      logical_operator: "EQUALS",
    })),
  });
  const tagged = all("aws_glue_trigger").filter(({ tags }) => JSON.stringify(tags) === '{"team":"data"}');
  expect(tagged).toHaveLength(3);
});

describe("rights", () => {
  test.each<[string, (workflow: GlueWorkflow, role: ServiceRole) => void, string[]]>([
    [
      "a job reads the run that started it",
      (workflow, role) => workflow.grantReadRun(role),
      ["glue:GetWorkflowRun", "glue:GetWorkflowRunProperties"],
    ],
    [
      "a watcher lists runs and reads graphs",
      (workflow, role) => workflow.grantWatchRuns(role),
      ["glue:GetWorkflowRun", "glue:GetWorkflowRuns"],
    ],
  ])("%s, of this workflow only", (_, grant, actions) => {
    const { statements } = synth((stack) => {
      const role = new ServiceRole(stack, "Role", { name: "job", service: "glue.amazonaws.com" });
      grant(make(stack), role);
    });
    expect(byText(statements("Role/Policy/Resource"))).toEqual([
      { Effect: "Allow", Action: actions, Resource: ARN },
    ]);
  });

  test("triggers have no role: nothing but the workflow and its triggers is made", () => {
    const { counts } = synth((stack) => make(stack, document));
    expect(counts).toEqual({ aws_glue_trigger: 4, aws_glue_workflow: 1, aws_iam_role_policy: 1 });
  });
});

test("a workflow that nobody watches does not synthesise", () => {
  expect(refusal((stack) => new GlueWorkflow(stack, "Workflow", minimum))).toContain(
    "GlueWorkflow 'etl-dev/Workflow': nobody watches its runs, and a run of a Glue workflow ends COMPLETED though nodes failed; " +
      "add a WorkflowWatcher, or call grantWatchRuns for the role of your own watcher",
  );
});

const start: WorkflowTrigger = { name: "start", starts: ["CrawlIos"] };
const jobAfter = (after: WorkflowTrigger["after"]): Partial<GlueWorkflowProps> => ({
  nodes: [IOS, DAILY],
  triggers: [start, { name: "job", after, starts: ["RunJob"] }],
});
const crawls = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    WorkflowNode.crawl(`Crawl${index}`, { crawlerName: `crawl-${index}` }),
  );
const jobs = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    WorkflowNode.runJob(`Job${index}`, { jobName: `job-${index}`, timeoutMinutes: 1 }),
  );
const named = (nodes: readonly { name: string }[]): string[] => nodes.map(({ name }) => name);

test("refusals, all at once, in the caller's words", () => {
  const mistakes: Partial<GlueWorkflowProps> = {
    name: "etl dev",
    account: "<account>",
    region: "Ireland",
    onCrawl: "always" as never,
    schedule: { cron: "cron(61 4 * 13 * *)", timeZone: "Europe/Berlyn" },
    nodes: [
      WorkflowNode.crawl("crawl-ios", { crawlerName: "" }),
      DAILY,
      { ...DAILY, timeoutMinutes: 0 },
      WorkflowNode.runJob("Other", {
        jobName: DAILY.jobName,
        timeoutMinutes: 10_080,
        arguments: { "--x": "1", WORKFLOW_NAME: "w", password: "hunter22" },
      }),
    ],
    triggers: [
      { name: "a", starts: [] },
      { name: "a", starts: ["RunJob", "RunJob"] },
      { name: "c", after: [], starts: ["RunJob"] },
      { name: "", after: ["Nobody", "Other", "Other"], starts: ["Other", "Nothing"] },
    ],
  };
  expect(refused(mistakes).split("; '")).toEqual([
    "'account' still holds a placeholder, got \"<account>\"; fill it in",
    'region\' must be an AWS region such as eu-west-1, got "Ireland"',
    'name\' must be 1 to 80 letters, digits, hyphens or underscores, got "etl dev" (7)',
    'onCrawl\' must be "ended" or "succeeded", got "always"',
    'schedule.cron\' must have 0 to 59 in minutes, as a list, a range or a step, got "61"',
    'schedule.cron\' must have 1 to 12 or JAN to DEC in month, as a list, a range or a step, got "13"',
    'schedule.cron\' must have ? for exactly one of day of month and day of week, got "*" and "*"',
    'schedule.timeZone\' must be a time zone of the IANA database such as Europe/Berlin or UTC, got "Europe/Berlyn"',
    'nodes[0].name\' must be UpperCamel of 1 to 60 letters and digits, because it is part of the ids of triggers, got "crawl-ios"',
    'nodes[0].crawlerName\' must be the name of a crawler, 1 to 255 characters, got ""',
    "nodes[2].name' must not repeat 'RunJob'",
    "nodes[2].jobName' must not repeat 'etl-dev-mobile-user-daily', the job of 'RunJob': a job runs once in a run of the workflow",
    "nodes[2].timeoutMinutes' must be a whole number from 1 to 10079, got 0",
    "nodes[3].jobName' must not repeat 'etl-dev-mobile-user-daily', the job of 'RunJob': a job runs once in a run of the workflow",
    "nodes[3].timeoutMinutes' must be a whole number from 1 to 10079, got 10080",
    "nodes[3].arguments.--x' must be a name without leading hyphens",
    "nodes[3].arguments.WORKFLOW_NAME' is given by Glue to every job of a workflow; leave it out",
    expect.stringMatching(/^nodes\[3\]\.arguments\.password' /) as string,
    "triggers' must have one without 'after', which starts the workflow, got 'a', 'a'",
    "triggers[0].starts' must name at least one node",
    "triggers[1].name' must not repeat 'a'",
    "triggers[1].starts[1]' must not start 'RunJob' again: a node is started by one trigger; let that one wait for what both wait for",
    "triggers[2].starts[0]' must not start 'RunJob' again: a node is started by one trigger; let that one wait for what both wait for",
    "triggers[2].after' must name at least one node; leave it out for the start trigger",
    'triggers[3].name\' must be 1 to 255 characters, got ""',
    "triggers[3].starts[1]' must be the name of a node, got 'Nothing'; the nodes are 'crawl-ios', 'RunJob', 'RunJob', 'Other'",
    "triggers[3].after[0]' must be the name of a node, got 'Nobody'",
    "triggers[3].after[1]' must not be 'Other', which the trigger starts: it would wait for its own action",
    "triggers[3].after[2]' must not repeat 'Other'",
    "triggers[3].after[2]' must not be 'Other', which the trigger starts: it would wait for its own action",
  ]);
});

test.each<[string, Partial<GlueWorkflowProps>, string]>([
  [
    "no start",
    { triggers: [{ name: "start", after: ["RunJob"], starts: ["CrawlIos"] }], nodes: [IOS, DAILY] },
    "'triggers' must have one without 'after', which starts the workflow, got none",
  ],
  [
    "a job state that no trigger sees",
    {
      nodes: [DAILY, MOBILE],
      triggers: [
        { name: "start", starts: ["RunJob"] },
        { name: "next", after: [{ node: "RunJob", states: ["ERROR"] }], starts: ["CrawlMobile"] },
      ],
    },
    "'triggers[1].after[0].states' must be of SUCCEEDED, FAILED, TIMEOUT, STOPPED for 'RunJob', a job, got 'ERROR', which no trigger of Glue sees",
  ],
  [
    "a crawl state of a job",
    jobAfter([{ node: "CrawlIos", states: ["TIMEOUT"] }]),
    "'triggers[1].after[0].states' must be of SUCCEEDED, FAILED, CANCELLED for 'CrawlIos', a crawl, got 'TIMEOUT'",
  ],
  [
    "no state, and a state twice",
    {
      nodes: [IOS, DAILY, MOBILE],
      triggers: [
        start,
        { name: "job", after: [{ node: "CrawlIos", states: [] }], starts: ["RunJob"] },
        {
          name: "crawl",
          after: [{ node: "RunJob", states: ["SUCCEEDED", "SUCCEEDED"] }],
          starts: ["CrawlMobile"],
        },
      ],
    },
    "'triggers[1].after[0].states' must name at least one state; 'triggers[2].after[0].states' must not repeat 'SUCCEEDED'",
  ],
  [
    "one failure without the others",
    jobAfter([{ node: "CrawlIos", states: ["SUCCEEDED", "FAILED"] }]),
    "'nodes[0]' ('CrawlIos') has triggers for FAILED, and none for CANCELLED: a run that ends so would pass by them; " +
      "watch all states of failure, or none",
  ],
  [
    "several nodes of which one may fail",
    {
      nodes: [IOS, ANDROID, DAILY],
      triggers: [
        { name: "start", starts: ["CrawlIos", "CrawlAndroid"] },
        { name: "job", after: ["CrawlIos", "CrawlAndroid"], starts: ["RunJob"] },
      ],
    },
    "'triggers[1].after' must have one state for each node if it has several nodes, got 'SUCCEEDED', 'FAILED', 'CANCELLED' for 'CrawlIos': " +
      "Glue takes all conditions or any of them, and nothing between; start the nodes one after the other, or wait for success only " +
      '(onCrawl "succeeded")',
  ],
  [
    "three crawls by one trigger",
    { nodes: crawls(3), triggers: [{ name: "start", starts: named(crawls(3)) }] },
    "'triggers[0].starts' must have at most 2 crawls, because Glue starts no more by one trigger, got 3; start them one after the other",
  ],
  [
    "more jobs than the quota of a trigger",
    { nodes: jobs(51), triggers: [{ name: "start", starts: named(jobs(51)) }] },
    "'triggers[0].starts' must have at most 50 jobs, which is Glue's quota for a trigger, got 51",
  ],
  [
    "more parts than Glue resumes",
    {
      nodes: jobs(51),
      triggers: jobs(51).map(({ name }, index) => ({
        name: `t${index}`,
        ...(index === 0 ? {} : { after: [`Job${index - 1}`] }),
        starts: [name],
      })),
    },
    "'nodes' must be at most 100 together with 'triggers', or Glue may fail to stop or resume a run, got 51 and 51",
  ],
  [
    "a node that nothing starts",
    { nodes: [DAILY, MOBILE], triggers: [{ name: "start", starts: ["RunJob"] }] },
    "'nodes[1]' ('CrawlMobile') is started by no trigger; name it in 'starts' of one, or leave it out",
  ],
  [
    "nodes that wait for each other",
    {
      nodes: [DAILY, IOS, MOBILE],
      triggers: [
        { name: "start", starts: ["RunJob"] },
        { name: "a", after: ["CrawlMobile"], starts: ["CrawlIos"] },
        { name: "b", after: ["CrawlIos"], starts: ["CrawlMobile"] },
      ],
    },
    "'nodes[1]' ('CrawlIos') is never reached: its trigger 'a' waits for 'CrawlMobile' (SUCCEEDED), which does not happen in one run of this workflow; " +
      "'nodes[2]' ('CrawlMobile') is never reached: its trigger 'b' waits for 'CrawlIos' (SUCCEEDED, FAILED, CANCELLED), " +
      "which does not happen in one run of this workflow",
  ],
  [
    "a node that waits for success and for what only a failure starts",
    {
      nodes: [...jobs(2), MOBILE],
      triggers: [
        { name: "start", starts: ["Job0"] },
        {
          name: "badly",
          after: [{ node: "Job0", states: ["FAILED", "TIMEOUT", "STOPPED"] }],
          starts: ["Job1"],
        },
        { name: "both", after: ["Job0", "Job1"], starts: ["CrawlMobile"] },
      ],
    },
    "'nodes[2]' ('CrawlMobile') is never reached: its trigger 'both' waits for 'Job0' (SUCCEEDED) and 'Job1' (SUCCEEDED), " +
      "which does not happen in one run of this workflow",
  ],
])("refused: %s", (_, props, message) => {
  expect(refused(props)).toBe(message);
});

describe("a schedule is in UTC", () => {
  const withSchedule = (schedule: WorkflowSchedule): Partial<GlueWorkflowProps> => ({ schedule });
  const CHOOSE =
    "choose one and leave 'timeZone' out, or leave 'schedule' out and let a PipelineSchedule of 'run' start it, whose clock follows the zone";

  test.each(["UTC", "Etc/UTC", "GMT", "Africa/Abidjan"])("%s is UTC", (timeZone) => {
    const schedule = { cron: "cron(0 6 * * ? *)", timeZone };
    expect(synth((stack) => make(stack, { schedule })).at("Workflow/StartRunJob").schedule).toBe(
      schedule.cron,
    );
  });

  test.each<[WorkflowSchedule, string]>([
    [
      { cron: "cron(0 6 * * ? *)", timeZone: "America/Los_Angeles" },
      "'schedule.timeZone' must be UTC, because Glue's schedules are in UTC, got \"America/Los_Angeles\", whose clock changes: " +
        `write cron(0 14 * * ? *) while its clock is at UTC-08:00, write cron(0 13 * * ? *) while its clock is at UTC-07:00; ${CHOOSE}`,
    ],
    [
      { cron: "cron(0 6 * * ? *)", timeZone: "Asia/Kolkata" },
      "'schedule.timeZone' must be UTC, because Glue's schedules are in UTC, got \"Asia/Kolkata\": write cron(30 0 * * ? *), and leave it out",
    ],
    [
      { cron: "cron(0 1 ? * MON *)", timeZone: "Asia/Tokyo" },
      "'schedule.timeZone' must be UTC, because Glue's schedules are in UTC, got \"Asia/Tokyo\": write the expression 9:00 hours earlier, and leave it out",
    ],
    [
      { cron: "rate(1 day)" },
      "'schedule.cron' must be a cron expression, because Glue takes no rate(…) and no at(…), got \"rate(1 day)\"",
    ],
    [
      { cron: "cron(0 4 31 2 ? *)" },
      "'schedule.cron' must fire at least once in UTC, got \"cron(0 4 31 2 ? *)\", which never does",
    ],
    [
      { cron: "cron(0/4 * * * ? *)" },
      "'schedule.cron' must leave at least 5 minutes between two starts, which is Glue's precision, got \"cron(0/4 * * * ? *)\" with 4",
    ],
  ])("%j is refused", (schedule, message) => {
    expect(refused(withSchedule(schedule))).toBe(message);
  });
});

describe("a crawler or job of two workflows", () => {
  const twice = (other: Partial<GlueWorkflowProps>) =>
    refusal((stack) => {
      make(stack, { name: "first", ...document }, "First");
      make(stack, {
        ...document,
        triggers: document.triggers.map((one) => ({ ...one, name: `${one.name}2` })),
        ...other,
      });
    });

  test("is refused, each by its name", () => {
    const message = (index: number, what: string, name: string) =>
      `'nodes[${index}]' must not be the ${what} of another workflow, and ${name} is in 'etl-dev/First' too: ` +
      `a run would disturb the other's; give each workflow a ${what} of its own`;
    expect(twice({})).toBe(
      `GlueWorkflow 'etl-dev/Workflow': ${[
        message(0, "crawler", "etl-dev-segmentlogs-IOS"),
        message(1, "crawler", "etl-dev-segmentlogs-Android"),
        message(2, "job", "etl-dev-mobile-user-daily"),
        message(3, "crawler", "etl-dev-segmentlogs-Mobile"),
      ].join("; ")}`,
    );
  });

  test.each<Partial<GlueWorkflowProps>>([{ account: "111122223333" }, { region: "eu-north-1" }])(
    "is another one in %j",
    (elsewhere) => {
      expect(() => twice(elsewhere)).toThrow("nothing was refused");
    },
  );

  test("by a reference is one of its stack: the same address in two stacks is two jobs", () => {
    const withReference = (stack: TerraformStack, id: string): GlueWorkflow => {
      const job = new GlueJob(stack, `${id}Job`, {
        name: "load",
        roleArn: ROLE.roleArn,
        command: { scriptLocation: "s3://code/load.py" },
      });
      job.overrideLogicalId("Load");
      const node = WorkflowNode.runJob("RunJob", { jobName: job.name, timeoutMinutes: 1 });
      return make(stack, { nodes: [node] }, id);
    };
    const inTwo = (ids: readonly [string, string], isOther: boolean): string =>
      refusal((stack) => {
        withReference(stack, ids[0]);
        withReference(isOther ? new TerraformStack(stack.node.root, "staging") : stack, ids[1]);
      });
    expect(() => inTwo(["One", "Two"], true)).toThrow("nothing was refused");
    expect(inTwo(["One", "Two"], false)).toContain("${aws_glue_job.Load.name} is in 'etl-dev/One' too");
  });
});

test("what only Terraform can resolve is left alone", () => {
  const job = WorkflowNode.runJob("RunJob", {
    jobName: unknownText(),
    timeoutMinutes: 5,
    arguments: { token_name: unknownText(), password: unknownText() },
  });
  const props: Partial<GlueWorkflowProps> = {
    name: unknownText(),
    account: unknownText(),
    nodes: [job, WorkflowNode.crawl("Crawl", { crawlerName: unknownText() })],
    triggers: [
      { name: unknownText(), starts: ["RunJob"] },
      { name: unknownText(), after: ["RunJob"], starts: ["Crawl"] },
    ],
  };
  expect(() => synth((stack) => make(stack, props))).not.toThrow();
});
