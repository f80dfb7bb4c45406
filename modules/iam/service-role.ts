import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { type ITerraformDependable, Token } from "cdktf";
import { Construct } from "constructs";
import { boundaryMistake } from "../core/permissions-boundary";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals, shownPath } from "../core/refusals";
import { type IRole } from "./grantable";
import { policyDocument } from "./policy-document";
import { isPolicyResource, type PolicyStatement } from "./policy-statement";

/** Props of {@link ServiceRole}. */
export interface ServiceRoleProps {
  /** Physical name: 1 to 64 letters, digits and `+=,.@_-`. */
  readonly name: string;
  /** The service that assumes it, e.g. `glue.amazonaws.com`. */
  readonly service: string;
  /** @default - none */
  readonly description?: string;
  /**
   * Conditions on who may assume it, against the confused deputy problem:
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
   * @default - none
   */
  readonly trustConditions?: PolicyStatement["conditions"];
  /**
   * The ARN of a managed policy that limits its rights.
   * @default - none, or the policy of `PermissionsBoundary.apply` on a scope around it
   */
  readonly permissionsBoundaryArn?: string;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/** The name and ARN of an existing role. */
export interface RoleAttributes {
  /** The role's name. */
  readonly roleName: string;
  /** The role's ARN. */
  readonly roleArn: string;
}

/** Statements of one inline policy, which is rendered with the stack and so includes later grants. */
class InlinePolicy extends Construct {
  readonly statements: PolicyStatement[] = [];
  readonly resource: IamRolePolicy;

  /** @throws Error naming every resource that is not an ARN */
  add(statements: readonly PolicyStatement[]): void {
    const refusals = new Refusals("ServiceRole", this.node.scope?.node.path ?? "");
    for (const { actions, resources } of statements)
      for (const resource of resources)
        refusals.check(
          Token.isUnresolved(resource) || isPolicyResource(resource),
          "resources",
          `must be ARNs or "*", got ${JSON.stringify(resource)} for ${actions.join(", ")}`,
        );
    refusals.throwIfAny();
    this.statements.push(...statements);
  }

  constructor(scope: Construct, id: string, { roleName, name }: { roleName: string; name: string }) {
    super(scope, id);
    this.resource = new IamRolePolicy(this, "Resource", {
      role: roleName,
      name,
      policy: policyDocument(() => this.statements),
    });
    this.node.addValidation({
      validate: () =>
        this.statements.length > 0
          ? []
          : [
              `ServiceRole '${shownPath(scope.node.path)}': nothing was granted to it; AWS refuses an empty policy`,
            ],
    });
  }
}

/**
 * A role for one service, with one inline policy that holds its grants, and no managed policies.
 *
 * @throws Error naming every mistake in the props, before anything is created; at synth if nothing was granted to it
 */
export class ServiceRole extends Construct implements IRole {
  /** The role. */
  readonly resource: IamRole;
  /** The ARN; refers to the resource. */
  readonly roleArn: string;
  /** Physical name; refers to the resource. */
  readonly roleName: string;
  /** The role's policy, for `dependsOn` of resources that assume the role. */
  readonly dependencies: ITerraformDependable[];
  private readonly policy: InlinePolicy;

  constructor(scope: Construct, id: string, props: ServiceRoleProps) {
    super(scope, id);
    refuse(this, props);

    this.resource = new IamRole(this, "Resource", {
      name: props.name,
      description: props.description,
      assumeRolePolicy: trustPolicy(props.service, props.trustConditions),
      permissionsBoundary: props.permissionsBoundaryArn,
      tags: props.tags && { ...props.tags },
    });
    this.policy = new InlinePolicy(this, "Policy", { roleName: this.resource.name, name: "derived" });
    this.roleArn = this.resource.arn;
    this.roleName = this.resource.name;
    this.dependencies = [this.policy.resource];
  }

  /** Refers to an existing role. Grants become one further inline policy of the role. */
  static fromRoleAttributes(scope: Construct, id: string, attributes: RoleAttributes): IRole {
    return new BroughtRole(scope, id, attributes);
  }

  /** The role itself. */
  get grantee(): IRole {
    return this;
  }

  /** Adds statements to the role's inline policy. @throws Error naming every resource that is not an ARN */
  addToPolicy(...statements: PolicyStatement[]): void {
    this.policy.add(statements);
  }
}

function refuse(scope: Construct, props: ServiceRoleProps): void {
  const { name, service, permissionsBoundaryArn: boundary } = props;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("ServiceRole", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  refusals.check(
    !isKnown(name) || /^[A-Za-z0-9+=,.@_-]{1,64}$/.test(name),
    "name",
    `must be 1 to 64 letters, digits or +=,.@_-, got ${JSON.stringify(name)} (${name.length} characters)`,
  );
  refusals.check(
    !isKnown(service) || /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(service),
    "service",
    `must be a service such as glue.amazonaws.com, got ${JSON.stringify(service)}`,
  );
  if (boundary !== undefined && isKnown(boundary)) {
    refusals.note("permissionsBoundaryArn", boundaryMistake(boundary));
  }
  refusals.throwIfAny();
}

class BroughtRole extends Construct implements IRole {
  readonly roleArn: string;
  readonly roleName: string;
  readonly dependencies: ITerraformDependable[];
  private readonly policy: InlinePolicy;

  constructor(scope: Construct, id: string, { roleName, roleArn }: RoleAttributes) {
    super(scope, id);
    this.roleArn = roleArn;
    this.roleName = roleName;
    // The name holds a hash of the path, so that another construct with the same role does not replace this policy.
    this.policy = new InlinePolicy(this, "Policy", { roleName, name: `derived-${this.node.addr.slice(-8)}` });
    this.dependencies = [this.policy.resource];
  }

  get grantee(): IRole {
    return this;
  }

  addToPolicy(...statements: PolicyStatement[]): void {
    this.policy.add(statements);
  }
}

function trustPolicy(service: string, conditions: PolicyStatement["conditions"]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: service },
        Action: "sts:AssumeRole",
        ...(conditions === undefined ? {} : { Condition: conditions }),
      },
    ],
  });
}
