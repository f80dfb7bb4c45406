import { EncryptionKey } from "../../../modules/encryption/encryption-key";
import { KEY_ARN } from "../../support/places";
import { ACCOUNT, REGION, refusal, synth, unknownText } from "../../support/synth";

const minimum = { name: "etl-dev-lake", account: ACCOUNT, region: REGION };
const accountDecides = {
  Sid: "AccountDecides",
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
  Action: "kms:*",
  Resource: "*",
};

test("minimum: a rotating key that Terraform refuses to destroy, with an alias", () => {
  const { at, counts, reference, statements } = synth((stack) => new EncryptionKey(stack, "Key", minimum));
  expect(counts).toEqual({ aws_kms_alias: 1, aws_kms_key: 1 });
  expect(at("Key/Resource")).toMatchObject({
    description: "Encrypts etl-dev-lake",
    enable_key_rotation: true,
    deletion_window_in_days: 30,
    lifecycle: { prevent_destroy: true },
  });
  expect(statements("Key/Resource")).toEqual([accountDecides]);
  expect(at("Key/Alias")).toMatchObject({
    name: "alias/etl-dev-lake",
    target_key_id: reference("Key/Resource", "key_id"),
  });
});

test("every prop changed", () => {
  const all = {
    name: "other",
    account: "111122223333",
    region: "cn-north-1",
    description: "Of others",
    retain: false,
    deletionWindowDays: 7,
    tags: { team: "data" },
  };
  const { at, statements } = synth((stack) => new EncryptionKey(stack, "Key", all));
  expect(at("Key/Resource")).toMatchObject({
    description: "Of others",
    deletion_window_in_days: 7,
    tags: { team: "data" },
  });
  expect(at("Key/Resource").lifecycle).toBeUndefined();
  expect(statements("Key/Resource")[0]?.Principal).toEqual({ AWS: "arn:aws-cn:iam::111122223333:root" });
});

test("a service that is let in later is in the policy", () => {
  const { statements } = synth((stack) => {
    const key = new EncryptionKey(stack, "Key", minimum);
    key.allowService("events.amazonaws.com", ["kms:Decrypt", "kms:GenerateDataKey*"], {
      StringEquals: { "aws:SourceAccount": ACCOUNT },
    });
  });
  expect(statements("Key/Resource")).toEqual([
    {
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Resource: "*",
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
    },
    accountDecides,
  ]);
});

test("two in one stack", () => {
  const { all } = synth((stack) => {
    new EncryptionKey(stack, "Key", minimum);
    new EncryptionKey(stack, "Other", { ...minimum, name: "other" });
  });
  expect(all("aws_kms_alias").map(({ name }) => name)).toEqual(["alias/etl-dev-lake", "alias/other"]);
});

test("a brought key makes nothing, and its policy stays its owner's", () => {
  const { built, counts } = synth(() => {
    const key = EncryptionKey.fromKeyArn(KEY_ARN);
    key.allowService("events.amazonaws.com", ["kms:Decrypt"], undefined);
    return key;
  });
  expect(built.keyArn).toBe(KEY_ARN);
  expect(counts).toEqual({});
});

test.each(["alias/lake", "arn:aws:kms:eu-west-1:000000000000:alias/lake", "1111-2222"])(
  "%s is no key's ARN",
  (arn) => {
    expect(() => EncryptionKey.fromKeyArn(arn)).toThrow(
      new Error(
        "EncryptionKey: 'keyArn' must be a key's ARN (arn:aws:kms:<region>:<account>:key/<id>), " +
          `got "${arn}"; an alias or a bare id is not accepted`,
      ),
    );
  },
);

test("refusals, all at once", () => {
  expect(
    refusal(
      (stack) =>
        new EncryptionKey(stack, "Key", {
          ...minimum,
          name: "aws/s3",
          account: "1",
          description: "<what>",
          deletionWindowDays: 6,
        }),
    ),
  ).toBe(
    "EncryptionKey 'etl-dev/Key': 'description' still holds a placeholder, got \"<what>\"; fill it in; " +
      "'name' must be 1 to 250 letters, digits or /_- and not begin with aws/, got \"aws/s3\"; " +
      "'account' must be an AWS account id of 12 digits, got \"1\"; " +
      "'deletionWindowDays' must be a whole number from 7 to 30, got 6",
  );
});

test("what only Terraform can resolve is left alone", () => {
  const props = { name: unknownText(), account: unknownText(), region: unknownText() };
  expect(() => synth((stack) => new EncryptionKey(stack, "Key", props))).not.toThrow();
  expect(EncryptionKey.fromKeyArn(props.name).keyArn).toBe(props.name);
});
