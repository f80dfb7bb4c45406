import { type ITerraformDependable } from "cdktf";
import { type PolicyStatement } from "./policy-statement";

/** What rights can be given to. */
export interface IGrantable {
  readonly grantee: IRole;
}

/** A role, made here or brought. */
export interface IRole extends IGrantable {
  readonly roleArn: string;
  readonly roleName: string;
  /** Adds to the one inline policy; the order of calls does not matter. */
  addToPolicy(...statements: PolicyStatement[]): void;
  /** To be put into `dependsOn` of what assumes the role: its policy must exist first. */
  readonly dependencies: ITerraformDependable[];
}
