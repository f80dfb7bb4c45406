import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { type SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { logRetentionMistake } from "../core/log-retention";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type IRole } from "../iam/grantable";
import { ServiceRole } from "../iam/service-role";
import { asDefinition } from "../../definition-checks/asl-checks";
import { untoldRule } from "./failure-messages";
import { fragment } from "./fragment";
import { defineLoggedMachine, type LoggedMachine } from "./logged-machine";
import { type INotificationTarget } from "./notification-target";
import { render } from "./state-machine-definition";

/** Writes and publishes the messages of failures. */
export interface IFailureMessenger {
  /** The machine that is started with what a rule hands on. */
  readonly stateMachineArn: string;
  /** The role in which EventBridge starts it. */
  readonly ruleRoleArn: string;
}

export interface FailureMessengerProps {
  /** Physical name of the machine; at most 57 letters, digits, hyphens and underscores. */
  readonly name: string;
  /** The topic that it publishes to. */
  readonly notifications: INotificationTarget;
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
  /**
   * How long its execution logs are kept, days: one of the periods of CloudWatch Logs.
   * @default 90
   */
  readonly logRetentionDays?: number;
  /**
   * A role that Step Functions may assume; what the machine needs is granted to it.
   * @default - a role of its own
   */
  readonly role?: IRole;
  /**
   * Whether its executions are traced by X-Ray.
   * @default true
   */
  readonly tracing?: boolean;
  /** @default - none beside the provider's */
  readonly tags?: Readonly<Record<string, string>>;
}

const MOST_NAME_CHARACTERS = 57;
/** Its one call is tried six times of a minute at most. */
const TIMEOUT_SECONDS = 10 * 60;

/**
 * Words the message of a failed execution as a person would, with a subject, and publishes it. EventBridge, which alone knows of
 * time-outs and aborts, can neither set a subject nor read the JSON in a cause. One serves every orchestrator of a topic.
 * When it fails itself, a rule of its own publishes what it was given, plainly.
 *
 * Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class FailureMessenger extends Construct implements IFailureMessenger {
  readonly resource: SfnStateMachine;
  readonly stateMachineArn: string;
  readonly ruleRoleArn: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: FailureMessengerProps,
  ) {
    super(scope, id);
    this.refuse();

    const { name, account, region } = props;
    this.stateMachineArn = `arn:${partitionOf(region)}:states:${region}:${account}:stateMachine:${name}`;

    this.resource = this.defineMachine().resource;
    const role = this.defineRuleRole();
    this.defineUntoldRule();

    this.ruleRoleArn = role.roleArn;
  }

  private refuse(): void {
    const { name, logRetentionDays } = this.props;
    const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
    const refusals = new Refusals("FailureMessenger", this.node.path);
    refusals.noteUnfilled(placeholderMistakes({ name, tags: this.props.tags }, isKnown));
    refusals.noteAll(placeMistakes(this.props, isKnown));
    refusals.check(
      !isKnown(name) || new RegExp(`^[A-Za-z0-9_-]{1,${MOST_NAME_CHARACTERS}}$`).test(name),
      "name",
      `must be 1 to ${MOST_NAME_CHARACTERS} letters, digits, hyphens or underscores, got ${JSON.stringify(name)} (${name.length})`,
    );
    if (logRetentionDays !== undefined)
      refusals.note("logRetentionDays", logRetentionMistake(logRetentionDays));
    refusals.throwIfAny();
  }

  private defineMachine(): LoggedMachine {
    const { notifications, region } = this.props;
    const partition = partitionOf(region);
    const values = {
      Partition: partition,
      TopicArn: notifications.topicArn,
      TimeoutSeconds: TIMEOUT_SECONDS,
    };
    const isKnown = (value: string) => !Token.isUnresolved(value);
    return defineLoggedMachine(this, {
      ...this.props,
      partition,
      definition: asDefinition(render("tell-failure", fragment("tell-failure"), values, { isKnown })),
      statements: [],
      grants: (role) => notifications.grantPublish(role),
      dependsOn: [],
    });
  }

  /**
   * For the rules of this account and region; whoever puts a target needs the right to pass the role besides. The rules by name
   * would not fit: a trust policy has 2048 characters.
   * Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html,
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
   */
  private defineRuleRole(): ServiceRole {
    const { name, account, region, tags } = this.props;
    const role = new ServiceRole(this, "RuleRole", {
      name: `${name}-rules`,
      service: "events.amazonaws.com",
      description: `Starts ${name} when an execution failed`,
      trustConditions: {
        StringEquals: { "aws:SourceAccount": account },
        ArnLike: { "aws:SourceArn": `arn:${partitionOf(region)}:events:${region}:${account}:rule/*` },
      },
      tags,
    });
    role.addToPolicy({ actions: ["states:StartExecution"], resources: [this.stateMachineArn] });
    return role;
  }

  private defineUntoldRule(): void {
    const { name, notifications, region, tags } = this.props;
    const { suffix, description, pattern, inputPaths, inputTemplate } = untoldRule({
      name,
      region,
      partition: partitionOf(region),
      stateMachineArn: this.stateMachineArn,
    });
    const rule = new CloudwatchEventRule(this, "UntoldRule", {
      name: `${name}${suffix}`,
      description,
      eventPattern: JSON.stringify(pattern),
      tags: tags && { ...tags },
    });
    new CloudwatchEventTarget(this, "UntoldTarget", {
      rule: rule.name,
      targetId: "notifications",
      arn: notifications.topicArn,
      inputTransformer: { inputPaths: { ...inputPaths }, inputTemplate },
    });
    notifications.allowPublishFromRule(rule.arn);
  }
}
