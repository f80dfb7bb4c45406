import { type TerraformStack } from "cdktf";
import { ServiceRole } from "../../../modules/iam/service-role";
import { RunLock, type RunLockProps } from "../../../modules/run-lock/run-lock";
import { refusal, synth, unknownText } from "../../support/synth";

const minimum: RunLockProps = { name: "etl-dev-locks", account: "111122223333", region: "eu-west-1" };
const make = (stack: TerraformStack, props: Partial<RunLockProps> = {}, id = "Locks") =>
  new RunLock(stack, id, { ...minimum, ...props });

test("minimum: one item per pipeline, paid by request", () => {
  const { at, counts, built } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_dynamodb_table: 1 });
  expect(at("Locks/Resource")).toEqual({
    name: "etl-dev-locks",
    billing_mode: "PAY_PER_REQUEST",
    hash_key: "pipeline",
    attribute: [{ name: "pipeline", type: "S" }],
  });
  expect(built.tableName).toBe("etl-dev-locks");
  expect(built.tableArn).toBe("arn:aws:dynamodb:eu-west-1:111122223333:table/etl-dev-locks");
});

test("every prop changed, two in one stack", () => {
  const { at, built, counts } = synth((stack) => {
    make(stack, {}, "Other");
    return make(stack, {
      name: "locks",
      account: "444455556666",
      region: "cn-north-1",
      tags: { team: "data" },
    });
  });
  expect(counts).toEqual({ aws_dynamodb_table: 2 });
  expect(at("Locks/Resource")).toMatchObject({ name: "locks", tags: { team: "data" } });
  expect(built.tableArn).toBe("arn:aws-cn:dynamodb:cn-north-1:444455556666:table/locks");
});

test("a job may put the item of its own pipeline, and do nothing else", () => {
  const { statements } = synth((stack) => {
    const role = new ServiceRole(stack, "Role", { name: "job", service: "glue.amazonaws.com" });
    make(stack).grantFence(role, "events");
  });
  expect(statements("Role/Policy/Resource")).toEqual([
    {
      Effect: "Allow",
      Action: "dynamodb:PutItem",
      Resource: "arn:aws:dynamodb:eu-west-1:111122223333:table/etl-dev-locks",
      Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": "events" } },
    },
  ]);
});

test("a watcher claims the runs of its own workflow", () => {
  const { statements } = synth((stack) => {
    const role = new ServiceRole(stack, "Role", { name: "watcher", service: "lambda.amazonaws.com" });
    make(stack).grantClaims(role, "etl-dev-mobile-users");
  });
  expect(statements("Role/Policy/Resource")).toEqual([
    {
      Effect: "Allow",
      Action: "dynamodb:UpdateItem",
      Resource: "arn:aws:dynamodb:eu-west-1:111122223333:table/etl-dev-locks",
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "runs/etl-dev-mobile-users/*" } },
    },
  ]);
});

test("refusals, all at once", () => {
  expect(
    refusal((stack) => make(stack, { name: "l!", account: "12", tags: { team: "YOUR_TEAM" } })),
  ).toContain("'name' must be 3 to 255 letters, digits or ._-, got \"l!\"");
  expect(refusal((stack) => make(stack, { name: "l!", account: "12" }))).toContain("'account'");
});

test("what only Terraform can resolve is left alone", () => {
  expect(() => synth((stack) => make(stack, { name: unknownText() }))).not.toThrow();
});
