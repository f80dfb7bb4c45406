import { Lazy, TerraformOutput, type TerraformStack } from "cdktf";
import {
  AthenaWorkgroup,
  type AthenaWorkgroupProps,
  type IWorkgroup,
  type WorkgroupAttributes,
} from "../../../modules/athena-workgroup/athena-workgroup";
import { ServiceRole } from "../../../modules/iam/service-role";
import { KEY_ARN, place } from "../../support/places";
import { byText, refusal, synth, unknownText } from "../../support/synth";

const minimum: AthenaWorkgroupProps = {
  name: "etl-dev",
  results: place("query-results-bucket", "", KEY_ARN),
  scanLimitBytes: 10_485_760,
  account: "111122223333",
  region: "eu-west-1",
};
const make = (stack: TerraformStack, props: Partial<AthenaWorkgroupProps> = {}, id = "Workgroup") =>
  new AthenaWorkgroup(stack, id, { ...minimum, ...props });

test("minimum: settings that no client can change", () => {
  const { at, counts } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_athena_workgroup: 1 });
  expect(at("Workgroup/Resource")).toEqual({
    name: "etl-dev",
    configuration: {
      enforce_workgroup_configuration: true,
      publish_cloudwatch_metrics_enabled: true,
      bytes_scanned_cutoff_per_query: 10_485_760,
      engine_version: { selected_engine_version: "Athena engine version 3" },
      result_configuration: {
        output_location: "s3://query-results-bucket/",
        encryption_configuration: { encryption_option: "SSE_KMS", kms_key_arn: KEY_ARN },
      },
    },
  });
});

test("every prop changed", () => {
  const all: AthenaWorkgroupProps = {
    name: "other",
    description: "For others",
    results: place("other", "answers/"),
    scanLimitBytes: 1_000_000_000,
    forceDestroy: true,
    allowDataDestruction: true,
    account: "444455556666",
    region: "cn-north-1",
    tags: { team: "data" },
  };
  const { at } = synth((stack) => make(stack, all));
  expect(at("Workgroup/Resource")).toMatchObject({
    name: "other",
    description: "For others",
    force_destroy: true,
    configuration: {
      bytes_scanned_cutoff_per_query: 1_000_000_000,
      result_configuration: {
        output_location: "s3://other/answers/",
        encryption_configuration: { encryption_option: "SSE_S3" },
      },
    },
    tags: { team: "data" },
  });
});

test("two in one stack, and what was made can be read back", () => {
  const { counts, outputs, reference } = synth((stack) => {
    make(stack, { name: "other" }, "Other");
    const { workgroupArn, workgroupName } = make(stack);
    new TerraformOutput(stack, "workgroup", { value: { workgroupArn, workgroupName } });
  });
  expect(counts).toEqual({ aws_athena_workgroup: 2 });
  expect(outputs.workgroup?.value).toEqual({
    workgroupArn: "arn:aws:athena:eu-west-1:111122223333:workgroup/etl-dev",
    workgroupName: reference("Workgroup/Resource", "name"),
  });
});

test("whoever queries writes answers and reads them, encrypted, and removes none", () => {
  const { statements } = synth((stack) => {
    const role = new ServiceRole(stack, "Role", { name: "analyst", service: "states.amazonaws.com" });
    make(stack, { results: place("answers", "ours/", KEY_ARN) }).grantResults(role);
  });
  expect(byText(statements("Role/Policy/Resource"))).toEqual(
    byText([
      {
        Effect: "Allow",
        Action: ["kms:Decrypt", "kms:GenerateDataKey"],
        Resource: KEY_ARN,
        Condition: { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } },
      },
      {
        Effect: "Allow",
        Action: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        Resource: "arn:aws:s3:::answers/ours/*",
      },
      { Effect: "Allow", Action: "s3:GetBucketLocation", Resource: "arn:aws:s3:::answers" },
      {
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: "arn:aws:s3:::answers",
        Condition: { StringLike: { "s3:prefix": ["ours", "ours/", "ours/*"] } },
      },
    ]),
  );
});

