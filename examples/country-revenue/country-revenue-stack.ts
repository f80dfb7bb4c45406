import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GlueCatalogDatabase } from "@cdktf/provider-aws/lib/glue-catalog-database";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { TerraformOutput, TerraformStack } from "cdktf";
import { GlueCrawler, GlueSparkJob, type IRole, type S3Location, ServiceRole } from "cdktf-aws-etl";
import { type Construct } from "constructs";

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** Bucket, key, roles, database and state machine are ours; the job and the crawler are the library's. */
export class CountryRevenueStack extends TerraformStack {
  constructor(
    scope: Construct,
    id: string,
    private readonly place: Place,
  ) {
    super(scope, id);
    const { account, region } = place;
    new AwsProvider(this, "Aws", { region, allowedAccountIds: [account] });

    const bucket = this.defineBucket();
    const role = this.defineGlueRole();
    const job = new GlueSparkJob(this, "SumRevenue", {
      ...place,
      role,
      name: "country-revenue",
      script: join(__dirname, "glue", "sum_revenue.py"),
      artifacts: bucket("artifacts/"),
      inputs: [bucket("events/")],
      outputs: [bucket("revenue/")],
      arguments: { source: bucket.uri("events/"), target: bucket.uri("revenue/") },
      capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
      timeoutMinutes: 15,
    });
    const crawler = new GlueCrawler(this, "Revenue", {
      ...place,
      role,
      name: "country-revenue",
      target: bucket("revenue/"),
      database: this.defineDatabase(),
    });
    const machine = this.defineStateMachine(job, crawler);

    new TerraformOutput(this, "bucket", { staticId: true, value: bucket("").bucketName });
    new TerraformOutput(this, "state_machine_arn", { staticId: true, value: machine.arn });
  }

  /** @returns the places in the bucket */
  private defineBucket() {
    const key = new KmsKey(this, "Key", { description: "country-revenue", enableKeyRotation: true });
    const resource = new S3Bucket(this, "Bucket", {
      bucket: `country-revenue-${this.place.account}-${this.place.region}`,
      // To be undone when it was tried; a bucket of data that is kept goes without.
      forceDestroy: true,
    });
    const bucket = resource.id;
    new S3BucketPublicAccessBlock(this, "PublicAccessBlock", {
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    const encryption = new S3BucketServerSideEncryptionConfigurationA(this, "Encryption", {
      bucket,
      rule: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.arn },
          bucketKeyEnabled: true,
        },
      ],
    });
    const location = (prefix: string): S3Location => ({
      // Named through its encryption, so that nothing is put into the bucket before its key is there.
      bucketName: encryption.bucket,
      bucketArn: resource.arn,
      encryptionKeyArn: key.arn,
      prefix,
    });
    return Object.assign(location, { uri: (prefix: string) => `s3://${encryption.bucket}/${prefix}` });
  }

  /** One role for both; the constructs add what each of them needs. */
  private defineGlueRole(): IRole {
    const role = new IamRole(this, "GlueRole", {
      name: "country-revenue-glue",
      assumeRolePolicy: trust("glue.amazonaws.com", this.place.account),
    });
    return ServiceRole.fromRoleAttributes(this, "GlueRights", { roleName: role.name, roleArn: role.arn });
  }

  private defineDatabase() {
    const { account, region } = this.place;
    const { name, arn } = new GlueCatalogDatabase(this, "Database", { name: "country_revenue" });
    return { name, arn, catalogArn: `arn:aws:glue:${region}:${account}:catalog` };
  }

  private defineStateMachine(job: GlueSparkJob, crawler: GlueCrawler): SfnStateMachine {
    const role = new IamRole(this, "StatesRole", {
      name: "country-revenue-states",
      assumeRolePolicy: trust("states.amazonaws.com", this.place.account),
    });
    const rights = new IamRolePolicy(this, "StatesRights", {
      role: role.name,
      name: "run-job-and-crawler",
      policy: policy([
        {
          Effect: "Allow",
          Action: ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
          Resource: job.jobArn,
        },
        { Effect: "Allow", Action: ["glue:StartCrawler", "glue:GetCrawler"], Resource: crawler.crawlerArn },
      ]),
    });
    const definition = readFileSync(join(__dirname, "state-machine.asl.json"), "utf8")
      .replaceAll("${JobName}", job.jobName)
      .replaceAll("${CrawlerName}", crawler.crawlerName);
    return new SfnStateMachine(this, "StateMachine", {
      name: "country-revenue",
      roleArn: role.arn,
      definition,
      dependsOn: [rights],
    });
  }
}

const policy = (Statement: readonly object[]): string => JSON.stringify({ Version: "2012-10-17", Statement });

const trust = (Service: string, account: string): string =>
  policy([
    {
      Effect: "Allow",
      Principal: { Service },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "aws:SourceAccount": account } },
    },
  ]);
