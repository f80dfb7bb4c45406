import {
  GlueTrigger,
  type GlueTriggerActions,
  type GlueTriggerPredicate,
} from "@cdktf/provider-aws/lib/glue-trigger";
import { GlueWorkflow as GlueWorkflowResource } from "@cdktf/provider-aws/lib/glue-workflow";
import { DefaultTokenResolver, StringConcat, TerraformStack, Token, Tokenization } from "cdktf";
import { Construct } from "constructs";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { type Mistake, Refusals, shownPath } from "../core/refusals";
import { type Run, workflowArn, workflowRun } from "../core/run";
import { type IGrantable } from "../iam/grantable";
import { longestGapMinutes } from "../schedules/longest-gap";
import { workflowMistakes } from "./workflow-mistakes";
import { resourceNameOf, type WorkflowNode } from "./workflow-node";
import { type OnCrawl, readConditions, type WorkflowTrigger } from "./workflow-trigger";

/** The clock of a workflow's start trigger. */
export interface WorkflowSchedule {
  /** `cron(minutes hours day-of-month month day-of-week year)` in UTC: Glue's triggers know no other zone. At most every five minutes. */
  readonly cron: string;
  /**
   * The zone for which the expression is written. Only UTC is taken; for another zone the message gives the expression in UTC, or both of them if
   * its clock changes in the course of the year.
   * @default "UTC"
   */
  readonly timeZone?: string;
  /**
   * `false`: the trigger exists, but starts nothing.
   * @default true
   */
  readonly enabled?: boolean;
}

