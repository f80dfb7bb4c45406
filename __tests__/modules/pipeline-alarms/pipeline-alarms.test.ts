import { TerraformOutput, type TerraformStack } from "cdktf";
import { NotificationsTopic } from "../../../modules/notifications-topic/notifications-topic";
import { type IAlertTarget } from "../../../modules/core/alert-target";
import { PipelineAlarms, type PipelineAlarmsProps } from "../../../modules/pipeline-alarms/pipeline-alarms";
import { stateMachineRun, workflowRun } from "../../../modules/core/run";
import { ACCOUNT, type Block, REGION, refusal, synth, unknownText } from "../../support/synth";

const TOPIC_ARN = `arn:aws:sns:${REGION}:${ACCOUNT}:etl-dev-alerts`;
const MACHINE_ARN = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:etl-dev-events`;
const PREFIX = "etl-dev-events";

/** A topic that writes down whom it let publish. */
class RecordingTopic implements IAlertTarget {
  readonly prefixes: string[] = [];
  readonly topicArn = TOPIC_ARN;
  allowPublishFromAlarms(namePrefix: string): void {
    this.prefixes.push(namePrefix);
  }
}

const machine = (name: string) => stateMachineRun({ name, account: ACCOUNT, region: REGION });

const minimum = (): PipelineAlarmsProps => ({
  name: PREFIX,
  pipeline: "events",
  environment: "dev",
  account: ACCOUNT,
  region: REGION,
  run: machine(PREFIX),
  alerts: new RecordingTopic(),
  usualMinutes: 10,
});
const full = (): PipelineAlarmsProps => ({
  ...minimum(),
  crawlStateMachineName: `${PREFIX}-crawl`,
  deadLetterQueueName: `${PREFIX}-schedule-dead-letters`,
  missedRun: { longestGapMinutes: 1_500, graceMinutes: 120 },
  runbookUrl: "https://wiki.example.com/runbook/",
});
const make = (stack: TerraformStack, props: PipelineAlarmsProps = minimum(), id = "Alarms") =>
  new PipelineAlarms(stack, id, props);

const nameOf = (block: Block) => block.alarm_name as string;
function alarmsOf(props: PipelineAlarmsProps) {
  const { all, built, json } = synth((stack) => make(stack, props));
  const metric = all("aws_cloudwatch_metric_alarm");
  const composite = all("aws_cloudwatch_composite_alarm");
  const named = (name: string) =>
    [...metric, ...composite].find((block) => nameOf(block) === `${PREFIX}-${name}`);
  return { metric, composite, all: [...metric, ...composite], named, built, json };
}

const count = (metric_name: string, arn = MACHINE_ARN) => ({
  namespace: "AWS/States",
  metric_name,
  dimensions: { StateMachineArn: arn },
  statistic: "Sum",
  period: 300,
  evaluation_periods: 1,
  datapoints_to_alarm: 1,
  comparison_operator: "GreaterThanOrEqualToThreshold",
  threshold: 1,
  treat_missing_data: "notBreaching",
});

describe("minimum", () => {
  test("failures, slowness and figures; nothing of what is not there", () => {
    expect(alarmsOf(minimum()).all.map(nameOf).sort()).toEqual(
      [
        "data",
        "executions",
        "executions-aborted",
        "executions-failed",
        "executions-throttled",
        "executions-timed-out",
        "quarantine-share",
        "row-count",
        "slow",
      ].map((suffix) => `${PREFIX}-${suffix}`),
    );
  });

  test("thresholds have defaults", () => {
    const { named } = alarmsOf(minimum());
    expect(named("slow")).toMatchObject({
      threshold: 1_200_000,
      comparison_operator: "GreaterThanThreshold",
    });
    expect(named("quarantine-share")?.threshold).toBe(10);
    expect(named("row-count")?.threshold).toBe(1);
    for (const alarm of alarmsOf(minimum()).all) expect(alarm.actions_enabled).toBe(true);
  });
});

test.each([
  ["executions-failed", count("ExecutionsFailed")],
  ["executions-timed-out", count("ExecutionsTimedOut")],
  ["executions-aborted", count("ExecutionsAborted")],
  ["executions-throttled", count("ExecutionThrottled")],
  ["crawl-failed", count("ExecutionsFailed", `${MACHINE_ARN}-crawl`)],
  [
    "slow",
    {
      ...count("ExecutionTime"),
      statistic: "Maximum",
      comparison_operator: "GreaterThanThreshold",
      threshold: 1_200_000,
    },
  ],
  [
    "row-count",
    {
      ...count("RowsWritten"),
      namespace: "EtlPipelines",
      dimensions: { StateMachineName: PREFIX },
      statistic: "Minimum",
      comparison_operator: "LessThanThreshold",
    },
  ],
  [
    "missed-run",
    {
      ...count("ExecutionsSucceeded"),
      period: 3_600,
      evaluation_periods: 27,
      datapoints_to_alarm: 27,
      comparison_operator: "LessThanThreshold",
      treat_missing_data: "breaching",
    },
  ],
  [
    "dead-letters",
    {
      ...count("ApproximateNumberOfMessagesVisible"),
      namespace: "AWS/SQS",
      dimensions: { QueueName: `${PREFIX}-schedule-dead-letters` },
      statistic: "Maximum",
    },
  ],
])("%s is crossed as it is meant", (suffix, expected) => {
  expect(alarmsOf(full()).named(suffix)).toMatchObject(expected);
});

test("the share of quarantined rows is of one run's sums, and none of no rows", () => {
  const sum = (id: string, metric_name: string) => ({
    id,
    return_data: false,
    metric: {
      namespace: "EtlPipelines",
      metric_name,
      dimensions: { StateMachineName: PREFIX },
      stat: "Sum",
      period: 300,
    },
  });
  expect(alarmsOf(full()).named("quarantine-share")).toMatchObject({
    metric_query: [
      { id: "share", expression: "IF(whole > 0, 100 * part / whole, 0)", return_data: true },
      sum("part", "RowsQuarantined"),
      sum("whole", "RowsRead"),
    ],
    evaluation_periods: 1,
    comparison_operator: "GreaterThanThreshold",
    treat_missing_data: "notBreaching",
  });
});

describe("who speaks", () => {
  test("one alarm for failed executions", () => {
    const { named } = alarmsOf(full());
    expect(named("executions")).toMatchObject({
      alarm_rule: ["failed", "timed-out", "aborted"]
        .map((suffix) => `ALARM("${PREFIX}-executions-${suffix}")`)
        .join(" OR "),
      alarm_actions: [TOPIC_ARN],
    });
    expect(named("executions")).not.toHaveProperty("actions_suppressor");
  });

  test("one for the rest, silent while executions fail", () => {
    const { built, composite, named } = alarmsOf(full());
    expect(composite).toHaveLength(2);
    expect(named("data")).toMatchObject({
      alarm_rule: ["executions-throttled", "slow", "quarantine-share", "row-count", "crawl-failed"]
        .map((suffix) => `ALARM("${PREFIX}-${suffix}")`)
        .join(" OR "),
      alarm_actions: [TOPIC_ARN],
      actions_suppressor: {
        alarm: `\${aws_cloudwatch_composite_alarm.${built.resource.friendlyUniqueId}.alarm_name}`,
        wait_period: 180,
        extension_period: 180,
      },
    });
  });

  test("every alarm speaks, by itself or by one composite that names it, and never twice", () => {
    const { metric, composite } = alarmsOf(full());
    for (const alarm of metric) {
      const speakers = composite.filter(({ alarm_rule: rule }) =>
        (rule as string).includes(`ALARM("${nameOf(alarm)}")`),
      );
      const own = alarm.alarm_actions === undefined ? 0 : 1;
      expect([nameOf(alarm), speakers.length + own]).toEqual([nameOf(alarm), 1]);
    }
    for (const { alarm_actions: actions } of composite) expect(actions).toEqual([TOPIC_ARN]);
  });

  test("OK is sent only if it means that the problem is solved", () => {
    const { all } = alarmsOf(full());
    const telling = all.filter(({ ok_actions: actions }) => actions !== undefined);
    expect(telling.map(nameOf).sort()).toEqual([`${PREFIX}-dead-letters`, `${PREFIX}-missed-run`]);
  });

  test("a composite comes after the alarms that it names", () => {
    const { built, composite } = alarmsOf(full());
    const address = (name: string) =>
      `aws_cloudwatch_metric_alarm.${built.metricAlarms.get(`${PREFIX}-${name}`)?.friendlyUniqueId}`;
    const executions = composite.find((block) => nameOf(block) === `${PREFIX}-executions`);
    expect(executions?.depends_on).toEqual(
      ["executions-failed", "executions-timed-out", "executions-aborted"].map(address),
    );
  });

  test("nobody, where messages are off", () => {
    for (const { actions_enabled: enabled } of alarmsOf({ ...full(), actionsEnabled: false }).all)
      expect(enabled).toBe(false);
  });

  test("the topic lets in the alarms of this name", () => {
    const alerts = new RecordingTopic();
    synth((stack) => make(stack, { ...minimum(), alerts }));
    expect(alerts.prefixes).toEqual([`${PREFIX}-`]);
  });

  test("a topic of the library is such a topic", () => {
    const { named } = (() => {
      const { all } = synth((stack) => {
        const alerts = new NotificationsTopic(stack, "Alerts", {
          name: "etl-dev-alerts",
          account: ACCOUNT,
          region: REGION,
        });
        make(stack, { ...minimum(), alerts });
      });
      return {
        named: all("aws_cloudwatch_composite_alarm").find((one) => nameOf(one) === `${PREFIX}-data`),
      };
    })();
    expect(named?.alarm_actions).toEqual([expect.stringMatching(/^\$\{aws_sns_topic\./)]);
  });
});

describe("texts", () => {
  const LINK = `https://${REGION}.console.aws.amazon.com/states/home?region=${REGION}#/v2/statemachines/view/${MACHINE_ARN}`;

  test("say pipeline, environment, what happened, what to do, and lead to executions and runbook", () => {
    expect(alarmsOf(full()).named("missed-run")?.alarm_description).toBe(
      "Pipeline events, environment dev: no execution has succeeded for 27 hours, which is longer than the schedule ever " +
        "pauses. Check whether the schedule is enabled, whether it started an execution, and how that ended. " +
        `Executions: ${LINK} Runbook: https://wiki.example.com/runbook/missed-run.md`,
    );
    for (const { alarm_description: text } of alarmsOf(full()).all)
      expect(text).toMatch(
        /^Pipeline events, environment dev: .+\. .+\. Executions: https:\S+:etl-dev-events Runbook: https:\/\/wiki\.example\.com\/runbook\/[a-z-]+\.md$/,
      );
  });

  test("without an address name the page by its path", () => {
    expect(alarmsOf(minimum()).named("executions")?.alarm_description).toMatch(
      / Runbook: docs\/runbook\/executions\.md$/,
    );
  });

  test("lead to the console of the region's partition", () => {
    const region = "cn-north-1";
    const run = stateMachineRun({ name: PREFIX, account: ACCOUNT, region });
    const china = alarmsOf({ ...minimum(), region, run });
    expect(china.named("slow")?.alarm_description).toContain(
      "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#/v2/statemachines/view/arn:aws-cn:states:",
    );
    expect(china.named("slow")?.dimensions).toEqual({
      StateMachineArn: `arn:aws-cn:states:cn-north-1:${ACCOUNT}:stateMachine:${PREFIX}`,
    });
  });
});

