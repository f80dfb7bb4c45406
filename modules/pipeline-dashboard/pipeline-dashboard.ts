import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { regionMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type Run } from "../core/run";
import { dashboardBody } from "./dashboard-body";

/** What is shown of a pipeline. */
export interface DashboardPipeline {
  /** What its charts are headed. */
  readonly pipeline: string;
  /** Its runs: `orchestrator.run`, or `stateMachineRun` of a state machine from elsewhere. */
  readonly run: Pick<Run, "name" | "metrics">;
  readonly jobName: string;
  /**
   * The most that one run of the job can be billed, DPU-hours: told beside the charts.
   * @default - not told
   */
  readonly maxDpuHoursPerRun?: number;
}

export interface PipelineDashboardProps {
  /** 1 to 255 letters, digits, hyphens or underscores; unique in the account, over all regions. */
  readonly name: string;
  /** In the order in which they are shown; at least one. */
  readonly pipelines: readonly DashboardPipeline[];
  /**
   * The workgroup whose scanned bytes are shown; it must publish its metrics, as `AthenaWorkgroup` does.
   * @default - none
   */
  readonly workgroupName?: string;
  readonly region: string;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html */
const NAME = /^[A-Za-z0-9_-]{1,255}$/;
/** CloudWatch shows at most 500 widgets; a pipeline has nine, the queries two. */
const MOST_PIPELINES = 55;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * A dashboard of pipelines: runs, rows, quality and duration of each; what its job reads, does and holds; what drives the cost.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class PipelineDashboard extends Construct {
  readonly resource: CloudwatchDashboard;
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
      `must be 1 to ${MOST_PIPELINES}, since CloudWatch shows at most 500 widgets, got ${pipelines.length}`,
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
