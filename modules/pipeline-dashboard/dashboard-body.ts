import { hoursText } from "../core/dpu-hours";
import { type Metric, type Run } from "../core/run";
import { PIPELINE_DIMENSION, PIPELINE_METRICS, PIPELINE_NAMESPACE } from "../core/pipeline-metrics";

/**
 * A metric in a chart. CloudWatch compares the exact set of dimensions, so each metric is written as the page of its service has it:
 * - https://docs.aws.amazon.com/glue/latest/dg/monitoring-awsglue-with-cloudwatch-metrics.html (with `--enable-metrics`, by
 *   `JobName`, `JobRunId`, of which `ALL` is every run, and `Type`: a count is summed, a gauge averaged)
 * - https://docs.aws.amazon.com/athena/latest/ug/query-metrics-viewing.html (of workgroups that publish them)
 */
export interface ShownMetric extends Metric {
  readonly statistic: "Sum" | "Average" | "Maximum";
}

export interface Chart {
  readonly title: string;
  /** The metrics by id, which expressions refer to. */
  readonly metrics: Readonly<Record<string, ShownMetric>>;
  /** Shown instead of the metrics, by label. */
  readonly expressions?: Readonly<Record<string, string>>;
}

export interface ShownPipeline {
  readonly pipeline: string;
  readonly run: Pick<Run, "name" | "metrics">;
  readonly jobName: string;
  readonly maxDpuHoursPerRun?: number;
}

/** A dashboard is 24 columns wide. */
const COLUMNS = 24;
const [CHARTS_IN_A_ROW, CHART_HEIGHT, TITLE_HEIGHT] = [4, 6, 2];
const CHART_WIDTH = COLUMNS / CHARTS_IN_A_ROW;
/** Runs are hours apart; a finer grain shows the same points. */
const PERIOD_SECONDS = 300;

/** The charts of a pipeline: runs, rows, quality, duration; then bytes read, tasks, heap and time of its job. */
export function pipelineCharts(shown: ShownPipeline): Chart[] {
  return [...runCharts(shown), ...jobCharts(shown)];
}

function runCharts({ run: { name: runName, metrics } }: ShownPipeline): Chart[] {
  const rows = (name: string): ShownMetric => {
    const dimensions = { [PIPELINE_DIMENSION]: runName };
    return { namespace: PIPELINE_NAMESPACE, name, dimensions, statistic: "Sum" };
  };
  const read = rows(PIPELINE_METRICS.rowsRead);
  const quarantined = rows(PIPELINE_METRICS.rowsQuarantined);
  const duplicate = rows(PIPELINE_METRICS.rowsDuplicate);
  return [
    {
      title: "runs",
      metrics: counted({
        started: metrics.started,
        succeeded: metrics.succeeded,
        failed: metrics.failed,
        timedOut: metrics.timedOut,
        aborted: metrics.aborted,
      }),
    },
    { title: "rows", metrics: { read, written: rows(PIPELINE_METRICS.rowsWritten), duplicate, quarantined } },
    {
      title: "quality, percent of rows read",
      metrics: { read, quarantined, duplicate },
      expressions: {
        quarantined: "IF(read > 0, 100 * quarantined / read, 0)",
        duplicate: "IF(read > 0, 100 * duplicate / read, 0)",
      },
    },
    ...(metrics.duration === undefined
      ? []
      : [{ title: "duration of runs, ms", metrics: { longest: longestOf(metrics.duration) } }]),
  ];
}

const longestOf = (metric: Metric): ShownMetric => ({ ...metric, statistic: "Maximum" });

/** The sums of those that the orchestrator counts. */
function counted(metrics: Readonly<Record<string, Metric | undefined>>): Record<string, ShownMetric> {
  const there = Object.entries(metrics).flatMap(([id, metric]) =>
    metric === undefined ? [] : [[id, { ...metric, statistic: "Sum" as const }] as const],
  );
  return Object.fromEntries(there);
}

