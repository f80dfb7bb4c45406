import { TerraformOutput, type TerraformStack } from "cdktf";
import { stateMachineRun } from "../../../modules/core/run";
import { pipelineCharts, queryChart } from "../../../modules/pipeline-dashboard/dashboard-body";
import {
  PipelineDashboard,
  type PipelineDashboardProps,
} from "../../../modules/pipeline-dashboard/pipeline-dashboard";
import { AWS, EMITTED, keyOf } from "../../support/emitted-metrics";
import { refusal, synth, unknownText } from "../../support/synth";

const ACCOUNT = "000000000000";
const machine = (name: string) => stateMachineRun({ name, account: ACCOUNT, region: "eu-west-1" });
const sales = { pipeline: "sales", run: machine("etl-dev-sales"), jobName: "etl-dev-sales-transform" };
const minimum: PipelineDashboardProps = {
  name: "etl-dev",
  pipelines: [sales],
  region: "eu-west-1",
};
const make = (stack: TerraformStack, props: Partial<PipelineDashboardProps> = {}, id = "Dashboard") =>
  new PipelineDashboard(stack, id, { ...minimum, ...props });

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly markdown?: string;
    readonly title?: string;
    readonly metrics?: readonly (readonly unknown[])[];
  };
}
const bodyOf = (props: Partial<PipelineDashboardProps> = {}): string =>
  synth((stack) => make(stack, props)).at("Dashboard/Resource").dashboard_body as string;
const widgetsOf = (props: Partial<PipelineDashboardProps> = {}): Widget[] =>
  (JSON.parse(bodyOf(props)) as { widgets: Widget[] }).widgets;
const chart = (title: string, props?: Partial<PipelineDashboardProps>) =>
  widgetsOf(props).find(({ properties }) => properties.title?.startsWith(title))?.properties;

const METRICS = [...pipelineCharts(sales), queryChart("etl-dev")].flatMap(({ title, metrics }) =>
  Object.values(metrics).map((metric) => [title, metric] as const),
);

test.each(METRICS)("%s shows a metric that is emitted: %j", (_title, { namespace, name, dimensions }) => {
  expect(EMITTED).toContain(keyOf(namespace, name, Object.keys(dimensions)));
});

test.each(METRICS.filter(([, { namespace }]) => namespace === "Glue"))(
  "%s has the type of %j, and the statistic that goes with it",
  (_title, { name, dimensions, statistic }) => {
    const { when } = AWS.find((one) => one.name === name) as unknown as { when: string };
    expect(when).toMatch(new RegExp(`Type is ${dimensions.Type}$`));
    expect([dimensions.JobRunId, statistic]).toEqual([
      "ALL",
      dimensions.Type === "count" ? "Sum" : "Average",
    ]);
  },
);

test("the job's metrics, by their exact dimensions", () => {
  const of = ["JobName", "etl-dev-sales-transform", "JobRunId", "ALL", "Type"];
  expect(chart("job: bytes read")?.metrics).toEqual([
    [
      "Glue",
      "glue.driver.aggregate.bytesRead",
      ...of,
      "count",
      { id: "bytesRead", stat: "Sum", label: "bytesRead" },
    ],
  ]);
  expect(chart("job: tasks")?.metrics?.map(([, name]) => name)).toEqual([
    "glue.driver.aggregate.numCompletedTasks",
    "glue.driver.aggregate.numFailedTasks",
  ]);
  expect(chart("job: heap")?.metrics?.[0]).toEqual([
    ...["Glue", "glue.driver.jvm.heap.used", ...of, "gauge"],
    { id: "driver", stat: "Average", label: "driver" },
  ]);
});