/** Props of {@link GlueWorkflow}. */
export interface GlueWorkflowProps {
  /** Physical name, 1 to 80 letters, digits, `_` and `-`. */
  readonly name: string;
  /** The crawlers and jobs, each once. */
  readonly nodes: readonly WorkflowNode[];
  /** The triggers; one of them has no `after` and starts the workflow. `workflowChain` makes both lists for a chain. */
  readonly triggers: readonly WorkflowTrigger[];
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * The clock of the start trigger.
   * @default - on demand: a run is started by `StartWorkflowRun`, by hand or by a `PipelineSchedule` of `run`
   */
  readonly schedule?: WorkflowSchedule;
  /**
   * When a trigger behind a crawl that may fail fires, if it says nothing else.
   * @default "ended"
   */
  readonly onCrawl?: OnCrawl;
  /** @default - none */
  readonly description?: string;
  /** Tags of the workflow and its triggers. @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * A Glue workflow: crawlers and jobs that triggers start one after the other, one run at a time. Its conditional triggers are activated, and the one
 * that starts it is made last, so that no run finds a part of the chain missing. Glue runs jobs and crawlers with their own roles; a trigger has none.
 *
 * A run ends COMPLETED although nodes failed, and no event reports it. So a stack with a workflow does not synthesise without a `WorkflowWatcher`
 * that judges its runs.
 *
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html, https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html,
 * https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTrigger.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class GlueWorkflow extends Construct {
  /** The workflow. */
  readonly resource: GlueWorkflowResource;
  /** The triggers by physical name. */
  readonly triggers: ReadonlyMap<string, GlueTrigger>;
  /** Physical name; known in a plan. */
  readonly workflowName: string;
  /** The ARN, composed of names; known in a plan. */
  readonly workflowArn: string;
  /** Its crawlers and jobs. */
  readonly nodes: readonly WorkflowNode[];
  /** Its runs, as alarms, dashboards and schedules see them. */
  readonly run: Run;
  /** `false`: no schedule of its own starts it. */
  readonly enabled: boolean;
  /** The longest time between two scheduled starts in minutes; 0 without a schedule, or for a single start. */
  readonly longestGapMinutes: number;
  private isWatched = false;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: GlueWorkflowProps,
  ) {
    super(scope, id);
    this.refuse();

    const { name, schedule } = props;
    this.workflowName = name;
    this.workflowArn = workflowArn(props);
    this.nodes = props.nodes;
    this.run = workflowRun(props);
    this.enabled = schedule !== undefined && (schedule.enabled ?? true);
    this.longestGapMinutes = schedule === undefined ? 0 : longestGapMinutes(schedule.cron, "UTC");

    this.resource = new GlueWorkflowResource(this, "Resource", {
      name,
      description: props.description,
      maxConcurrentRuns: 1,
      tags: this.tags(),
    });
    this.triggers = this.defineTriggers();

    this.node.addValidation({ validate: () => this.unwatched() });
  }

  /** Lets a job read the run that started it: when it started, its properties, and the run that a resumed one continues. */
  grantReadRun(grantable: IGrantable): void {
    this.grant(grantable, ["glue:GetWorkflowRun", "glue:GetWorkflowRunProperties"]);
  }

  /**
   * Lets a watcher list the runs and read their graphs. A stack whose workflow has no watcher does not synthesise, so call it for a watcher of your own
   * too; a `WorkflowWatcher` calls it itself.
   */
  grantWatchRuns(grantable: IGrantable): void {
    this.isWatched = true;
    this.grant(grantable, ["glue:GetWorkflowRun", "glue:GetWorkflowRuns"]);
  }

  /** Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html */
  private grant(grantable: IGrantable, actions: readonly string[]): void {
    grantable.grantee.addToPolicy({ actions, resources: [this.workflowArn] });
  }

  private unwatched(): string[] {
    return this.isWatched
      ? []
      : [
          `GlueWorkflow '${shownPath(this.node.path)}': nobody watches its runs, and a run of a Glue workflow ends COMPLETED though nodes failed; ` +
            "add a WorkflowWatcher, or call grantWatchRuns for the role of your own watcher",
        ];
  }

  private tags(): Record<string, string> | undefined {
    return this.props.tags && { ...this.props.tags };
  }

  private refuse(): void {
    const { props } = this;
    const refusals = new Refusals("GlueWorkflow", this.node.path);
    refusals.noteUnfilled(placeholderMistakes(props, isKnown));
    refusals.noteAll(placeMistakes(props, isKnown));
    refusals.noteAll(workflowMistakes(props, isKnown));
    refusals.noteAll(this.sharedNodes());
    refusals.throwIfAny();
  }

  /**
   * A crawler that runs already cannot be started again, and the run of a job is watched in the workflow that started it only:
   * https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
   */
  private sharedNodes(): Mistake[] {
    const others = this.node.root.node
      .findAll()
      .filter((one): one is GlueWorkflow => one instanceof GlueWorkflow && one !== this);
    return this.props.nodes.flatMap((node, index): Mistake[] => {
      const key = this.keyOf(node);
      const other = others.find((one) => one.props.nodes.some((theirs) => one.keyOf(theirs) === key));
      if (other === undefined) return [];
      const what = node.kind === "crawl" ? "crawler" : "job";
      return [
        [
          `nodes[${index}]`,
          `must not be the ${what} of another workflow, and ${this.shown(node)} is in '${shownPath(other.node.path)}' too: ` +
            `a run would disturb the other's; give each workflow a ${what} of its own`,
        ],
      ];
    });
  }

  /** The crawler or job that a node names; a reference means one of its stack. */
  private keyOf(node: WorkflowNode): string {
    const { account, region } = this.props;
    const name = this.shown(node);
    const place = name.includes("${") ? TerraformStack.of(this).node.path : `${account} ${region}`;
    return `${node.kind} ${place} ${name}`;
  }

  private shown(node: WorkflowNode): string {
    const resolver = new DefaultTokenResolver(new StringConcat());
    return String(Tokenization.resolve(resourceNameOf(node), { scope: this, resolver, preparing: false }));
  }

  /** The start trigger depends on all others: it may fire as soon as it exists, and is destroyed first. */
  private defineTriggers(): Map<string, GlueTrigger> {
    const { triggers } = this.props;
    const made = new Map<string, GlueTrigger>();
    const define = (trigger: WorkflowTrigger, settings: Parameters<typeof this.defineTrigger>[1]): void =>
      void made.set(trigger.name, this.defineTrigger(trigger, settings));
    for (const trigger of triggers.filter(({ after }) => after !== undefined))
      define(trigger, { type: "CONDITIONAL", enabled: true, predicate: this.predicate(trigger) });
    const start = triggers.find(({ after }) => after === undefined)!;
    define(start, { ...this.startSettings(), dependsOn: made.size === 0 ? undefined : [...made.values()] });
    return made;
  }

  /**
   * The provider fires an ON_DEMAND trigger on creation unless it is not enabled:
   * https://github.com/hashicorp/terraform-provider-aws/issues/42498
   */
  private startSettings() {
    const { schedule } = this.props;
    return schedule === undefined
      ? { type: "ON_DEMAND", enabled: false }
      : { type: "SCHEDULED", enabled: this.enabled, schedule: schedule.cron };
  }

  private defineTrigger(
    { name, starts }: WorkflowTrigger,
    settings: {
      readonly type: string;
      readonly enabled: boolean;
      readonly schedule?: string;
      readonly predicate?: GlueTriggerPredicate;
      readonly dependsOn?: GlueTrigger[];
    },
  ): GlueTrigger {
    return new GlueTrigger(this, `Start${starts[0]}`, {
      name,
      workflowName: this.resource.name,
      ...settings,
      actions: starts.map((started) => this.action(started)),
      tags: this.tags(),
    });
  }

  private action(name: string): GlueTriggerActions {
    const node = this.nodes.find((one) => one.name === name)!;
    if (node.kind === "crawl") return { crawlerName: node.crawlerName };
    const given = Object.entries(node.arguments).map(([argument, value]) => [`--${argument}`, value]);
    return {
      jobName: node.jobName,
      timeout: node.timeoutMinutes,
      ...(given.length === 0 ? {} : { arguments: Object.fromEntries(given) as Record<string, string> }),
    };
  }

  /** All of several nodes, or any state of one; the operator is written, because Glue refuses a condition without one. */
  private predicate(trigger: WorkflowTrigger): GlueTriggerPredicate {
    const { onCrawl = "ended", nodes } = this.props;
    const conditions = readConditions(trigger, nodes, onCrawl).flatMap(({ node, states }) =>
      states.map((state) =>
        node?.kind === "crawl"
          ? { crawlerName: node.crawlerName, crawlState: state, logicalOperator: "EQUALS" }
          : { jobName: node!.jobName, state, logicalOperator: "EQUALS" },
      ),
    );
    const isOneNode = (trigger.after ?? []).length === 1;
    return { logical: isOneNode && conditions.length > 1 ? "ANY" : "AND", conditions };
  }
}
