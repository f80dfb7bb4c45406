import { type PolicyStatement, policyJson } from "../../../modules/iam/policy-statement";
import {
  readFolderStatements,
  readObjectStatements,
  readStatements,
  writeStatements,
} from "../../../modules/iam/s3-actions";
import { byText, type Statement } from "../../support/synth";
import { keyStatement, KEY_ARN, listStatement, place } from "../../support/places";

const document = (statements: readonly PolicyStatement[]): Statement[] =>
  byText((JSON.parse(policyJson(statements)) as { Statement: Statement[] }).Statement);

const a: PolicyStatement = { actions: ["s3:GetObject"], resources: ["arn:b", "arn:a"] };
const b: PolicyStatement = { actions: ["s3:PutObject", "s3:GetObject"], resources: ["arn:a", "arn:b"] };
const c: PolicyStatement = {
  actions: ["kms:Decrypt"],
  resources: ["arn:k"],
  conditions: { StringLike: { z: ["2", "1"], y: "x" }, Bool: { w: "true" } },
};
const d: PolicyStatement = { effect: "Deny", actions: ["s3:*"], resources: ["*"], sid: "Named" };

test("the same grants in any order give the same bytes", () => {
  const expected = policyJson([a, b, c, d]);
  for (const order of [
    [d, c, b, a],
    [b, a, d, c],
    [a, a, b, b, c, c, d, d],
  ]) {
    expect(policyJson(order)).toBe(expected);
  }
  expect(expected).toBe(
    '{"Version":"2012-10-17","Statement":[\n' +
      '{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:k","Condition":{"Bool":{"w":"true"},"StringLike":{"y":"x","z":["1","2"]}}},\n' +
      '{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:a","arn:b"]},\n' +
      '{"Sid":"Named","Effect":"Deny","Action":"s3:*","Resource":"*"}\n]}',
  );
});

test("statements with the same actions become one, with all their resources", () => {
  expect(
    document([
      { actions: ["s3:GetObject"], resources: ["arn:b"] },
      { actions: ["s3:GetObject"], resources: ["arn:a"] },
    ]),
  ).toEqual([{ Effect: "Allow", Action: "s3:GetObject", Resource: ["arn:a", "arn:b"] }]);
});

test("a right is never widened by merging: action and resource stay together, conditions and effects apart", () => {
  const read = { actions: ["s3:GetObject"], resources: ["arn:raw"] };
  const write = { actions: ["s3:PutObject"], resources: ["arn:out"] };
  const readOut = { actions: ["s3:GetObject"], resources: ["arn:out"] };
  expect(document([read, write, readOut])).toEqual(
    byText([
      { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:out" },
      { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:raw" },
    ]),
  );
  expect(
    document([
      read,
      { ...read, conditions: { Bool: { "aws:SecureTransport": "true" } } },
      { ...read, effect: "Deny" },
    ]),
  ).toHaveLength(3);
});

test("reading: list below the prefix, get, decrypt through S3, and nothing else", () => {
  expect(document(readStatements(place("lake", "events/", KEY_ARN), "eu-west-1"))).toEqual(
    byText([
      keyStatement("kms:Decrypt"),
      listStatement("arn:aws:s3:::lake", "events/"),
      {
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::lake/events/*",
      },
    ]),
  );
});

test("reading as Spark does: also the folder's own key, which S3A asks for without its slash", () => {
  const objects = document(readFolderStatements(place("lake", "events/"), "eu-west-1")).filter(
    ({ Action }) => Action === "s3:GetObject",
  );
  expect(objects).toEqual([
    {
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: ["arn:aws:s3:::lake/events", "arn:aws:s3:::lake/events/*"],
    },
  ]);
});

test("writing: also put, delete, abort, and a data key", () => {
  expect(document(writeStatements(place("lake", "events/", KEY_ARN), "eu-west-1"))).toEqual(
    byText([
      keyStatement(["kms:Decrypt", "kms:GenerateDataKey"]),
      listStatement("arn:aws:s3:::lake", "events/"),
      {
        Effect: "Allow",
        Action: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        Resource: "arn:aws:s3:::lake/events/*",
      },
      { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/events" },
    ]),
  );
});

test("one object: get, without listing", () => {
  expect(document(readObjectStatements(place("lake", "scripts/a.py"), "eu-west-1"))).toEqual(
    byText([{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/scripts/a.py" }]),
  );
});

test("a whole bucket without a key: no condition on the prefix, no right to a key", () => {
  expect(document(readStatements(place("lake", ""), "eu-west-1"))).toEqual(
    byText([
      { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/*" },
      { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::lake" },
    ]),
  );
});

test("in China keys know S3 by the name that it has there", () => {
  const condition = { StringEquals: { "kms:ViaService": "s3.cn-north-1.amazonaws.com.cn" } };
  for (const statements of [readStatements, writeStatements, readObjectStatements]) {
    const ofKey = document(statements(place("lake", "events/", KEY_ARN), "cn-north-1")).filter(
      ({ Resource }) => Resource === KEY_ARN,
    );
    expect(ofKey.map(({ Condition }) => Condition)).toEqual([condition]);
  }
});
