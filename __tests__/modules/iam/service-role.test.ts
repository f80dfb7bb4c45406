import { type TerraformStack } from "cdktf";
import { ServiceRole } from "../../../modules/iam/service-role";
import { ROLE } from "../../support/places";
import { refusal, synth, unknownText } from "../../support/synth";

const minimum = { name: "etl-dev-reader", service: "glue.amazonaws.com" };
const read = { actions: ["s3:GetObject"], resources: ["arn:aws:s3:::lake/*"] };
const list = { actions: ["s3:ListBucket"], resources: ["arn:aws:s3:::lake"] };

function role(stack: TerraformStack, props = {}, id = "Role"): ServiceRole {
  const made = new ServiceRole(stack, id, { ...minimum, ...props });
  made.grantee.addToPolicy(read);
  return made;
}

test("minimum: one role that the service assumes, one inline policy, nothing attached", () => {
  const { at, counts, reference, built } = synth((stack) => role(stack));
  expect(at("Role/Resource")).toMatchObject({
    name: "etl-dev-reader",
    assume_role_policy:
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
  });
  expect(at("Role/Policy/Resource")).toMatchObject({
    name: "derived",
    role: reference("Role/Resource", "name"),
  });
  expect(counts).toEqual({ aws_iam_role: 1, aws_iam_role_policy: 1 });
  expect(built.dependencies).toHaveLength(1);
});

test("every prop changed", () => {
  const all = {
    name: "other",
    service: "states.amazonaws.com",
    description: "Reads",
    trustConditions: { StringEquals: { "aws:SourceAccount": "000000000000" } },
    permissionsBoundaryArn: "arn:aws:iam::000000000000:policy/boundary",
    tags: { team: "data" },
  };
  const { at } = synth((stack) => role(stack, all));
  expect(at("Role/Resource")).toMatchObject({
    name: "other",
    description: "Reads",
    permissions_boundary: "arn:aws:iam::000000000000:policy/boundary",
    tags: { team: "data" },
  });
  expect(JSON.parse(at("Role/Resource").assume_role_policy as string)).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "states.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "aws:SourceAccount": "000000000000" } },
      },
    ],
  });
});

test("grants made after the role are in its policy, and their order does not matter", () => {
  const policy = (...grants: (typeof read)[]) =>
    synth((stack) => {
      const made = new ServiceRole(stack, "Role", minimum);
      for (const grant of grants) made.addToPolicy(grant);
    }).at("Role/Policy/Resource").policy;
  expect(policy(read, list)).toBe(policy(list, read));
  expect(policy(read, list)).toContain("s3:ListBucket");
});

test("two in one stack keep their grants apart", () => {
  const both = synth((stack) => {
    role(stack);
    new ServiceRole(stack, "Other", { ...minimum, name: "other" }).addToPolicy(list);
  });
  expect(both.statements("Role/Policy/Resource")).toEqual([
    { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/*" },
  ]);
  expect(both.statements("Other/Policy/Resource")).toEqual([
    { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::lake" },
  ]);
});

test("a brought role gets one inline policy of its own and is not made", () => {
  const { at, counts, built } = synth((stack) => {
    const brought = ServiceRole.fromRoleAttributes(stack, "Brought", ROLE);
    brought.grantee.addToPolicy(read);
    return brought;
  });
  expect(counts).toEqual({ aws_iam_role_policy: 1 });
  expect(at("Brought/Policy/Resource")).toMatchObject({
    role: "brought",
    name: expect.stringMatching(/^derived-[0-9a-f]{8}$/) as unknown,
  });
  expect(built).toMatchObject(ROLE);
});

test("a role that is brought twice keeps both grants: neither policy takes the other's name", () => {
  const { all, statements } = synth((stack) => {
    ServiceRole.fromRoleAttributes(stack, "Brought", ROLE).addToPolicy(read);
    ServiceRole.fromRoleAttributes(stack, "Again", ROLE).addToPolicy(list);
  });
  const policies = all("aws_iam_role_policy");
  expect(policies.map(({ role }) => role)).toEqual(["brought", "brought"]);
  expect(new Set(policies.map(({ name }) => name)).size).toBe(2);
  expect(statements("Brought/Policy/Resource")).toEqual([
    { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/*" },
  ]);
  expect(statements("Again/Policy/Resource")).toEqual([
    { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::lake" },
  ]);
});

test("a role that nothing was granted to ends the synth", () => {
  expect(refusal((stack) => new ServiceRole(stack, "Role", minimum))).toContain(
    "ServiceRole 'etl-dev/Role': nothing was granted to it; AWS refuses an empty policy",
  );
});

test("refusals, all at once", () => {
  const name = "a".repeat(65);
  expect(refusal((stack) => role(stack, { name, service: "glue", description: "<what it does>" }))).toBe(
    "ServiceRole 'etl-dev/Role': 'description' still holds a placeholder, got \"<what it does>\"; fill it in; " +
      `'name' must be 1 to 64 letters, digits or +=,.@_-, got "${name}" (65 characters); ` +
      "'service' must be a service such as glue.amazonaws.com, got \"glue\"",
  );
});

test("what only Terraform can resolve is left alone", () => {
  expect(() => synth((stack) => role(stack, { name: unknownText() }))).not.toThrow();
});
