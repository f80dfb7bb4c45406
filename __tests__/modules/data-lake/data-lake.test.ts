import { Lazy, TerraformOutput, type TerraformStack } from "cdktf";
import { DataLake, type DataLakeProps } from "../../../modules/data-lake/data-lake";
import { Zone } from "../../../modules/data-lake/zone";
import { EncryptionKey } from "../../../modules/encryption/encryption-key";
import { ServiceRole } from "../../../modules/iam/service-role";
import { keyStatement, KEY_ARN, listStatement } from "../../support/places";
import {
  ACCOUNT,
  type Block,
  byText,
  REGION,
  refusal,
  type Synthesised,
  synth,
  unknownText,
} from "../../support/synth";

const minimum: DataLakeProps = {
  namePrefix: "etl-dev",
  databasePrefix: "etl_dev",
  account: ACCOUNT,
  region: REGION,
};
const make = (stack: TerraformStack, props: Partial<DataLakeProps> = {}, id = "Lake"): DataLake =>
  new DataLake(stack, id, { ...minimum, ...props });

const ZONE_IDS = ["Raw", "Processed", "Curated", "Quarantine", "Artifacts", "QueryResults"] as const;
const BUCKET_IDS = [...ZONE_IDS, "AccessLogs"] as const;
const name = (zone: string): string => `etl-dev-${zone}-${ACCOUNT}-${REGION}`;

