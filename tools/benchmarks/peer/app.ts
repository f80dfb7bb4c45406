import { App, Duration, Stack } from "aws-cdk-lib";
import * as athena from "aws-cdk-lib/aws-athena";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import * as glue from "aws-cdk-lib/aws-glue";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import * as logs from "aws-cdk-lib/aws-logs";
import * as s3 from "aws-cdk-lib/aws-s3";
import * as sns from "aws-cdk-lib/aws-sns";
import * as sfn from "aws-cdk-lib/aws-stepfunctions";
import * as tasks from "aws-cdk-lib/aws-stepfunctions-tasks";

/**
 * The events platform, written with the most used comparable library: three environments, four zones, two crawlers, a Spark job, a
 * state machine, alarms and a schedule. It is only measured, never deployed.
 */

function zone(stack: Stack, id: string, key: kms.IKey, accessLogs: s3.IBucket): s3.Bucket {
  return new s3.Bucket(stack, id, {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    encryptionKey: key,
    enforceSSL: true,
    eventBridgeEnabled: false,
    lifecycleRules: [
      {
        abortIncompleteMultipartUploadAfter: Duration.days(7),
        noncurrentVersionExpiration: Duration.days(30),
      },
    ],
    serverAccessLogsBucket: accessLogs,
    versioned: true,
  });
}

function crawl(stack: Stack, id: string, crawler: glue.CfnCrawler, next: sfn.IChainable): sfn.Chain {
  const call = (action: string, resultPath: string) =>
    new tasks.CallAwsService(stack, `${id}${action}`, {
      service: "glue",
      action,
      parameters: { Name: crawler.ref },
      iamResources: ["*"],
      resultPath,
    });
  const wait = new sfn.Wait(stack, `${id}Wait`, { time: sfn.WaitTime.duration(Duration.seconds(30)) });
  const failed = new sfn.Fail(stack, `${id}Failed`);
  const done = new sfn.Choice(stack, `${id}Done`)
    .when(sfn.Condition.not(sfn.Condition.stringEquals("$.crawl.Crawler.State", "READY")), wait)
    .when(sfn.Condition.stringEquals("$.crawl.Crawler.LastCrawl.Status", "SUCCEEDED"), next)
    .otherwise(failed);
  return call("startCrawler", sfn.JsonPath.DISCARD!)
    .next(wait)
    .next(call("getCrawler", "$.crawl"))
    .next(done);
}

function platform(app: App, environment: string): void {
  const stack = new Stack(app, `peer-${environment}`);
  const key = new kms.Key(stack, "Key", { enableKeyRotation: true });
  const accessLogs = new s3.Bucket(stack, "AccessLogs", {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
  });
  const [raw, processed, quarantine, artifacts] = ["Raw", "Processed", "Quarantine", "Artifacts"].map((id) =>
    zone(stack, id, key, accessLogs),
  ) as [s3.Bucket, s3.Bucket, s3.Bucket, s3.Bucket];
  const topic = new sns.Topic(stack, "Notifications", { masterKey: key });
  new athena.CfnWorkGroup(stack, "Workgroup", { name: `peer-${environment}` });

  const glueRole = (id: string) =>
    new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal("glue.amazonaws.com") });
  const crawlerRole = glueRole("CrawlerRole");
  const jobRole = glueRole("JobRole");
  for (const bucket of [raw, processed]) bucket.grantRead(crawlerRole);
  raw.grantRead(jobRole);
  artifacts.grantRead(jobRole);
  processed.grantReadWrite(jobRole);
  quarantine.grantReadWrite(jobRole);

  const crawler = (id: string, bucket: s3.IBucket) => {
    const name = `peer_${environment}_${id.toLowerCase()}`;
    new glue.CfnDatabase(stack, `${id}Database`, { catalogId: stack.account, databaseInput: { name } });
    return new glue.CfnCrawler(stack, `${id}Crawler`, {
      databaseName: name,
      role: crawlerRole.roleArn,
      targets: { s3Targets: [{ path: `s3://${bucket.bucketName}/events/` }] },
    });
  };
  const job = new glue.PySparkEtlJob(stack, "Transform", {
    role: jobRole,
    script: glue.Code.fromBucket(artifacts, "scripts/transform_events.py"),
    glueVersion: glue.GlueVersion.V5_0,
    timeout: Duration.minutes(60),
  });

  const notify = new tasks.SnsPublish(stack, "Notify", { topic, message: sfn.TaskInput.fromText("done") });
  const processedCrawl = crawl(stack, "CrawlProcessed", crawler("Processed", processed), notify);
  const run = new tasks.GlueStartJobRun(stack, "RunJob", {
    glueJobName: job.jobName,
    integrationPattern: sfn.IntegrationPattern.RUN_JOB,
    resultPath: "$.job",
  });
  const machine = new sfn.StateMachine(stack, "Machine", {
    definitionBody: sfn.DefinitionBody.fromChainable(
      crawl(stack, "CrawlRaw", crawler("Raw", raw), run.next(processedCrawl)),
    ),
    logs: { destination: new logs.LogGroup(stack, "Logs"), level: sfn.LogLevel.ALL },
    timeout: Duration.hours(4),
    tracingEnabled: true,
  });
  for (const metric of [machine.metricFailed(), machine.metricTimedOut(), machine.metricAborted()]) {
    const alarm = new cloudwatch.Alarm(stack, `Alarm${metric.metricName}`, {
      metric,
      threshold: 1,
      evaluationPeriods: 1,
    });
    alarm.addAlarmAction(new SnsAction(topic));
  }
  new events.Rule(stack, "Failure", {
    eventPattern: { source: ["aws.states"], detail: { status: ["FAILED", "TIMED_OUT", "ABORTED"] } },
    targets: [new targets.SnsTopic(topic)],
  });
}

const app = new App();
for (const environment of ["dev", "staging", "prod"]) platform(app, environment);
app.synth();
