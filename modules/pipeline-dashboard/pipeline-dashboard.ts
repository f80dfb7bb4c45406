import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { regionMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type Run } from "../core/run";
import { dashboardBody } from "./dashboard-body";

/** A pipeline on a {@link PipelineDashboard}. */
export interface DashboardPipeline {
  /** The heading of its charts; unique on the dashboard. */
  readonly pipeline: string;
  /** Its runs: `orchestrator.run`, or `stateMachineRun` of a state machine from elsewhere. */
  readonly run: Pick<Run, "name" | "metrics">;
  /** Physical name of its job. */
  readonly jobName: string;
  /**
   * The most DPU-hours that one run of the job can be billed, shown in the heading.
   * @default - not shown
   */
  readonly maxDpuHoursPerRun?: number;
}

/** Props of {@link PipelineDashboard}. */
export interface PipelineDashboardProps {
  /** Physical name: 1 to 255 letters, digits, hyphens or underscores; unique in the account, over all regions. */
  readonly name: string;
  /** The pipelines in order, 1 to 55. */
  readonly pipelines: readonly DashboardPipeline[];
  /**
   * The workgroup whose scanned bytes are shown. It must publish its metrics, as `AthenaWorkgroup` does.
   * @default - none
   */
  readonly workgroupName?: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html */
const NAME = /^[A-Za-z0-9_-]{1,255}$/;
/** CloudWatch shows at most 500 widgets; a pipeline has nine, the queries two. */
const MOST_PIPELINES = 55;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * A dashboard of pipelines: runs, rows, quality and duration; bytes read, tasks and heap of the job; the figures behind the cost.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class PipelineDashboard extends Construct {
  /** The dashboard. */
  readonly resource: CloudwatchDashboard;
  /** Physical name; refers to the resource. */
  readonly dashboardName: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: PipelineDashboardProps,
  ) {
    super(scope, id);
    this.refuse();

    this.resource = new CloudwatchDashboard(this, "Resource", {
      dashboardName: props.name,
      dashboardBody: this.body(),
    });
    this.dashboardName = this.resource.dashboardName;
  }

  private body(): string {
    const { pipelines, workgroupName, region } = this.props;
    return dashboardBody(region, pipelines, workgroupName);
  }

  private refuse(): void {
    const { name, pipelines } = this.props;
    const refusals = new Refusals("PipelineDashboard", this.node.path);
    refusals.noteUnfilled(placeholderMistakes(this.props, isKnown));
    refusals.noteAll(regionMistakes(this.props.region, isKnown));
    refusals.check(
      !isKnown(name) || NAME.test(name),
      "name",
      `must be 1 to 255 letters, digits, hyphens or underscores, got ${JSON.stringify(name)}`,
    );
    refusals.check(
      pipelines.length >= 1 && pipelines.length <= MOST_PIPELINES,
      "pipelines",
      `must have 1 to ${MOST_PIPELINES} entries, because CloudWatch shows at most 500 widgets, got ${pipelines.length}`,
    );
    const names = pipelines.map(({ pipeline }) => pipeline);
    names.forEach((pipeline, index) => {
      if (!isKnown(pipeline)) return;
      const field = `pipelines[${index}].pipeline`;
      refusals.check(pipeline.trim() !== "", field, "must not be empty");
      refusals.check(names.indexOf(pipeline) === index, field, `must not repeat '${pipeline}'`);
    });
    refusals.throwIfAny();
  }
}