function jobCharts({ jobName }: ShownPipeline): Chart[] {
  const ofJob = (name: string, type: "count" | "gauge"): ShownMetric => ({
    namespace: "Glue",
    name,
    dimensions: { JobName: jobName, JobRunId: "ALL", Type: type },
    statistic: type === "count" ? "Sum" : "Average",
  });
  return [
    { title: "job: bytes read", metrics: { bytesRead: ofJob("glue.driver.aggregate.bytesRead", "count") } },
    {
      title: "job: tasks",
      metrics: {
        completed: ofJob("glue.driver.aggregate.numCompletedTasks", "count"),
        failed: ofJob("glue.driver.aggregate.numFailedTasks", "count"),
      },
    },
    {
      title: "job: heap used, bytes",
      metrics: {
        driver: ofJob("glue.driver.jvm.heap.used", "gauge"),
        executors: ofJob("glue.ALL.jvm.heap.used", "gauge"),
      },
    },
    {
      title: "cost: time of the job, ms",
      metrics: { elapsed: ofJob("glue.driver.aggregate.elapsedTime", "count") },
    },
  ];
}

/** The chart of scanned bytes, for which queries are billed, also if they failed or were cancelled. */
export function queryChart(workgroupName: string): Chart {
  const scanned = (state: string): ShownMetric => ({
    namespace: "AWS/Athena",
    name: "ProcessedBytes",
    dimensions: { QueryState: state, QueryType: "DML", WorkGroup: workgroupName },
    statistic: "Sum",
  });
  return {
    title: `cost: bytes scanned by queries of ${workgroupName}`,
    metrics: {
      succeeded: scanned("SUCCEEDED"),
      failed: scanned("FAILED"),
      canceled: scanned("CANCELED"),
    },
  };
}

/**
 * The JSON of a dashboard, for `dashboard_body`; the same pipelines give the same bytes.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function dashboardBody(
  region: string,
  pipelines: readonly ShownPipeline[],
  workgroupName: string | undefined,
): string {
  const rows = pipelines.map((shown) => ({ markdown: titleOf(shown), charts: pipelineCharts(shown) }));
  const queries = { markdown: "## Queries", charts: [queryChart(workgroupName ?? "")] };
  let top = 0;
  const widgets = [...rows, ...(workgroupName === undefined ? [] : [queries])].flatMap(
    ({ markdown, charts }) => {
      const title = widget("text", 0, top, COLUMNS, TITLE_HEIGHT, { markdown });
      const placed = charts.map((chart, index) => {
        const y = top + TITLE_HEIGHT + Math.floor(index / CHARTS_IN_A_ROW) * CHART_HEIGHT;
        const x = (index % CHARTS_IN_A_ROW) * CHART_WIDTH;
        return widget("metric", x, y, CHART_WIDTH, CHART_HEIGHT, chartProperties(region, chart));
      });
      top += TITLE_HEIGHT + Math.ceil(charts.length / CHARTS_IN_A_ROW) * CHART_HEIGHT;
      return [title, ...placed];
    },
  );
  // Multi-line: `cdktf synth --hcl` drops backslashes from one-line strings.
  return JSON.stringify({ widgets }, undefined, 1);
}

function titleOf({ pipeline, maxDpuHoursPerRun: most }: ShownPipeline): string {
  const ceiling =
    most === undefined ? "" : `\nOne run of the job costs at most ${hoursText(most)} DPU-hours.`;
  return `## ${pipeline}${ceiling}`;
}

function widget(type: string, x: number, y: number, width: number, height: number, properties: object) {
  return { type, x, y, width, height, properties };
}

function chartProperties(region: string, { title, metrics, expressions = {} }: Chart): object {
  const isComputed = Object.keys(expressions).length > 0;
  const lines = Object.entries(metrics).map(([id, { namespace, name, dimensions, statistic: stat }]) => [
    ...[namespace, name],
    ...Object.entries(dimensions).flat(),
    isComputed ? { id, stat, visible: false } : { id, stat, label: id },
  ]);
  const computed = Object.entries(expressions).map(([label, expression], index) => [
    { expression, label, id: `e${index + 1}` },
  ]);
  return { title, region, view: "timeSeries", period: PERIOD_SECONDS, metrics: [...lines, ...computed] };
}
