import { settingsOf, synthEnvironment } from "../support/environment-stacks";

const BOUNDARY = "arn:aws:iam::000000000000:policy/etl-boundary";
const rolesOf = (change: object) =>
  Object.values(synthEnvironment(settingsOf("prod", change)).resource.aws_iam_role!);

test("every role of the stack has the boundary of the settings, and none without", () => {
  const roles = rolesOf({ permissionsBoundaryArn: BOUNDARY });
  expect(roles.length).toBeGreaterThan(4);
  expect(roles.map(({ permissions_boundary: boundary }) => boundary)).toEqual(roles.map(() => BOUNDARY));
  for (const role of rolesOf({})) expect(role).not.toHaveProperty("permissions_boundary");
});

test("what is no managed policy is refused", () => {
  expect(() => settingsOf("prod", { permissionsBoundaryArn: "etl-boundary" })).toThrow(
    "environment 'prod': 'permissionsBoundaryArn' must be the ARN of a managed policy: " +
      'arn:aws:iam::<account>:policy/<name>, got "etl-boundary"',
  );
});
