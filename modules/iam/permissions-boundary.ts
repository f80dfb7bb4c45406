import { shownPath } from "../core/refusals";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { Aspects, Token } from "cdktf";
import { type IConstruct } from "constructs";
import { boundaryMistake } from "../core/permissions-boundary";

/** Limits the rights of roles by a managed policy. */
export const PermissionsBoundary = {
  /**
   * Sets a managed policy as permissions boundary of every role below a scope that has none of its own: roles of constructs, roles
   * defined by hand, and roles that are added later.
   * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
   *
   * @param policyArn the ARN of a managed policy; an inline policy cannot be a boundary
   * @throws Error if it is not the ARN of a managed policy
   */
  apply(scope: IConstruct, policyArn: string): void {
    const mistake = Token.isUnresolved(policyArn) ? undefined : boundaryMistake(policyArn);
    if (mistake !== undefined) {
      throw new Error(`PermissionsBoundary '${shownPath(scope.node.path)}': 'policyArn' ${mistake}`);
    }
    Aspects.of(scope).add({
      visit(node: IConstruct): void {
        if (node instanceof IamRole) node.permissionsBoundary = node.permissionsBoundaryInput ?? policyArn;
      },
    });
  },
};
