import { shownPath } from "../core/refusals";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { Aspects, Token } from "cdktf";
import { type IConstruct } from "constructs";
import { boundaryMistake } from "../core/permissions-boundary";

/** The most that roles may ever be allowed, whatever is granted to them. */
export const PermissionsBoundary = {
  /**
   * Puts a managed policy as boundary on every role below a scope that has none of its own: those of constructs, those made by
   * hand, and those that are added later.
   * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
   *
   * @param policyArn of a managed policy: an inline one cannot be a boundary
   * @throws Error when it is no managed policy's ARN
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