test("every threshold changed", () => {
  const { named } = alarmsOf({
    ...full(),
    usualMinutes: 0.5,
    slowFactor: 3,
    quarantineSharePercent: 0,
    minimumRows: 500,
    missedRun: { longestGapMinutes: 60, graceMinutes: 61 },
    tags: { team: "data" },
  });
  expect(named("slow")?.threshold).toBe(90_000);
  expect(named("quarantine-share")?.threshold).toBe(0);
  expect(named("row-count")?.threshold).toBe(500);
  expect(named("missed-run")?.evaluation_periods).toBe(3);
  expect(named("missed-run")?.tags).toEqual({ team: "data" });
  expect(named("data")?.tags).toEqual({ team: "data" });
});

test("seven days of hours are the most that is looked back", () => {
  const missedRun = { longestGapMinutes: 9_960, graceMinutes: 120 };
  expect(alarmsOf({ ...minimum(), missedRun }).named("missed-run")?.evaluation_periods).toBe(168);
});

test("what it made can be read back", () => {
  const { outputs, reference, built } = synth((stack) => {
    const alarms = make(stack, full());
    const { resource, dataResource } = alarms;
    new TerraformOutput(stack, "arns", { value: [resource.arn, dataResource.arn] });
    return alarms;
  });
  expect(outputs.arns?.value).toEqual([
    reference("Alarms/Executions", "arn"),
    reference("Alarms/Data", "arn"),
  ]);
  expect(built.alarmNames).toHaveLength(12);
  expect(built.metricAlarms.size).toBe(10);
});

