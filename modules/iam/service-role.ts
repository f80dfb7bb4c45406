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

export interface ServiceRoleProps {
  /** Physical name; at most 64 of `A-Za-z0-9+=,.@_-`. */
  readonly name: string;
  /** The service that assumes it, e.g. `glue.amazonaws.com`. */
  readonly service: string;
  /** @default - none */
  readonly description?: string;
  /**
   * Conditions on who may assume it, against confused deputies.
   * @default - none
   */
  readonly trustConditions?: PolicyStatement["conditions"];
  /**
   * The managed policy beyond which nothing that is granted to it works.
   * @default - none, or that of `PermissionsBoundary` around it
   */
  readonly permissionsBoundaryArn?: string;
  /** @default - none beside the provider's */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A role that is known by its name and ARN only. */
export interface RoleAttributes {
  readonly roleName: string;
  readonly roleArn: string;
}

/** Statements that become one inline policy, rendered when the stack is: grants made later are in it too. */
class InlinePolicy extends Construct {
  readonly statements: PolicyStatement[] = [];
  readonly resource: IamRolePolicy;

  /** @throws Error naming every resource that is no ARN */
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
 * A role that one service assumes, with one inline policy made of what is granted to it. No managed policies.
 *
 * @throws Error naming every mistake in the props, before anything is created; at synth when nothing was granted to it
 */
export class ServiceRole extends Construct implements IRole {
  readonly resource: IamRole;
  readonly roleArn: string;
  readonly roleName: string;
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

  /** A role from elsewhere. What is granted to it becomes one inline policy of its own, beside those it has. */
  static fromRoleAttributes(scope: Construct, id: string, attributes: RoleAttributes): IRole {
    return new BroughtRole(scope, id, attributes);
  }

  get grantee(): IRole {
    return this;
  }

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
    // Whoever brings the same role a second time, here or in another stack, must not replace this policy.
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