test("refusals, all at once", () => {
  expect(
    refusal((stack) =>
      make(stack, {
        name: "etl dev",
        description: "YOUR_TEAM",
        results: place("x", "/answers/"),
        scanLimitBytes: 10_485_759,
      }),
    ),
  ).toBe(
    "AthenaWorkgroup 'etl-dev/Workgroup': 'description' still holds a placeholder, got \"YOUR_TEAM\"; fill it in; " +
      "'name' must be 1 to 128 letters, digits or ._-, got \"etl dev\"; " +
      "'results.prefix' must not start with a slash, got \"/answers/\"; S3 would take it as a folder without a name; " +
      "'scanLimitBytes' must be a whole number, at least 10485760 (10 MiB), got 10485759",
  );
});

test("what only Terraform can resolve is left alone", () => {
  const scanLimitBytes = Lazy.numberValue({ produce: () => 20_000_000 });
  const props = { name: unknownText(), results: place(unknownText(), unknownText()), scanLimitBytes };
  expect(() => synth((stack) => make(stack, props))).not.toThrow();
});

describe("a workgroup from elsewhere", () => {
  const brought: WorkgroupAttributes = {
    workgroupName: "company",
    results: place("answers", "ours/", KEY_ARN),
    region: "eu-west-1",
  };
  const granted = (workgroup: (stack: TerraformStack) => IWorkgroup) =>
    synth((stack) => {
      const role = new ServiceRole(stack, "Role", { name: "analyst", service: "states.amazonaws.com" });
      workgroup(stack).grantResults(role);
    });

  test("grants what one that is made here does, and makes nothing", () => {
    const { counts, statements } = granted(() => AthenaWorkgroup.fromWorkgroupAttributes(brought));
    expect(counts).toEqual({ aws_iam_role: 1, aws_iam_role_policy: 1 });
    expect(statements("Role/Policy/Resource")).toEqual(
      granted((stack) => make(stack, { results: brought.results })).statements("Role/Policy/Resource"),
    );
    expect(AthenaWorkgroup.fromWorkgroupAttributes(brought).workgroupName).toBe("company");
  });

  test("in another region the key is used through that region's S3", () => {
    const there = { ...brought, region: "cn-north-1" };
    const { statements } = granted(() => AthenaWorkgroup.fromWorkgroupAttributes(there));
    expect(JSON.stringify(statements("Role/Policy/Resource"))).toContain(
      '"kms:ViaService":"s3.cn-north-1.amazonaws.com.cn"',
    );
  });

  test("refusals, all at once", () => {
    const wrong = { workgroupName: "a b", results: place("x", "/answers/"), region: "here" };
    expect(refusal(() => AthenaWorkgroup.fromWorkgroupAttributes(wrong))).toBe(
      "AthenaWorkgroup 'a b': 'workgroupName' must be 1 to 128 letters, digits or ._-, got \"a b\"; " +
        "'results.prefix' must not start with a slash, got \"/answers/\"; S3 would take it as a folder without a name; " +
        "'region' must be an AWS region such as eu-west-1, got \"here\"",
    );
  });

  test("what only Terraform can resolve is left alone", () => {
    const unknown = { workgroupName: unknownText(), results: place(unknownText(), unknownText()) };
    expect(() =>
      granted(() => AthenaWorkgroup.fromWorkgroupAttributes({ ...brought, ...unknown })),
    ).not.toThrow();
  });
});

test.each([[{ forceDestroy: true }], [{ forceDestroy: true, allowDataDestruction: false }]])(
  "removing queries takes two keys: %j",
  (props) => {
    expect(refusal((stack) => make(stack, props))).toBe(
      "AthenaWorkgroup 'etl-dev/Workgroup': 'forceDestroy' must be false unless 'allowDataDestruction' is true as well, got true; " +
        "destroying data needs both",
    );
  },
);

test("the permission alone removes nothing", () => {
  const { at } = synth((stack) => make(stack, { allowDataDestruction: true }));
  expect(at("Workgroup/Resource")).not.toHaveProperty("force_destroy");
});
