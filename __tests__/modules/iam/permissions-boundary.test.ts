import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { type TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { PermissionsBoundary } from "../../../modules/iam/permissions-boundary";
import { ServiceRole } from "../../../modules/iam/service-role";
import { refusal, synth } from "../../support/synth";

const BOUNDARY = "arn:aws:iam::000000000000:policy/boundary";
const OTHER = "arn:aws:iam::aws:policy/PowerUserAccess";

const role = (scope: Construct, name: string, permissionsBoundaryArn?: string): void =>
  new ServiceRole(scope, name, { name, service: "glue.amazonaws.com", permissionsBoundaryArn }).addToPolicy({
    actions: ["s3:ListAllMyBuckets"],
    resources: ["*"],
  });

test("every role below has it, those that come later too; one with its own keeps that, and others have none", () => {
  const { at } = synth((stack: TerraformStack) => {
    const inside = new Construct(stack, "Inside");
    role(inside, "before");
    PermissionsBoundary.apply(inside, BOUNDARY);
    role(new Construct(inside, "Deep"), "after");
    role(inside, "own", OTHER);
    new IamRole(inside, "Raw", { name: "raw", assumeRolePolicy: "{}" });
    role(stack, "outside");
  });
  const boundaryOf = (path: string) => at(path).permissions_boundary;
  expect(
    ["Inside/before/Resource", "Inside/Deep/after/Resource", "Inside/own/Resource", "Inside/Raw"].map(
      boundaryOf,
    ),
  ).toEqual([BOUNDARY, BOUNDARY, OTHER, BOUNDARY]);
  expect(at("outside/Resource")).not.toHaveProperty("permissions_boundary");
});

test.each(["boundary", "arn:aws:iam::000000000000:role/boundary", "arn:aws:iam::1:policy/x"])(
  "%s is no policy",
  (arn) => {
    const mistake =
      `must be the ARN of a managed policy, got "${arn}"; ` +
      "take it from `aws iam list-policies`: arn:aws:iam::<account>:policy/<name>";
    expect(refusal((stack) => PermissionsBoundary.apply(stack, arn))).toBe(
      `PermissionsBoundary 'etl-dev': 'policyArn' ${mistake}`,
    );
    expect(refusal((stack) => role(stack, "reader", arn))).toBe(
      `ServiceRole 'etl-dev/reader': 'permissionsBoundaryArn' ${mistake}`,
    );
  },
);
