import { TerraformOutput, type TerraformStack } from "cdktf";
import {
  type AcquireLockStepProps,
  type CheckBooksStepProps,
  type CheckQualityStepProps,
  type ChooseStepProps,
  type CrawlStepProps,
  EtlOrchestrator,
  type EtlOrchestratorProps,
  FailureMessenger,
  type FailureMessengerProps,
  type FailStepProps,
  type ForEachStepProps,
  type InvokeFunctionStepProps,
  type IRole,
  type NotifyStepProps,
  type ParallelStepProps,
  type QueryStepProps,
  type RecordMetricsStepProps,
  type ReleaseLockStepProps,
  type RunJobStepProps,
  ServiceRole,
  Step,
  type TaskStepProps,
} from "../../../index";
import { judge, unjudged } from "../../support/judged-props";
import { RecordingTopic } from "../../support/orchestrator";
import { place } from "../../support/places";

/** Steps and their orchestrator; all other props types are judged in `no-prop-is-dropped.test.ts` of the core. */

/** A step as all that it says. */
const shown = (stack: TerraformStack, step: Step): void =>
  void new TerraformOutput(stack, "step", { value: JSON.stringify(step) });

const ONE = place("one", "x/", "arn:aws:kms:eu-west-1:000000000000:key/one");
const TWO = place("two", "y/", "arn:aws:kms:eu-west-1:000000000000:key/two");

test("AcquireLockStep", () => {
  const sets: [Required<AcquireLockStepProps>, Required<AcquireLockStepProps>] = [
    { table: { tableName: "one" }, waitMinutes: 7, workflow: { workflowName: "a", jobName: "b" } },
    { table: { tableName: "two" }, waitMinutes: 9, workflow: { workflowName: "c", jobName: "d" } },
  ];
  judge(
    "AcquireLockStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.acquireLock("Lock", props)),
    {
      becomes: { waitMinutes: String.raw`MaxPolls\":14` },
    },
  );
});

test("ReleaseLockStep", () => {
  const sets: [ReleaseLockStepProps, ReleaseLockStepProps] = [
    { table: { tableName: "one" } },
    { table: { tableName: "two" } },
  ];
  judge(
    "ReleaseLockStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.releaseLock("Lock", props)),
  );
});

test("CrawlStep", () => {
  const sets: [Required<CrawlStepProps>, Required<CrawlStepProps>] = [
    { crawlerName: "one", deadlineMinutes: 7 },
    { crawlerName: "two", deadlineMinutes: 9 },
  ];
  judge(
    "CrawlStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.crawl("Crawl", props)),
  );
});

test("RunJobStep", () => {
  type Props = Omit<Required<RunJobStepProps>, "jobRunQueuingEnabled">;
  const sets: [Props, Props] = [
    {
      jobName: "one",
      timeoutMinutes: 11,
      capacity: { kind: "fixed", workerType: "G.1X", workers: 3 },
      executionClass: "FLEX",
      region: "eu-west-1",
      overrides: { workerType: "G.2X", timeoutMinutes: 90 },
      runArguments: { one: "$.run.one" },
    },
    {
      jobName: "two",
      timeoutMinutes: 12,
      capacity: { kind: "autoScaling", workerType: "G.1X", maxWorkers: 4 },
      executionClass: "STANDARD",
      region: "eu-west-2",
      overrides: { workerType: "G.1X", timeoutMinutes: 91 },
      runArguments: { two: "$.run.two" },
    },
  ];
  const build = (stack: TerraformStack, props: RunJobStepProps) => shown(stack, Step.runJob("Run", props));
  judge("RunJobStepProps", () => sets, build, {
    only: ["jobName", "capacity", "executionClass", "region", "overrides", "runArguments"],
  });
  const without = sets.map((set) => ({ ...set, overrides: undefined }));
  const queued = without.map((set) => ({ ...set, executionClass: "STANDARD" as const }));
  judge(
    "RunJobStepProps",
    () => [
      { ...queued[0]!, jobRunQueuingEnabled: true },
      { ...queued[1]!, jobRunQueuingEnabled: false },
    ],
    build,
    { only: ["timeoutMinutes", "jobRunQueuingEnabled"] },
  );
});

test("CheckBooksStep", () => {
  const sets: [Required<CheckBooksStepProps>, Required<CheckBooksStepProps>] = [
    { books: ONE, emptyGoesTo: "One", sources: ["ios"] },
    { books: TWO, emptyGoesTo: "Two", sources: ["android", "web"] },
  ];
  judge(
    "CheckBooksStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.checkBooks("Books", props)),
  );
});

test("CheckQualityStep", () => {
  const sets: [Required<CheckQualityStepProps>, Required<CheckQualityStepProps>] = [
    {
      query: { sql: "select 1", parameters: ["read"] },
      workgroup: { workgroupName: "one" },
      output: ONE,
      books: "BooksOne",
    },
    {
      query: { sql: "select 2", parameters: ["written"] },
      workgroup: { workgroupName: "two" },
      output: TWO,
      books: "BooksTwo",
    },
  ];
  judge(
    "CheckQualityStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.checkQuality("Quality", props)),
    { becomes: { books: "booksOne" } },
  );
});

