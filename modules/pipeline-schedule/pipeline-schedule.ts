import { SchedulerSchedule } from "@cdktf/provider-aws/lib/scheduler-schedule";
import { SchedulerScheduleGroup } from "@cdktf/provider-aws/lib/scheduler-schedule-group";
import { type SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type Run } from "../core/run";
import { defineDeadLetters } from "../iam/dead-letters";
import { ServiceRole } from "../iam/service-role";
import { longestGapMinutes } from "../schedules/longest-gap";
import { scheduleMistakes } from "../schedules/schedule-mistakes";

/**
 * The input of a scheduled run. EventBridge Scheduler replaces the attribute by the scheduled time (UTC), which is the same in each attempt:
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
const INPUT = JSON.stringify({ mode: "daily", scheduledTime: "<aws.scheduler.scheduled-time>" });

/** Props of {@link PipelineSchedule}. */
export interface PipelineScheduleProps {
  /** Physical name of schedule and group, 1 to 55 letters, digits and `._-`; the names of role and queue begin with it. */
  readonly name: string;
  /** The runs to start, with `mode` and `scheduledTime` as the input: `orchestrator.run`, or `stateMachineRun` of a machine from elsewhere. */
  readonly run: Pick<Run, "start">;
  /** `cron(…)`, `rate(…)` or `at(…)` as in https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
  readonly expression: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * The time zone of the expression, a name of the IANA database.
   * @default "UTC"
   */
  readonly timeZone?: string;
  /**
   * `false`: the schedule exists, but starts nothing.
   * @default true
   */
  readonly enabled?: boolean;
  /**
   * The instant before which nothing is started, `YYYY-MM-DDThh:mm:ssZ`. AWS refuses to create a schedule whose start has passed.
   * @default - none
   */
  readonly start?: string;
  /**
   * The instant after which nothing is started, `YYYY-MM-DDThh:mm:ssZ`.
   * @default - none
   */
  readonly end?: string;
  /**
   * The number of retries of a failed start, 0 to 185.
   * @default 10
   */
  readonly retryAttempts?: number;
  /**
   * The seconds during which a start is retried, 60 to 86400.
   * @default 3600
   */
  readonly retrySeconds?: number;
  /**
   * The minutes by which a start may be later, 1 to 1440. The scheduled time in the input does not change.
   * @default - off: within the minute
   */
  readonly flexibleMinutes?: number;
  /** @default - "Starts <name>" */
  readonly description?: string;
  /** Tags of the group, the queue and the role; a schedule has none. @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Starts a pipeline by the clock of its time zone, with a scheduled time that is the same in every retry. Failed starts go to a
 * dead-letter queue with the reason. The schedule has a group of its own, because the group is the dimension of the metrics of
 * AWS/Scheduler.
 *
 * Sources: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html,
 * https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html,
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class PipelineSchedule extends Construct {
  /** The schedule. */
  readonly resource: SchedulerSchedule;
  /** The role with which EventBridge Scheduler starts the machine. */
  readonly role: ServiceRole;
  /** The queue of failed starts. */
  readonly deadLetterQueue: SqsQueue;
  /** Physical name of the schedule; known in a plan. */
  readonly scheduleName: string;
  /** Physical name of the schedule's group; known in a plan. */
  readonly groupName: string;
  /** Physical name of the dead-letter queue; known in a plan. */
  readonly deadLetterQueueName: string;
  /** The ARN of the dead-letter queue; known in a plan. */
  readonly deadLetterQueueArn: string;
  /** `false`: the schedule starts nothing. */
  readonly enabled: boolean;
  /** The longest time between two starts in minutes, daylight saving included; 0 for a single start. */
  readonly longestGapMinutes: number;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: PipelineScheduleProps,
  ) {
    super(scope, id);
    refuse(this, props);

    const { name, account, region, expression, timeZone = "UTC", start } = props;
    this.scheduleName = name;
    this.groupName = name;
    this.deadLetterQueueName = `${name}-schedule-dead-letters`;
    this.deadLetterQueueArn = `arn:${partitionOf(region)}:sqs:${region}:${account}:${this.deadLetterQueueName}`;
    this.enabled = props.enabled ?? true;
    this.longestGapMinutes = longestGapMinutes(expression, timeZone, start);

    const group = new SchedulerScheduleGroup(this, "Group", { name, tags: this.tags() });
    // Messages hold only the input of a run.
    this.deadLetterQueue = defineDeadLetters(this, {
      name: this.deadLetterQueueName,
      arn: this.deadLetterQueueArn,
      tags: this.tags(),
    });
    this.role = this.defineRole();
    this.resource = this.defineSchedule(group.name);
  }

  private tags(): Record<string, string> | undefined {
    return this.props.tags && { ...this.props.tags };
  }

  /**
   * The source that Scheduler names is the group, never the schedule:
   * https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html.
   */
  private defineRole(): ServiceRole {
    const { name, account, region, run, tags } = this.props;
    const groupArn = `arn:${partitionOf(region)}:scheduler:${region}:${account}:schedule-group/${name}`;
    const role = new ServiceRole(this, "Role", {
      name: `${name}-schedule`,
      service: "scheduler.amazonaws.com",
      description: `Starts ${name} on its schedule`,
      trustConditions: { StringEquals: { "aws:SourceAccount": account, "aws:SourceArn": groupArn } },
      tags,
    });
    role.addToPolicy(
      { actions: run.start.actions, resources: run.start.resources, conditions: run.start.conditions },
      { actions: ["sqs:SendMessage"], resources: [this.deadLetterQueueArn] },
    );
    return role;
  }

  private defineSchedule(groupName: string): SchedulerSchedule {
    const { props, deadLetterQueue, role } = this;
    return new SchedulerSchedule(this, "Resource", {
      name: props.name,
      groupName,
      description: props.description ?? `Starts ${props.name}`,
      scheduleExpression: props.expression,
      scheduleExpressionTimezone: props.timeZone ?? "UTC",
      startDate: props.start,
      endDate: props.end,
      state: this.enabled ? "ENABLED" : "DISABLED",
      flexibleTimeWindow:
        props.flexibleMinutes === undefined
          ? { mode: "OFF" }
          : { mode: "FLEXIBLE", maximumWindowInMinutes: props.flexibleMinutes },
      target: {
        arn: props.run.start.arn,
        roleArn: role.roleArn,
        input: props.run.start.input ?? INPUT,
        deadLetterConfig: { arn: deadLetterQueue.arn },
        retryPolicy: {
          maximumRetryAttempts: props.retryAttempts ?? 10,
          maximumEventAgeInSeconds: props.retrySeconds ?? 3_600,
        },
      },
      dependsOn: [...role.dependencies],
    });
  }
}

function refuse(scope: Construct, props: PipelineScheduleProps): void {
  const { name } = props;
  const { arn } = props.run.start;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("PipelineSchedule", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  refusals.noteAll(placeMistakes(props, isKnown));
  refusals.check(
    !isKnown(name) || /^[A-Za-z0-9._-]{1,55}$/.test(name),
    "name",
    `must be 1 to 55 letters, digits or ._-, got ${JSON.stringify(name)} (${name.length} characters)`,
  );
  refusals.check(
    !isKnown(arn) || /^arn:[a-z-]+:[a-z]+:[a-z0-9-]*:\d*:.+$/.test(arn),
    "run.start.arn",
    `must be an ARN, got ${JSON.stringify(arn)}`,
  );
  refusals.check(
    !isKnown(arn) || !/:stateMachine:[^:]+$/.test(arn),
    "run.start.arn",
    `must name an alias of the state machine, so that a deployment decides what runs, got ${JSON.stringify(arn)}`,
  );
  refusals.noteAll(scheduleMistakes(props));
  refusals.throwIfAny();
}
