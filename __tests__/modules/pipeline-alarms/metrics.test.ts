import { PIPELINE_NAMESPACE } from "../../../modules/core/pipeline-metrics";
import { type Metric } from "../../../modules/core/run";
import { Step } from "../../../modules/etl-orchestrator/step";
import { AWS, EMITTED, keyOf, OWN } from "../../support/emitted-metrics";
import { MACHINE_ARN, synthOrchestrator, eventsProps } from "../../support/orchestrator";
import { everyAlarm, everyWorkflowAlarm } from "./every-alarm";

/**
 * Every shipped alarm looks at a metric that is emitted: the same namespace, name and exact set of dimensions as in the table
 * of what AWS emits, or as the pipeline's own state puts it. One dimension more or less, and an alarm never has data.
 */

const emits = ({ namespace, name, dimensions }: Metric): boolean =>
  EMITTED.has(keyOf(namespace, name, Object.keys(dimensions)));

const LOOKED_AT = [...everyAlarm(), ...everyWorkflowAlarm()].flatMap(({ suffix, signal }) =>
  (signal.kind === "metric" ? [signal.metric] : [signal.part, signal.whole]).map(
    (metric) => [suffix, metric] as const,
  ),
);

test.each(LOOKED_AT)("%s looks at a metric that is emitted", (_suffix, metric) => {
  expect([metric, emits(metric)]).toEqual([metric, true]);
});

test("AWS's table names the page of every metric", () => {
  expect(AWS.length).toBeGreaterThan(0);
  for (const { page } of AWS) expect(page).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
});

const metric = (namespace: string, name: string, ...dimensions: string[]): Metric => ({
  namespace,
  name,
  dimensions: Object.fromEntries(dimensions.map((dimension) => [dimension, "x"])),
});

/** Metrics that are often written, but never have data. */
test.each([
  ["profiling metrics by the job alone", metric("Glue", "glue.driver.aggregate.numFailedTasks", "JobName")],
  ["observability by the job alone", metric("Glue", "glue.error.ALL", "JobName")],
  ["executions by the machine's name", metric("AWS/States", "ExecutionsFailed", "StateMachineName")],
  ["throttled executions in the plural", metric("AWS/States", "ExecutionsThrottled", "StateMachineArn")],
  ["a queue by its ARN", metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueArn")],
  ["rows without a dimension", metric(PIPELINE_NAMESPACE, "RowsRead")],
])("no metric is emitted as %s", (_what, looked) => {
  expect(emits(looked)).toBe(false);
});

test("the pipeline's state puts exactly the metrics of the pipeline's table", () => {
  const record = Step.recordMetrics("RecordMetrics", { hasSources: true });
  const steps = eventsProps().steps!.map((step) => (step.name === record.name ? record : step));
  const { States } = synthOrchestrator({ ...eventsProps(), steps }).definition("etl-dev-events");
  const put = States.RecordMetrics?.Parameters as {
    Namespace: string;
    MetricData: { MetricName: string; Dimensions: { Name: string; Value: string }[] }[];
  };
  const keys = put.MetricData.map(({ MetricName, Dimensions }) =>
    keyOf(
      put.Namespace,
      MetricName,
      Dimensions.map(({ Name }) => Name),
    ),
  );
  expect(keys.sort()).toEqual(OWN.map((one) => keyOf(one.namespace, one.name, one.dimensions)).sort());
  const names = put.MetricData.flatMap(({ Dimensions }) => Dimensions.map(({ Value }) => Value));
  expect(new Set(names)).toEqual(new Set([MACHINE_ARN.split(":").at(-1)]));
});
