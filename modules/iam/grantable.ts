import { type ITerraformDependable } from "cdktf";
import { type PolicyStatement } from "./policy-statement";

/** A construct to which rights can be granted. */
export interface IGrantable {
  /** The role that gets the rights. */
  readonly grantee: IRole;
}

/** A role, created by {@link ServiceRole} or existing. */
export interface IRole extends IGrantable {
  /** The role's ARN. */
  readonly roleArn: string;
  /** The role's name. */
  readonly roleName: string;
  /** Adds statements to the role's inline policy; the order of calls does not matter. */
  addToPolicy(...statements: PolicyStatement[]): void;
  /** The role's policy, for `dependsOn` of resources that assume the role. */
  readonly dependencies: ITerraformDependable[];
}