test.each(["RecordMetricsStepProps", "NotifyStepProps"] as const)("%s", (type) => {
  const sets: [Required<RecordMetricsStepProps & NotifyStepProps>, RecordMetricsStepProps] = [
    { books: "BooksOne", hasSources: true },
    { books: "BooksTwo", hasSources: false },
  ];
  const make = (name: string, props: NotifyStepProps) =>
    type === "NotifyStepProps" ? Step.notify(name, props) : Step.recordMetrics(name, props);
  judge(
    type,
    () => sets,
    (stack, props: NotifyStepProps) => shown(stack, make("Last", props)),
    {
      becomes: {
        books: "booksOne",
        hasSources: type === "NotifyStepProps" ? "sourcesText" : "SourcesMissing",
      },
    },
  );
});

const inner = (name: string) => Step.fail(name, { error: "Stopped", cause: "it ends" });
const RULE = { Variable: "$.run.mode", StringEquals: "daily" };

test("InvokeFunctionStep", () => {
  const sets: [Required<InvokeFunctionStepProps>, Required<InvokeFunctionStepProps>] = [
    { function: { functionName: "one", timeoutSeconds: 7 }, payload: { one: 1 }, idempotent: true },
    { function: { functionName: "two", timeoutSeconds: 9 }, payload: { two: 2 }, idempotent: false },
  ];
  judge(
    "InvokeFunctionStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.invokeFunction("Call", props)),
    { becomes: { idempotent: "Lambda.SdkClientException" } },
  );
});

test("QueryStep", () => {
  const sets: [Required<QueryStepProps>, Required<QueryStepProps>] = [
    {
      sql: "select 1 as one",
      workgroup: { workgroupName: "one" },
      database: "one",
      parameters: ["$.run.one"],
      answer: { one: "number" },
    },
    {
      sql: "select 2 as two",
      workgroup: { workgroupName: "two" },
      database: "two",
      parameters: ["$.run.two"],
      answer: { two: "text" },
    },
  ];
  judge(
    "QueryStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.query("Ask", props)),
    { becomes: { answer: "one.$" } },
  );
});

test("TaskStep", () => {
  const statement = (name: string) => ({
    effect: "Allow" as const,
    actions: [`${name}:Go`],
    resources: [`arn:aws:${name}:::x`],
  });
  const sets: [Required<TaskStepProps>, Required<TaskStepProps>] = [
    {
      call: "one:go",
      parameters: { One: 1 },
      timeoutSeconds: 7,
      result: { "one.$": "$.One" },
      retry: [{ ErrorEquals: ["One.Busy"] }],
      statements: [statement("one")],
    },
    {
      call: "two:go",
      parameters: { Two: 2 },
      timeoutSeconds: 9,
      result: { "two.$": "$.Two" },
      retry: [{ ErrorEquals: ["Two.Busy"] }],
      statements: [statement("two")],
    },
  ];
  judge(
    "TaskStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.task("Do", props)),
  );
});

test("ChooseStep", () => {
  const sets: [ChooseStepProps, ChooseStepProps] = [
    { branches: [{ when: RULE, steps: [inner("One")] }], otherwise: [inner("OtherOne")] },
    { branches: [{ when: RULE, steps: [inner("Two")] }], otherwise: [inner("OtherTwo")] },
  ];
  judge(
    "ChooseStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.choose("Which", props)),
  );
});

test("ParallelStep", () => {
  const sets: [ParallelStepProps, ParallelStepProps] = [
    { branches: { one: [inner("One")], other: [inner("Other")] } },
    { branches: { two: [inner("Two")], other: [inner("Other")] } },
  ];
  judge(
    "ParallelStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.parallel("Both", props)),
  );
});

test("ForEachStep", () => {
  const sets: [Required<ForEachStepProps>, Required<ForEachStepProps>] = [
    {
      items: "$.run.one",
      mostItems: 11,
      steps: [inner("One")],
      maxConcurrency: 3,
      toleratedFailures: 4,
      keep: "$.results.one",
    },
    {
      items: "$.run.two",
      mostItems: 12,
      steps: [inner("Two")],
      maxConcurrency: 5,
      toleratedFailures: 6,
      keep: "$.results.two",
    },
  ];
  judge(
    "ForEachStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.forEach("Each", props)),
  );
});

test("FailStep", () => {
  const sets: [FailStepProps, FailStepProps] = [
    { error: "One", cause: "first" },
    { error: "Two", cause: "second" },
  ];
  judge(
    "FailStepProps",
    () => sets,
    (stack, props) => shown(stack, Step.fail("Stop", props)),
  );
});

/** A brought role that is granted something of its own. */
function used(stack: TerraformStack, name: string): IRole {
  const attributes = { roleName: name, roleArn: `arn:${name}` };
  const brought = ServiceRole.fromRoleAttributes(stack, `Role-${name}`, attributes);
  brought.addToPolicy({ actions: ["sts:GetCallerIdentity"], resources: ["*"] });
  return brought;
}

