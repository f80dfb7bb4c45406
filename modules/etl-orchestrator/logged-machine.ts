import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { type ITerraformDependable } from "cdktf";
import { type Construct } from "constructs";
import { type IRole } from "../iam/grantable";
import { type PolicyStatement } from "../iam/policy-statement";
import { ServiceRole } from "../iam/service-role";
import { type Definition } from "../../definition-checks/asl";
import { LOG_DELIVERY_STATEMENT, TRACING_STATEMENT } from "./service-calls";

/** Props of {@link defineLoggedMachine}. */
export interface LoggedMachineProps {
  readonly name: string;
  readonly definition: Definition;
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** The rights of the definition's calls. */
  readonly statements: readonly PolicyStatement[];
  /** Adds grants of other constructs, such as an encrypted topic. */
  readonly grants?: (role: IRole) => void;
  readonly dependsOn: readonly ITerraformDependable[];
  readonly logRetentionDays?: number;
  readonly includeExecutionData?: boolean;
  readonly tracing?: boolean;
  readonly role?: IRole;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface LoggedMachine {
  readonly resource: SfnStateMachine;
  readonly role: IRole;
}

const DEFAULT_LOG_RETENTION_DAYS = 90;

/** Defines a Standard state machine with its log group and role. */
export function defineLoggedMachine(scope: Construct, props: LoggedMachineProps): LoggedMachine {
  const { name, definition, tags } = props;
  const tracing = props.tracing ?? true;

  // A log group under /aws/vendedlogs/ needs no statement of its own in the account's resource policy, whose length is limited.
  const logGroup = new CloudwatchLogGroup(scope, "LogGroup", {
    name: `/aws/vendedlogs/states/${name}`,
    retentionInDays: props.logRetentionDays ?? DEFAULT_LOG_RETENTION_DAYS,
    tags: { ...tags },
  });

  const role = props.role ?? ownRole(scope, props);
  role.addToPolicy(...props.statements, LOG_DELIVERY_STATEMENT, ...(tracing ? [TRACING_STATEMENT] : []));
  props.grants?.(role);

  const resource = new SfnStateMachine(scope, "Resource", {
    name,
    type: "STANDARD",
    roleArn: role.roleArn,
    // Multi-line: `cdktf synth --hcl` breaks references in one-line JSON.
    definition: JSON.stringify(definition, undefined, 1),
    publish: true,
    loggingConfiguration: {
      level: "ALL",
      includeExecutionData: props.includeExecutionData ?? false,
      logDestination: `${logGroup.arn}:*`,
    },
    tracingConfiguration: { enabled: tracing },
    tags: { ...tags },
    dependsOn: [...role.dependencies, ...props.dependsOn],
  });
  return { resource, role };
}

function ownRole(
  scope: Construct,
  { name, partition, region, account, tags }: LoggedMachineProps,
): ServiceRole {
  return new ServiceRole(scope, "Role", {
    name: `${name}-states`,
    description: `Runs the state machine ${name}`,
    service: "states.amazonaws.com",
    trustConditions: {
      StringEquals: { "aws:SourceAccount": account },
      // The wildcard covers versions and aliases.
      ArnLike: { "aws:SourceArn": `arn:${partition}:states:${region}:${account}:stateMachine:${name}*` },
    },
    tags,
  });
}
