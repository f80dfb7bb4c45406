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

/** A machine that writes and publishes failure messages. */
export interface IFailureMessenger {
  /** The machine's ARN; failure rules start it. */
  readonly stateMachineArn: string;
  /** The role with which EventBridge starts it. */
  readonly ruleRoleArn: string;
}

/** Props of {@link FailureMessenger}. */
export interface FailureMessengerProps {
  /** Physical name of the machine; at most 57 letters, digits, hyphens and underscores. */
  readonly name: string;
  /** The topic that it publishes to. */
  readonly notifications: INotificationTarget;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * Days that its execution logs are kept: one of the periods of CloudWatch Logs.
   * @default 90
   */
  readonly logRetentionDays?: number;
  /**
   * A role that Step Functions may assume; the machine's rights are granted to it.
   * @default - a new role
   */
  readonly role?: IRole;
  /**
   * `true`: X-Ray traces its executions.
   * @default true
   */
  readonly tracing?: boolean;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

const MOST_NAME_CHARACTERS = 57;
/** Its only call is tried at most six times, a minute each. */
const TIMEOUT_SECONDS = 10 * 60;

/**
 * Writes the message of a failed execution, with a subject, and publishes it. Only EventBridge sees time-outs and aborts, but it can
 * neither set a subject nor read the JSON in a cause. One messenger can serve every orchestrator of a topic. If it fails itself, a rule
 * publishes its input unchanged.
 *
 * Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class FailureMessenger extends Construct implements IFailureMessenger {
  /** The state machine. */
  readonly resource: SfnStateMachine;
  /** The machine's ARN, composed of names. */
  readonly stateMachineArn: string;
  /** The role with which EventBridge starts the machine. */
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
   * A role for the rules of this account and region; whoever adds a target also needs the right to pass the role. The trust policy does not
   * list the rules, because it may have 2048 characters only.
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