test("two in one stack keep apart", () => {
  const { counts } = synth((stack) => {
    make(stack);
    make(stack, { ...minimum(), name: "etl-dev-mobile", run: machine("etl-dev-mobile") }, "Other");
  });
  expect(counts).toEqual({ aws_cloudwatch_composite_alarm: 4, aws_cloudwatch_metric_alarm: 14 });
});

describe("refusals", () => {
  test("all at once", () => {
    const wrong: PipelineAlarmsProps = {
      ...full(),
      name: "etl dev",
      pipeline: " ",
      environment: "",
      account: "12",
      region: "here",
      run: machine("arn:aws:states"),
      crawlStateMachineName: "",
      deadLetterQueueName: "https://sqs/queue",
      usualMinutes: 0,
      slowFactor: 1,
      quarantineSharePercent: 100,
      minimumRows: 0,
      missedRun: { longestGapMinutes: 0, graceMinutes: 1.5 },
      runbookUrl: "http://wiki.example.com",
    };
    const message = refusal((stack) => make(stack, wrong));
    expect(message.slice(0, message.indexOf(": ") + 2)).toBe("PipelineAlarms 'etl-dev/Alarms': ");
    for (const part of [
      "'account' must be",
      "'region' must be",
      "'name' must be 1 to 230 letters, digits, hyphens or underscores, so that alarms' names keep within CloudWatch's limit of 255, got \"etl dev\" (7)",
      "'run.name' must be a name of 1 to 80 letters, digits, hyphens or underscores, got \"arn:aws:states\"",
      "'crawlStateMachineName' must be a name",
      "'deadLetterQueueName' must be a name",
      "'pipeline' must not be empty",
      "'environment' must not be empty",
      "'usualMinutes' must be more than 0 and at most 525600, got 0",
      "'slowFactor' must be more than 1, or a usual run would count as slow, got 1",
      "'quarantineSharePercent' must be from 0 to below 100, because no share exceeds 100, got 100",
      "'minimumRows' must be a whole number of at least 1, because no run writes fewer than 0 rows, got 0",
      "'missedRun.longestGapMinutes' must be a whole number of at least 1, got 0",
      "'missedRun.graceMinutes' must be a whole number of at least 1, got 1.5",
      "'runbookUrl' must be the https address of the folder docs/runbook, ending with a slash, of at most 300 characters; " +
        'without it messages give the path of the page; got "http://wiki.example.com"',
    ])
      expect(message).toContain(part);
  });

  test("of a gap that CloudWatch cannot look back over, with its reason", () => {
    const missedRun = { longestGapMinutes: 10_080, graceMinutes: 60 };
    expect(refusal((stack) => make(stack, { ...minimum(), missedRun }))).toBe(
      "PipelineAlarms 'etl-dev/Alarms': 'missedRun' must be at most 10080 minutes together, got 10080 + 60: CloudWatch looks " +
        "back at most seven days, in periods of an hour or more. Let it run more often, shorten the grace, or leave this out " +
        "and watch for missed runs elsewhere",
    );
  });

  test("of a grace that a run uses up without being slow", () => {
    const missedRun = { longestGapMinutes: 1_440, graceMinutes: 19 };
    expect(refusal((stack) => make(stack, { ...minimum(), missedRun }))).toBe(
      "PipelineAlarms 'etl-dev/Alarms': 'missedRun.graceMinutes' must be at least 20, the minutes that a run may take without being slow, got 19",
    );
  });

  test("of placeholders, and of texts that CloudWatch would not take", () => {
    expect(refusal((stack) => make(stack, { ...minimum(), pipeline: "<pipeline>" }))).toBe(
      "PipelineAlarms 'etl-dev/Alarms': 'pipeline' still holds a placeholder, got \"<pipeline>\"; fill it in",
    );
    expect(refusal((stack) => make(stack, { ...minimum(), pipeline: "x".repeat(700) }))).toMatch(
      /'pipeline' is too long together with 'environment', 'run' and 'runbookUrl': an alarm's text would have \d+ characters, CloudWatch allows 1024$/,
    );
  });
});