test("FailureMessenger", () => {
  const sets = (
    stack: TerraformStack,
  ): [Required<FailureMessengerProps>, Required<FailureMessengerProps>] => [
    {
      name: "one",
      notifications: new RecordingTopic("arn:aws:sns:eu-west-1:000000000000:one"),
      account: "000000000000",
      region: "eu-west-1",
      logRetentionDays: 7,
      role: used(stack, "one"),
      tracing: false,
      tags: { team: "data" },
    },
    {
      name: "two",
      notifications: new RecordingTopic("arn:aws:sns:eu-west-1:000000000000:two"),
      account: "111122223333",
      region: "cn-north-1",
      logRetentionDays: 14,
      role: used(stack, "two"),
      tracing: true,
      tags: { team: "shop" },
    },
  ];
  const build = (stack: TerraformStack, props: FailureMessengerProps) =>
    new FailureMessenger(stack, "Messenger", props);
  judge("FailureMessengerProps", sets, build, { becomes: { notifications: ":one", role: "arn:one" } });
});

test("EtlOrchestrator", () => {
  type Props = Omit<Required<EtlOrchestratorProps>, "definition" | "input">;
  const sets = (stack: TerraformStack): [Props, Props] => [
    {
      name: "one",
      pipeline: "events",
      steps: [
        Step.runJob("RunOne", { jobName: "job-one", timeoutMinutes: 5 }),
        Step.checkBooks("CheckBooks", { books: ONE }),
        Step.acquireLock("Take", { ...LOCK, waitMinutes: 5 }),
        Step.releaseLock("Free", LOCK),
        Step.notify("Tell"),
      ],
      notifications: new RecordingTopic("arn:aws:sns:eu-west-1:000000000000:one"),
      environment: "environment-one",
      failureMessenger: { stateMachineArn: "arn:messenger-one", ruleRoleArn: "arn:rules-one" },
      account: "000000000000",
      region: "eu-west-1",
      runbookUrl: "https://one.example.com/",
      timeoutMinutes: 301,
      logRetentionDays: 7,
      includeExecutionData: true,
      tracing: false,
      role: used(stack, "one"),
      tags: { team: "data" },
    },
    {
      name: "two",
      pipeline: "orders",
      steps: [
        Step.runJob("RunTwo", { jobName: "job-two", timeoutMinutes: 5 }),
        Step.checkBooks("CheckBooks", { books: ONE }),
        Step.acquireLock("Take", { ...LOCK, waitMinutes: 5 }),
        Step.releaseLock("Free", LOCK),
        Step.notify("Tell"),
      ],
      notifications: new RecordingTopic("arn:aws:sns:eu-west-1:000000000000:two"),
      environment: "environment-two",
      failureMessenger: { stateMachineArn: "arn:messenger-two", ruleRoleArn: "arn:rules-two" },
      account: "111122223333",
      region: "cn-north-1",
      runbookUrl: "https://two.example.com/",
      timeoutMinutes: 302,
      logRetentionDays: 14,
      includeExecutionData: false,
      tracing: true,
      role: used(stack, "two"),
      tags: { team: "shop" },
    },
  ];
  const build = (stack: TerraformStack, props: EtlOrchestratorProps) =>
    new EtlOrchestrator(stack, "Orchestrator", props);
  judge("EtlOrchestratorProps", sets, build, {
    becomes: { notifications: ":one", role: "arn:one", timeoutMinutes: String(301 * 60) },
  });
  // Instead of steps.
  const written = (stack: TerraformStack): [EtlOrchestratorProps, EtlOrchestratorProps] => {
    const [full, other] = sets(stack).map((set) => ({ ...set, steps: undefined, timeoutMinutes: undefined }));
    const template = (state: string) => ({ StartAt: state, States: { [state]: { Type: "Succeed" } } });
    return [
      { ...full!, definition: { template: template("WrittenOne") } },
      { ...other!, definition: { template: template("WrittenTwo") } },
    ];
  };
  judge("EtlOrchestratorProps", written, build, { only: ["definition"] });
  // Steps of a run with dates do not take other fields.
  const ownInput = (stack: TerraformStack): [EtlOrchestratorProps, EtlOrchestratorProps] => {
    const steps = [Step.fail("Stop", { error: "Stopped", cause: "nothing to do" })];
    const [full, other] = sets(stack).map((set) => ({ ...set, steps }));
    return [
      { ...full!, input: { fields: { shop: { type: "string" } } } },
      { ...other!, input: { fields: { limit: { type: "integer" } } } },
    ];
  };
  judge("EtlOrchestratorProps", ownInput, build, { only: ["input"], becomes: { input: "$.input.shop" } });
});

const LOCK = { table: { tableName: "locks" } };

test("every props type of a step and the orchestrator's has a case that names all its props", () => {
  expect(unjudged((type) => /(Step|Orchestrator|Messenger)Props$/.test(type))).toEqual([]);
});
