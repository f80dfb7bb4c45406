import { type Given, planText, reviewedText } from "./plans";

/** Rights on a resource that a plan replaces under another name. */

const policy = (action: string, more: object = {}) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, ...more }] });

/** A role that may read a file under a key with a hash; the plan gives the file another key. */
const file = (key: string) => ({ bucket: "code", key, content: key, arn: `arn:aws:s3:::code/${key}` });
const replacedFile: Given = {
  type: "aws_s3_object",
  before: file("a1/etl.zip"),
  after: { ...file("b2/etl.zip"), arn: undefined },
  unknown: { arn: true },
  actions: ["delete", "create"],
};
const replacing = (more: object) => ({ ...replacedFile, ...more });
const reader = (before: string, after: string, is: object = {}): Given => ({
  type: "aws_iam_role_policy",
  before: { role: "shop-job", policy: policy("s3:GetObject", { Resource: before }) },
  after: { role: "shop-job", policy: policy("s3:GetObject", { Resource: after, ...is }) },
});
const [A1, B2] = ["arn:aws:s3:::code/a1/etl.zip", "arn:aws:s3:::code/b2/etl.zip"];

describe("a right that follows a replaced resource to its new name", () => {
  const found = (file: Given, policies: Given) => {
    const plan = JSON.parse(planText([file, policies])) as { resource_changes: { change: object }[] };
    Object.assign(plan.resource_changes[0]!.change, { replace_paths: [["key"]] });
    return reviewedText(JSON.stringify(plan));
  };

  test("is no widened right", () => {
    const { exitCode, sections } = found(replacing({}), reader(A1, B2));
    expect(exitCode).toBe(0);
    expect(sections.followed).toEqual([expect.stringContaining(`still may \`s3:GetObject\` on \`${B2}\``)]);
    expect(sections.narrowed).toEqual([]);
  });

  test.each<[string, Given, Given]>([
    ["of another file", replacing({}), reader(A1, "arn:aws:s3:::code/c3/etl.zip")],
    ["of more than the file", replacing({}), reader(A1, "arn:aws:s3:::code/b2/*")],
    ["of another action", replacing({}), reader(A1, B2, { Action: "s3:PutObject" })],
    ["that holds the old one too", replacing({}), reader("arn:aws:s3:::other/x", B2)],
    [
      "without the condition of before",
      replacing({}),
      {
        ...reader(A1, B2),
        before: {
          role: "shop-job",
          policy: policy("s3:GetObject", {
            Resource: A1,
            Condition: { Bool: { "aws:SecureTransport": "true" } },
          }),
        },
      },
    ],
    ["of a file that stays", replacing({ actions: ["update"] }), reader(A1, B2)],
  ])("a right %s is widened", (_, of, policies) => {
    expect(found(of, policies)).toMatchObject({ exitCode: 3 });
  });
});