test("what the orchestrator does not count has no alarm", () => {
  const { metrics, ...run } = machine(PREFIX);
  const { succeeded, failed } = metrics;
  const { metric, composite } = alarmsOf({ ...full(), run: { ...run, metrics: { succeeded, failed } } });
  expect(metric.map((block) => nameOf(block).slice(PREFIX.length + 1)).sort()).toEqual([
    "crawl-failed",
    "dead-letters",
    "executions-failed",
    "missed-run",
    "quarantine-share",
    "row-count",
  ]);
  expect(composite.map(({ alarm_rule }) => alarm_rule)).toContain(`ALARM("${PREFIX}-executions-failed")`);
});

test("what only Terraform can resolve is left alone", () => {
  const props = {
    name: unknownText(),
    pipeline: unknownText(),
    environment: unknownText(),
    account: unknownText(),
    run: machine(unknownText()),
    runbookUrl: unknownText(),
  };
  expect(() => synth((stack) => make(stack, { ...minimum(), ...props }))).not.toThrow();
});

describe("of a Glue workflow", () => {
  const props = (): PipelineAlarmsProps => ({
    ...full(),
    run: workflowRun({ name: "etl-dev-mobile-users", account: ACCOUNT, region: REGION }),
    crawlStateMachineName: undefined,
    deadLetterQueueName: undefined,
  });
  const RUNS = `Runs: https://${REGION}.console.aws.amazon.com/glue/home?region=${REGION}#/v2/etl-configuration/workflows/view/etl-dev-mobile-users`;

  test("only metrics that its watcher records, and one for runs that do not end", () => {
    const { metric, named } = alarmsOf(props());
    expect(metric.map(nameOf).sort()).toEqual(
      [
        ...["executions-aborted", "executions-failed", "missed-run", "quarantine-share", "row-count", "slow"],
        "still-running",
      ].map((suffix) => `${PREFIX}-${suffix}`),
    );
    const own = { namespace: "EtlPipelines", dimensions: { WorkflowName: "etl-dev-mobile-users" } };
    expect(named("executions-failed")).toMatchObject({ ...own, metric_name: "RunsFailed", statistic: "Sum" });
    expect(named("executions-aborted")).toMatchObject({ ...own, metric_name: "RunsStopped" });
    expect(named("slow")).toMatchObject({ ...own, metric_name: "RunTime", threshold: 2 * 10 * 60_000 });
    expect(named("missed-run")).toMatchObject({ ...own, metric_name: "RunsSucceeded" });
    expect(named("still-running")).toMatchObject({
      ...own,
      metric_name: "RunsStillRunning",
      statistic: "Maximum",
      period: 3_600,
      evaluation_periods: 1,
      comparison_operator: "GreaterThanOrEqualToThreshold",
      threshold: 1,
      treat_missing_data: "notBreaching",
      alarm_actions: [TOPIC_ARN],
      ok_actions: [TOPIC_ARN],
    });
    expect(named("row-count")?.dimensions).toEqual({ StateMachineName: "etl-dev-mobile-users" });
  });

  test("in words for its runs, and not for executions", () => {
    const { all: alarms, named } = alarmsOf(props());
    for (const { alarm_description: text } of alarms) expect(text).not.toMatch(/execution|redrive/i);
    const page = (name: string) => `Runbook: https://wiki.example.com/runbook/${name}.md`;
    const begin = "Pipeline events, environment dev:";
    expect(named("executions")?.alarm_description).toBe(
      `${begin} a run failed or was stopped. Its message on the notifications topic has the cause and the command to run. ` +
        `OK only means that no further run failed. ${RUNS} ${page("workflow-run")}`,
    );
    expect(named("still-running")?.alarm_description).toBe(
      `${begin} a run has not ended after the time that it may take. Look which of its jobs or crawlers is under way. ` +
        `Stop the run only if it does not move. ${RUNS} ${page("still-running")}`,
    );
    expect(named("missed-run")?.alarm_description).toBe(
      `${begin} no run has succeeded for 27 hours, which is longer than the schedule ever pauses. ` +
        `Check whether the start trigger is activated, whether it started a run, and how that ended. ${RUNS} ${page("workflow-run")}`,
    );
    expect(named("slow")?.alarm_description).toBe(
      `${begin} a run took more than 2 times the usual 10 minutes. Compare its jobs and crawls with those of an earlier run, ` +
        `in the graph of each. ${RUNS} ${page("workflow-run")}`,
    );
  });
});