describe("minimum", () => {
  const lake = synth((stack) => make(stack));
  const { all, at, reference } = lake;

  test("one bucket per zone, one key, one database per data zone", () => {
    expect(lake.counts).toEqual({
      aws_glue_catalog_database: 4,
      aws_kms_alias: 1,
      aws_kms_key: 1,
      aws_s3_bucket: 7,
      aws_s3_bucket_lifecycle_configuration: 7,
      aws_s3_bucket_logging: 6,
      aws_s3_bucket_notification: 6,
      aws_s3_bucket_ownership_controls: 7,
      aws_s3_bucket_policy: 7,
      aws_s3_bucket_public_access_block: 7,
      aws_s3_bucket_server_side_encryption_configuration: 7,
      aws_s3_bucket_versioning: 7,
    });
    expect(all("aws_s3_bucket").map(({ bucket }) => bucket)).toEqual(
      expect.arrayContaining(
        ["raw", "processed", "curated", "quarantine", "artifacts", "query-results", "access-logs"].map(name),
      ),
    );
    expect(
      all("aws_glue_catalog_database")
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["etl_dev_curated", "etl_dev_processed", "etl_dev_quarantine", "etl_dev_raw"]);
  });

  test("every bucket blocks public access, owns its objects and keeps versions", () => {
    everyBucketHas("aws_s3_bucket_public_access_block", {
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    everyBucketHas("aws_s3_bucket_ownership_controls", { rule: { object_ownership: "BucketOwnerEnforced" } });
    everyBucketHas("aws_s3_bucket_versioning", { versioning_configuration: { status: "Enabled" } });
  });

  test("every bucket and the key are kept by Terraform", () => {
    for (const block of [...all("aws_s3_bucket"), ...all("aws_kms_key")]) {
      expect(block.lifecycle).toEqual({ prevent_destroy: true });
    }
    for (const { force_destroy } of all("aws_s3_bucket")) expect(force_destroy).toBe(false);
  });

  test("every bucket but the access logs' encrypts with the lake's key, which rotates", () => {
    expect(all("aws_kms_key")).toEqual([expect.objectContaining({ enable_key_rotation: true })]);
    for (const id of ZONE_IDS) {
      expect(at(`Lake/${id}/Encryption`).rule).toEqual([
        {
          apply_server_side_encryption_by_default: {
            sse_algorithm: "aws:kms",
            kms_master_key_id: reference("Lake/Key/Resource", "arn"),
          },
          bucket_key_enabled: true,
        },
      ]);
    }
    expect(at("Lake/AccessLogs/Encryption").rule).toEqual([
      { apply_server_side_encryption_by_default: { sse_algorithm: "AES256" } },
    ]);
  });

  test.each(BUCKET_IDS)("%s: TLS only, on the bucket and in it", (id) => {
    const arn = reference(`Lake/${id}/Resource`, "arn");
    expect(lake.statements(`Lake/${id}/Policy`)).toContainEqual({
      Sid: "DenyWithoutTls",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [arn, `${arn}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
  });

  test.each(ZONE_IDS)("%s: puts with another key, or with an algorithm and no key, are denied", (id) => {
    const put = {
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `${reference(`Lake/${id}/Resource`, "arn")}/*`,
    };
    const algorithm = "s3:x-amz-server-side-encryption";
    const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    const statements = lake.statements(`Lake/${id}/Policy`);
    expect(statements).toHaveLength(3);
    expect(statements).toContainEqual({
      Sid: "DenyAnotherKey",
      ...put,
      Condition: {
        Null: { [key]: "false" },
        StringNotEquals: { [key]: reference("Lake/Key/Resource", "arn") },
      },
    });
    expect(statements).toContainEqual({
      Sid: "DenyAlgorithmWithoutKey",
      ...put,
      Condition: { Null: { [algorithm]: "false", [key]: "true" } },
    });
  });

  test("the access logs let S3's log delivery in, for this account only", () => {
    const statements = lake.statements("Lake/AccessLogs/Policy");
    expect(statements).toHaveLength(2);
    expect(statements).toContainEqual({
      Sid: "AllowAccessLogDelivery",
      Effect: "Allow",
      Principal: { Service: "logging.s3.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${reference("Lake/AccessLogs/Resource", "arn")}/*`,
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
    });
  });

  test("every other bucket logs there, under its own name, and tells EventBridge", () => {
    for (const id of ZONE_IDS) {
      expect(at(`Lake/${id}/AccessLogging`)).toMatchObject({
        bucket: reference(`Lake/${id}/Resource`, "id"),
        target_bucket: reference("Lake/AccessLogs/Resource", "id"),
        target_prefix: `${at(`Lake/${id}/Resource`).bucket as string}/`,
        depends_on: [lake.address("Lake/AccessLogs/Policy")],
      });
      expect(at(`Lake/${id}/Notification`)).toMatchObject({ eventbridge: true });
    }
  });

  test("every lifecycle rule is enabled and has a filter; every bucket ends old versions and broken uploads", () => {
    for (const block of all("aws_s3_bucket_lifecycle_configuration")) {
      const rules = block.rule as Block[];
      for (const rule of rules)
        expect(rule).toMatchObject({ status: "Enabled", filter: [expect.anything()] });
      expect(rules.slice(0, 2)).toEqual([
        {
          id: "abort-multipart-uploads",
          status: "Enabled",
          filter: [{}],
          abort_incomplete_multipart_upload: [{ days_after_initiation: 7 }],
        },
        {
          id: "expire-noncurrent-versions",
          status: "Enabled",
          filter: [{}],
          noncurrent_version_expiration: [{ noncurrent_days: 30 }],
        },
      ]);
    }
  });

  test("rules about versions wait for versions", () => {
    for (const id of BUCKET_IDS) {
      expect(at(`Lake/${id}/Lifecycle`).depends_on).toEqual([lake.address(`Lake/${id}/Versioning`)]);
    }
  });

  test("current objects end in answers, access logs, temporary files and refused rows only", () => {
    const further = Object.fromEntries(
      BUCKET_IDS.map((id) => [id, (at(`Lake/${id}/Lifecycle`).rule as Block[]).slice(2)]),
    );
    const expire = (days: number) => [
      { id: "expire", status: "Enabled", filter: [{}], expiration: [{ days }] },
    ];
    expect(further).toEqual({
      Raw: [],
      Processed: [],
      Curated: [],
      Quarantine: [
        {
          id: "expire-refused",
          status: "Enabled",
          filter: [{ prefix: "refused/" }],
          expiration: [{ days: 30 }],
        },
      ],
      Artifacts: [
        {
          id: "expire-temporary",
          status: "Enabled",
          filter: [{ prefix: "temp/" }],
          expiration: [{ days: 7 }],
        },
      ],
      QueryResults: expire(14),
      AccessLogs: expire(365),
    });
  });

  test("names that others use wait for the policy that guards the bucket", () => {
    expect(at("Lake/Raw/Policy").depends_on).toEqual(
      ["PublicAccessBlock", "OwnershipControls", "Encryption"].map((id) => lake.address(`Lake/Raw/${id}`)),
    );
  });

  function everyBucketHas(type: string, expected: Block): void {
    const blocks = all(type);
    for (const block of blocks) expect(block).toMatchObject(expected);
    expect(blocks.map(({ bucket }) => bucket).sort()).toEqual(
      BUCKET_IDS.map((id) => reference(`Lake/${id}/Resource`, "id")).sort(),
    );
  }
});

test("every prop changed", () => {
  const all: DataLakeProps = {
    namePrefix: "shop-prod",
    databasePrefix: "shop",
    account: "111122223333",
    region: "eu-north-1",
    encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN),
    retainData: false,
    allowDataDestruction: true,
    noncurrentVersionDays: 1,
    queryResultDays: 2,
    accessLogDays: 3,
    refusedDays: 4,
    tags: { team: "data" },
  };
  const lake = synth((stack) => make(stack, all));
  expect(lake.at("Lake/Raw/Resource")).toMatchObject({
    bucket: "shop-prod-raw-111122223333-eu-north-1",
    force_destroy: true,
    tags: { team: "data" },
  });
  for (const block of lake.all("aws_s3_bucket")) expect(block.lifecycle).toBeUndefined();
  expect(lake.at("Lake/Curated/Database")).toMatchObject({ name: "shop_curated", tags: { team: "data" } });
  expect(JSON.stringify(lake.at("Lake/Raw/Encryption"))).toContain(KEY_ARN);
  expect(JSON.stringify(lake.at("Lake/Raw/Lifecycle"))).toContain('{"noncurrent_days":1}');
  expect(JSON.stringify(lake.at("Lake/QueryResults/Lifecycle"))).toContain('{"days":2}');
  expect(JSON.stringify(lake.at("Lake/AccessLogs/Lifecycle"))).toContain('{"days":3}');
  expect(JSON.stringify(lake.at("Lake/Quarantine/Lifecycle"))).toContain('{"days":4}');
});

test("every thing that can be tagged is", () => {
  const tags = { team: "data" };
  const { all } = synth((stack) => make(stack, { tags }));
  const tagged = ["aws_s3_bucket", "aws_kms_key", "aws_glue_catalog_database"].flatMap(all);
  expect(tagged.map((block) => block.tags)).toEqual(Array(7 + 1 + 4).fill(tags));
});

test("a brought key is used and no other is made", () => {
  const encryptionKey = EncryptionKey.fromKeyArn(KEY_ARN);
  const lake = synth((stack) => make(stack, { encryptionKey }));
  expect(lake.counts.aws_kms_key).toBeUndefined();
  expect(lake.built.key).toBe(encryptionKey);
  expect(lake.built.location(Zone.RAW).encryptionKeyArn).toBe(KEY_ARN);
  expect(
    lake.statements("Lake/Raw/Policy").find(({ Sid }) => Sid === "DenyAnotherKey")?.Condition,
  ).toMatchObject({
    StringNotEquals: { "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY_ARN },
  });
});

test("two in one stack", () => {
  const lake = synth((stack) => {
    make(stack);
    make(stack, { namePrefix: "other", databasePrefix: "other" }, "Other");
  });
  expect(lake.counts).toMatchObject({ aws_s3_bucket: 14, aws_kms_key: 2, aws_glue_catalog_database: 8 });
});

test("what it made can be read back", () => {
  const lake = synth((stack) => {
    const made = make(stack);
    new TerraformOutput(stack, "location", { value: made.location(Zone.RAW, "events/") });
    new TerraformOutput(stack, "database", { value: made.database(Zone.PROCESSED) });
    new TerraformOutput(stack, "bucket", { value: made.bucket(Zone.ACCESS_LOGS) });
    return made;
  });
  expect(lake.outputs.location?.value).toEqual({
    bucketName: lake.reference("Lake/Raw/Policy", "bucket"),
    bucketArn: lake.reference("Lake/Raw/Resource", "arn"),
    prefix: "events/",
    encryptionKeyArn: lake.reference("Lake/Key/Resource", "arn"),
  });
  expect(lake.outputs.database?.value).toEqual({
    name: lake.reference("Lake/Processed/Database", "name"),
    arn: lake.reference("Lake/Processed/Database", "arn"),
    catalogArn: `arn:aws:glue:${REGION}:${ACCOUNT}:catalog`,
  });
  expect(lake.outputs.bucket?.value).toEqual({
    bucketName: lake.reference("Lake/AccessLogs/Policy", "bucket"),
    bucketArn: lake.reference("Lake/AccessLogs/Resource", "arn"),
  });
  expect(lake.built.location(Zone.ACCESS_LOGS).encryptionKeyArn).toBeUndefined();
  expect(lake.built.bucketResource(Zone.RAW).friendlyUniqueId).toBe(
    lake.address("Lake/Raw/Resource").split(".")[1],
  );
});

describe("grants", () => {
  const granted = (grant: (lake: DataLake, role: ServiceRole) => void): Synthesised<void> =>
    synth((stack) => {
      grant(make(stack), new ServiceRole(stack, "Role", { name: "reader", service: "glue.amazonaws.com" }));
    });

  test("read: list and get below the prefix, decrypt", () => {
    const lake = granted((made, role) => made.grantRead(role, Zone.RAW, "events/"));
    const arn = lake.reference("Lake/Raw/Resource", "arn");
    expect(byText(lake.statements("Role/Policy/Resource"))).toEqual(
      byText([
        { Effect: "Allow", Action: "s3:GetObject", Resource: `${arn}/events/*` },
        listStatement(arn, "events/"),
        keyStatement("kms:Decrypt", lake.reference("Lake/Key/Resource", "arn")),
      ]),
    );
  });

  test("write: put, delete and abort too, and a data key", () => {
    const lake = granted((made, role) => made.grantWrite(role, Zone.PROCESSED, "events/"));
    const arn = lake.reference("Lake/Processed/Resource", "arn");
    expect(byText(lake.statements("Role/Policy/Resource"))).toEqual(
      byText([
        {
          Effect: "Allow",
          Action: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
          Resource: `${arn}/events/*`,
        },
        { Effect: "Allow", Action: "s3:GetObject", Resource: `${arn}/events` },
        listStatement(arn, "events/"),
        keyStatement(["kms:Decrypt", "kms:GenerateDataKey"], lake.reference("Lake/Key/Resource", "arn")),
      ]),
    );
  });

  test("partitions of one table are registered, and of no other", () => {
    const lake = granted((made, role) => made.grantRegisterPartitions(role, Zone.CURATED, "sales_revenue"));
    const glue = `arn:aws:glue:${REGION}:${ACCOUNT}`;
    const database = lake.reference("Lake/Curated/Database", "name");
    expect(lake.statements("Role/Policy/Resource")).toEqual([
      {
        Effect: "Allow",
        Action: [
          "glue:BatchCreatePartition",
          "glue:BatchDeletePartition",
          "glue:GetPartitions",
          "glue:GetTable",
        ],
        Resource: [
          lake.reference("Lake/Curated/Database", "arn"),
          `${glue}:catalog`,
          `${glue}:table/${database}/sales_revenue`,
        ].sort(),
      },
    ]);
  });

  test("a table is described, or queried, with its ancestors and no other table", () => {
    const lake = granted((made, role) => {
      made.grantDescribeTable(role, Zone.RAW, "events");
      made.grantQueryTable(role, Zone.PROCESSED, "events");
    });
    const glue = `arn:aws:glue:${REGION}:${ACCOUNT}`;
    const table = (zone: string): string[] => {
      const database = lake.reference(`Lake/${zone}/Database`, "name");
      return [
        lake.reference(`Lake/${zone}/Database`, "arn"),
        `${glue}:catalog`,
        `${glue}:table/${database}/events`,
      ];
    };
    expect(byText(lake.statements("Role/Policy/Resource"))).toEqual(
      byText([
        { Effect: "Allow", Action: "glue:GetTable", Resource: table("Raw").sort() },
        {
          Effect: "Allow",
          Action: "glue:GetDatabase",
          Resource: table("Processed").slice(0, 2).sort(),
        },
        {
          Effect: "Allow",
          Action: ["glue:BatchGetPartition", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable"],
          Resource: table("Processed").sort(),
        },
      ]),
    );
  });

  test("the access logs have no key to grant", () => {
    const lake = granted((made, role) => made.grantRead(role, Zone.ACCESS_LOGS));
    const arn = lake.reference("Lake/AccessLogs/Resource", "arn");
    expect(byText(lake.statements("Role/Policy/Resource"))).toEqual(
      byText([
        { Effect: "Allow", Action: "s3:GetObject", Resource: `${arn}/*` },
        { Effect: "Allow", Action: "s3:ListBucket", Resource: arn },
      ]),
    );
  });
});

test("in China the catalogue lies in its partition", () => {
  const { built } = synth((stack) => make(stack, { region: "cn-north-1" }).database(Zone.RAW));
  expect(built.catalogArn).toBe(`arn:aws-cn:glue:cn-north-1:${ACCOUNT}:catalog`);
});

describe("refusals", () => {
  test("all at once", () => {
    expect(
      refusal((stack) =>
        make(stack, {
          namePrefix: "Etl_Dev",
          databasePrefix: "etl-dev",
          account: "42",
          region: "Ireland",
          retainData: false,
          noncurrentVersionDays: 0,
          queryResultDays: 1.5,
          accessLogDays: -1,
          tags: { owner: "<team>" },
        }),
      ),
    ).toBe(
      "DataLake 'etl-dev/Lake': 'tags.owner' still holds a placeholder, got \"<team>\"; fill it in; " +
        "'account' must be an AWS account id of 12 digits, got \"42\"; " +
        "'region' must be an AWS region such as eu-west-1, got \"Ireland\"; " +
        "'namePrefix' must be lower-case letters and digits joined by single hyphens, got \"Etl_Dev\"; " +
        "'databasePrefix' must be lower-case letters, digits and underscores, beginning with a letter, got \"etl-dev\"; " +
        "anything else must be quoted in every query; " +
        "'retainData' must be true unless 'allowDataDestruction' is true as well, got false; destroying data needs both; " +
        "'noncurrentVersionDays' must be a whole number of days, at least 1, got 0; " +
        "'queryResultDays' must be a whole number of days, at least 1, got 1.5; " +
        "'accessLogDays' must be a whole number of days, at least 1, got -1",
    );
  });

  test("names that are too long: which, by how much, and what to shorten", () => {
    const namePrefix = "etl-analytics-development";
    const bucket = `${namePrefix}-query-results-${ACCOUNT}-ap-southeast-2`;
    expect(refusal((stack) => make(stack, { namePrefix, region: "ap-southeast-2" }))).toBe(
      `DataLake 'etl-dev/Lake': 'namePrefix' is too long by ${bucket.length - 63} characters: bucket name '${bucket}' ` +
        `would have ${bucket.length}, S3 allows 63; shorten '${namePrefix}'`,
    );
  });

  test("a name of exactly the length that S3 allows is taken", () => {
    const namePrefix = "a".repeat(63 - `-query-results-${ACCOUNT}-${REGION}`.length);
    expect(() => synth((stack) => make(stack, { namePrefix }))).not.toThrow();
    expect(refusal((stack) => make(stack, { namePrefix: `${namePrefix}a` }))).toContain(
      "too long by 1 characters",
    );
  });

  test("names of databases that are too long", () => {
    const databasePrefix = "a".repeat(245);
    expect(refusal((stack) => make(stack, { databasePrefix }))).toBe(
      `DataLake 'etl-dev/Lake': 'databasePrefix' must have at most 244 characters ('<databasePrefix>_quarantine' at most 255), ` +
        `got ${JSON.stringify(databasePrefix)} with 245`,
    );
    expect(() => synth((stack) => make(stack, { databasePrefix: "a".repeat(244) }))).not.toThrow();
  });

  test("a prefix that S3 keeps for itself", () => {
    for (const namePrefix of ["sthree-lake", "sthree", "amzn-s3-demo", "amzn-s3-demo-etl"]) {
      expect(refusal((stack) => make(stack, { namePrefix }))).toBe(
        `DataLake 'etl-dev/Lake': 'namePrefix' must not begin with sthree- or amzn-s3-demo-, which S3 reserves, got "${namePrefix}"`,
      );
    }
  });

  test("what is known of a name is judged even where the account is not", () => {
    expect(refusal((stack) => make(stack, { namePrefix: "Etl_Dev", account: unknownText() }))).toBe(
      "DataLake 'etl-dev/Lake': 'namePrefix' must be lower-case letters and digits joined by single hyphens, got \"Etl_Dev\"",
    );
  });

  test("permission to destroy alone destroys nothing", () => {
    const { all } = synth((stack) => make(stack, { allowDataDestruction: true }));
    for (const { lifecycle } of all("aws_s3_bucket")) expect(lifecycle).toEqual({ prevent_destroy: true });
  });

  test("a leading slash, when a place is asked for", () => {
    expect(refusal((stack) => make(stack).location(Zone.RAW, "/events/"))).toBe(
      "DataLake 'etl-dev/Lake': 'prefix' must not start with a slash, got \"/events/\"; " +
        "S3 would take it as a folder without a name",
    );
  });

  test("the database of a zone without data", () => {
    expect(refusal((stack) => make(stack).database(Zone.ARTIFACTS))).toBe(
      "DataLake 'etl-dev/Lake': zone 'artifacts' has no database; the zones with one are raw, processed, curated, quarantine",
    );
  });
});

test("what only Terraform can resolve is left alone", () => {
  const props = {
    namePrefix: unknownText(),
    databasePrefix: unknownText(),
    account: unknownText(),
    noncurrentVersionDays: Lazy.numberValue({ produce: () => 5 }),
  };
  expect(() => synth((stack) => make(stack, props).location(Zone.RAW, unknownText()))).not.toThrow();
});