test("runs by the machine's ARN, rows by its name, quality as shares of the rows read", () => {
  expect(chart("runs")?.metrics?.map((metric) => metric.slice(1, 4))).toEqual(
    ["Started", "Succeeded", "Failed", "TimedOut", "Aborted"].map((end) => [
      `Executions${end}`,
      "StateMachineArn",
      sales.run.metrics.failed.dimensions.StateMachineArn,
    ]),
  );
  expect(chart("rows")?.metrics?.[0]?.slice(0, 4)).toEqual([
    "EtlPipelines",
    "RowsRead",
    "StateMachineName",
    "etl-dev-sales",
  ]);
  const quality = chart("quality")?.metrics ?? [];
  expect(quality.slice(0, 3).map((metric) => metric.at(-1))).toEqual(
    ["read", "quarantined", "duplicate"].map((id) => ({ id, stat: "Sum", visible: false })),
  );
  expect(quality[3]).toEqual([
    { expression: "IF(read > 0, 100 * quarantined / read, 0)", label: "quarantined", id: "e1" },
  ]);
});

test("no two widgets overlap, and all are within the 24 columns", () => {
  const pipelines = ["sales", "customers", "products"].map((pipeline) => ({ ...sales, pipeline }));
  const widgets = widgetsOf({ pipelines, workgroupName: "etl-dev" });
  expect(widgets).toHaveLength(3 * 9 + 2);
  const cells = widgets.flatMap(({ x, y, width, height }) =>
    Array.from({ length: width * height }, (_, at) => `${x + (at % width)} ${y + Math.floor(at / width)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
});

test("tells the most that a run costs, where it is known", () => {
  const titles = (props: Partial<PipelineDashboardProps>) =>
    widgetsOf(props).map(({ properties }) => properties.markdown)[0];
  expect(titles({})).toBe("## sales");
  expect(titles({ pipelines: [{ ...sales, maxDpuHoursPerRun: 3.333 }] })).toBe(
    "## sales\nOne run of the job costs at most 3.33 DPU-hours.",
  );
});

test("is the same bytes each time; two in one stack; its name can be read back", () => {
  expect(bodyOf({ workgroupName: "w" })).toBe(bodyOf({ workgroupName: "w" }));
  const { all, outputs, reference } = synth((stack) => {
    make(stack, { name: "other" }, "Other");
    new TerraformOutput(stack, "name", { value: make(stack).dashboardName });
  });
  expect(all("aws_cloudwatch_dashboard").map((one) => one.dashboard_name)).toEqual(["etl-dev", "other"]);
  expect(outputs.name?.value).toBe(reference("Dashboard/Resource", "dashboard_name"));
});

test("another partition", () => {
  const run = stateMachineRun({ name: "etl-dev-sales", account: ACCOUNT, region: "cn-north-1" });
  expect(bodyOf({ region: "cn-north-1", pipelines: [{ ...sales, run }] })).toContain(
    "arn:aws-cn:states:cn-north-1:",
  );
});

test("refusals, all at once", () => {
  const pipelines = [sales, sales, { ...sales, pipeline: " " }];
  expect(refusal((stack) => make(stack, { name: "etl dev", pipelines, region: "here" }))).toBe(
    "PipelineDashboard 'etl-dev/Dashboard': 'region' must be an AWS region such as eu-west-1, got \"here\"; " +
      "'name' must be 1 to 255 letters, digits, hyphens or underscores, got \"etl dev\"; " +
      "'pipelines[1].pipeline' must not repeat 'sales'; 'pipelines[2].pipeline' must not be empty",
  );
  expect(refusal((stack) => make(stack, { pipelines: [] }))).toBe(
    "PipelineDashboard 'etl-dev/Dashboard': 'pipelines' must have 1 to 55 entries, because CloudWatch shows at most 500 widgets, got 0",
  );
});

test("what the orchestrator does not count is not shown", () => {
  const { metrics, ...run } = machine("etl-dev-sales");
  const { succeeded, failed } = metrics;
  const pipelines = [{ ...sales, run: { ...run, metrics: { succeeded, failed } } }];
  expect(chart("runs", { pipelines })?.metrics).toHaveLength(2);
  expect(chart("duration", { pipelines })).toBeUndefined();
});

test("what only Terraform can resolve is left alone", () => {
  const pipelines = [{ pipeline: unknownText(), run: machine(unknownText()), jobName: unknownText() }];
  expect(bodyOf({ name: unknownText(), pipelines, workgroupName: unknownText() })).toContain(
    "local.elsewhere",
  );
});
