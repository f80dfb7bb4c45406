import { stateMachineRun, workflowRun } from "../../../modules/core/run";

const MACHINE = "arn:aws-cn:states:cn-north-1:000000000000:stateMachine:shop-orders";
const shop = { name: "shop-orders", account: "000000000000", region: "cn-north-1" };

test("the executions of a state machine: ARNs composed of names, of the region's partition", () => {
  expect(stateMachineRun(shop)).toEqual({
    name: "shop-orders",
    id: "$.run.id",
    owner: "$$.Execution.Id",
    consoleUrl: `https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#/v2/statemachines/view/${MACHINE}`,
    metrics: Object.fromEntries(
      Object.entries({
        started: "ExecutionsStarted",
        succeeded: "ExecutionsSucceeded",
        failed: "ExecutionsFailed",
        timedOut: "ExecutionsTimedOut",
        aborted: "ExecutionsAborted",
        throttled: "ExecutionThrottled",
        duration: "ExecutionTime",
      }).map(([counts, name]) => [
        counts,
        { namespace: "AWS/States", name, dimensions: { StateMachineArn: MACHINE } },
      ]),
    ),
    start: {
      arn: `${MACHINE}:live`,
      actions: ["states:StartExecution"],
      resources: [MACHINE],
      conditions: { "ForAnyValue:StringEquals": { "states:StateMachineQualifier": "live" } },
    },
  });
});

test("a reference to the machine is what triggers start and may start, so that Terraform creates the machine first", () => {
  const { start, metrics } = stateMachineRun({
    ...shop,
    alias: "next",
    arn: "${aws_sfn_state_machine.A.arn}",
  });
  expect(start).toEqual({
    arn: "${aws_sfn_state_machine.A.arn}:next",
    actions: ["states:StartExecution"],
    resources: ["${aws_sfn_state_machine.A.arn}"],
    conditions: { "ForAnyValue:StringEquals": { "states:StateMachineQualifier": "next" } },
  });
  expect(metrics.failed.dimensions).toEqual({ StateMachineArn: MACHINE });
});

test("the runs of a Glue workflow: metrics of the watcher, and the call that starts one", () => {
  const metric = (name: string) => ({
    namespace: "EtlPipelines",
    name,
    dimensions: { WorkflowName: "shop-orders" },
  });
  expect(workflowRun(shop)).toEqual({
    kind: "workflowRun",
    name: "shop-orders",
    id: "{WORKFLOW_RUN_ID}",
    owner: "arn:aws-cn:glue:cn-north-1:000000000000:workflow/shop-orders:{WORKFLOW_RUN_ID}",
    consoleUrl:
      "https://cn-north-1.console.amazonaws.cn/glue/home?region=cn-north-1#/v2/etl-configuration/workflows/view/shop-orders",
    metrics: {
      succeeded: metric("RunsSucceeded"),
      failed: metric("RunsFailed"),
      aborted: metric("RunsStopped"),
      duration: metric("RunTime"),
      stillRunning: metric("RunsStillRunning"),
    },
    start: {
      arn: "arn:aws-cn:scheduler:::aws-sdk:glue:startWorkflowRun",
      actions: ["glue:StartWorkflowRun"],
      resources: ["arn:aws-cn:glue:cn-north-1:000000000000:workflow/shop-orders"],
      input: '{"Name":"shop-orders"}',
    },
  });
});
