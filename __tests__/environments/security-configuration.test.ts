import { settingsOf, synthEnvironment } from "../support/environment-stacks";
import { PIPELINES } from "../support/pipelines";

const stackOf = (change: object) => synthEnvironment(settingsOf("prod", change)).resource;
const only = (blocks: Record<string, Record<string, unknown>> | undefined) => {
  expect(Object.keys(blocks ?? {})).toHaveLength(1);
  return Object.entries(blocks!)[0]!;
};

test("without the setting there is none", () => {
  const resource = stackOf({});
  expect(resource).not.toHaveProperty("aws_glue_security_configuration");
  for (const job of Object.values(resource.aws_glue_job!))
    expect(job).not.toHaveProperty("security_configuration");
});

describe("with the setting", () => {
  const resource = stackOf({ securityConfiguration: true });
  const [id, configuration] = only(resource.aws_glue_security_configuration);
  const name = String(configuration.name);
  const key = `\${aws_kms_key.${only(resource.aws_kms_key)[0]}.arn}`;

  test("files, logs and bookmarks are encrypted with the lake's key, and a change makes another first", () => {
    expect(name).toMatch(/^etl-prod-[0-9a-f]{8}$/);
    expect(configuration).toMatchObject({
      encryption_configuration: {
        s3_encryption: { s3_encryption_mode: "SSE-KMS", kms_key_arn: key },
        cloudwatch_encryption: { cloudwatch_encryption_mode: "SSE-KMS", kms_key_arn: key },
        job_bookmarks_encryption: { job_bookmarks_encryption_mode: "CSE-KMS", kms_key_arn: key },
      },
      lifecycle: { create_before_destroy: true },
    });
  });

  test("the job runs with it, after it, and its logs are where Glue puts them then", () => {
    for (const job of Object.values(resource.aws_glue_job!)) {
      expect(job.security_configuration).toBe(name);
      expect(job.depends_on).toContain(`aws_glue_security_configuration.${id}`);
    }
    const folder = `/aws-glue/jobs/etl-prod-events-transform/${name}-role/etl-prod-events-transform-job`;
    const groups = Object.values(resource.aws_cloudwatch_log_group!).filter(({ name: group }) =>
      String(group).startsWith("/aws-glue/jobs/etl-prod-events-"),
    );
    expect(groups.map(({ name: group, kms_key_id }) => [group, kms_key_id])).toEqual([
      [`${folder}/error`, key],
      [`${folder}/output`, key],
    ]);
  });

  test("its role may give the logs the key, and CloudWatch Logs may use it for Glue's groups only", () => {
    const policies = Object.values(resource.aws_iam_role_policy!).map(({ policy }) => String(policy));
    const associating = policies.filter((text) => text.includes("logs:AssociateKmsKey"));
    const jobs = PIPELINES.map((pipeline) =>
      pipeline === "mobile-users" ? "mobile-user-daily" : `${pipeline}-transform`,
    );
    for (const job of jobs)
      expect(
        associating.filter((text) => text.includes(`${name}-role/etl-prod-${job}-job/output`)),
      ).toHaveLength(1);
    expect(associating).toHaveLength(PIPELINES.length);
    const { Statement } = JSON.parse(String(only(resource.aws_kms_key)[1].policy)) as {
      Statement: unknown[];
    };
    expect(Statement).toContainEqual({
      Effect: "Allow",
      Principal: { Service: "logs.us-east-1.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
      Resource: "*",
      Condition: {
        ArnLike: {
          "kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws-glue/*",
        },
      },
    });
  });
});
