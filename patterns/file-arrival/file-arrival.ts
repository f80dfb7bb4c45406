import { join } from "node:path";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { LambdaEventSourceMapping } from "@cdktf/provider-aws/lib/lambda-event-source-mapping";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { SqsQueuePolicy } from "@cdktf/provider-aws/lib/sqs-queue-policy";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { refusingNames } from "../../contracts/source-contracts";
import { GLUE_SCRIPTS } from "../../modules/artifacts/glue-scripts";
import { partitionOf } from "../../modules/core/partition";
import { placeholderMistakes } from "../../modules/core/placeholder";
import { Refusals, shownPath } from "../../modules/core/refusals";
import { Zone } from "../../modules/data-lake/zone";
import { EtlFunction } from "../../modules/etl-function/etl-function";
import { defineDeadLetters, onlyOverTls } from "../../modules/iam/dead-letters";
import { policyDocument } from "../../modules/iam/policy-document";
import type { ResourcePolicyStatement } from "../../modules/iam/policy-statement";
import { type ArrivalAlarm, arrivalAlarms } from "./arrival-alarms";
import { arrivalMistakes } from "./arrival-mistakes";
import { arrivedPattern, endedPattern } from "./arrival-patterns";
import type { FileArrivalProps } from "./arrival-props";
import { ledgerStatement, METRICS_STATEMENT, pipelineStatements, queueStatement } from "./arrival-rights";
import { arrivalSettings } from "./arrival-settings";

const TIMEOUT_SECONDS = 60;
/** AWS advises six times the function's time-out: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_FACTOR = 6;
const BATCH_SIZE = 1_000;
/** The fewest that Lambda allows: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const MOST_CALLS = 2;
const MEMORY_MEGABYTES = 512;

const withDefaults = (props: FileArrivalProps) => ({
  name: props.name ?? `${props.platform.name}-arrival`,
  lookEveryMinutes: props.lookEveryMinutes ?? 5,
  batchWindowSeconds: props.batchWindowSeconds ?? 5,
  maxReceives: props.maxReceives ?? 5,
});

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * Starts pipelines by the files that arrive for them. The raw zone's events go through a queue to a function, which keeps a ledger of files, and
 * starts a run for the dates whose deliveries are complete: one run of a pipeline at a time, so that a thousand files start a handful of runs.
 *
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html (at least once, in any order),
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class FileArrival extends Construct {
  /** The queue of events. */
  readonly queue: SqsQueue;
  /** The queue of messages that could not be worked on, or not be delivered. */
  readonly deadLetterQueue: SqsQueue;
  /** One item for each file that has arrived. */
  readonly ledger: DynamodbTable;
  /** The function that keeps the ledger and starts runs. */
  readonly function: EtlFunction;
  /** Physical name of the ledger; known in a plan. */
  readonly ledgerName: string;
  /** Physical name of the queue; known in a plan. */
  readonly queueName: string;
  /** Physical name of the dead-letter queue; known in a plan. */
  readonly deadLetterQueueName: string;
  /** The names of its alarms, known in a plan. */
  readonly alarmNames: readonly string[];
  private readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: FileArrivalProps,
  ) {
    super(scope, id);
    this.refuse();

    this.name = withDefaults(props).name;
    this.ledgerName = this.name;
    this.queueName = this.name;
    this.deadLetterQueueName = `${this.name}-dead-letters`;

    this.deadLetterQueue = this.defineDeadLetters();
    this.queue = this.defineQueue();
    this.ledger = this.defineLedger();
    this.function = this.defineFunction();
    this.grantRights();
    this.defineRules();
    this.alarmNames = [...this.function.alarmNames, ...this.defineAlarms()];
  }

  /**
   * Lets another account's roles put files below the prefixes of a pipeline, and nothing else.
   *
   * @param pipeline the name of one of its pipelines
   * @param accountId 12 digits
   * @throws Error if it does not start that pipeline, or the account is invalid
   */
  grantProducer(pipeline: string, accountId: string): void {
    const found = this.props.pipelines.find((one) => one.pipeline.pipeline === pipeline);
    if (found === undefined) {
      const known = this.props.pipelines.map((one) => one.pipeline.pipeline).join(", ");
      throw new Error(
        `FileArrival '${shownPath(this.node.path)}': 'pipeline' must be one of ${known}, got '${pipeline}'; correct the spelling`,
      );
    }
    for (const { location } of found.pipeline.task.sources)
      this.props.platform.lake.grantDeliver(accountId, Zone.RAW, location.prefix);
  }

  private refuse(): void {
    const { platform, pipelines, tags } = this.props;
    const refusals = new Refusals("FileArrival", this.node.path);
    const rules = pipelines.map(({ pipeline, ...rule }) => ({
      ...rule,
      name: pipeline.pipeline,
      isWorkflow: pipeline.workflow !== undefined,
      refusing: refusingNames(pipeline.task.sources),
      isOfDms: pipeline.task.sources.some(({ layout }) => layout === "dms"),
    }));
    const given = { ...withDefaults(this.props), pipelines: rules };
    refusals.noteUnfilled(
      placeholderMistakes({ name: given.name, platform: platform.name, rules, tags }, isKnown),
    );
    refusals.noteAll(arrivalMistakes(given, isKnown));
    refusals.throwIfAny();
  }

  private tags(): Record<string, string> | undefined {
    return this.props.tags && { ...this.props.tags };
  }

  private arnOf(service: string, resource: string): string {
    const { account, region } = this.props.platform;
    return `arn:${partitionOf(region)}:${service}:${region}:${account}:${resource}`;
  }

  /** EventBridge sends as itself, for the rules of this arrival. */
  private sentByRules(queue: string): ResourcePolicyStatement {
    return {
      sid: "RulesSend",
      principal: { Service: "events.amazonaws.com" },
      actions: ["sqs:SendMessage"],
      resources: [this.arnOf("sqs", queue)],
      conditions: { ArnLike: { "aws:SourceArn": this.arnOf("events", `rule/${this.name}-*`) } },
    };
  }

  private defineDeadLetters(): SqsQueue {
    const name = this.deadLetterQueueName;
    return defineDeadLetters(this, {
      name,
      arn: this.arnOf("sqs", name),
      senders: [this.sentByRules(name)],
      tags: this.tags(),
    });
  }

  /** Encrypted with SQS's own key, which EventBridge needs no right to. */
  private defineQueue(): SqsQueue {
    const arn = this.arnOf("sqs", this.queueName);
    const queue = new SqsQueue(this, "Queue", {
      name: this.queueName,
      sqsManagedSseEnabled: true,
      visibilityTimeoutSeconds: VISIBILITY_FACTOR * TIMEOUT_SECONDS,
      messageRetentionSeconds: 14 * 24 * 3_600,
      redrivePolicy: JSON.stringify({
        deadLetterTargetArn: this.deadLetterQueue.arn,
        maxReceiveCount: withDefaults(this.props).maxReceives,
      }),
      tags: this.tags(),
    });
    new SqsQueuePolicy(this, "QueuePolicy", {
      queueUrl: queue.url,
      policy: policyDocument(() => [onlyOverTls(arn), this.sentByRules(this.queueName)]),
    });
    return queue;
  }

  private defineLedger(): DynamodbTable {
    return new DynamodbTable(this, "Ledger", {
      name: this.ledgerName,
      billingMode: "PAY_PER_REQUEST",
      hashKey: "delivery",
      rangeKey: "item",
      attribute: [
        { name: "delivery", type: "S" },
        { name: "item", type: "S" },
      ],
      pointInTimeRecovery: { enabled: true },
      tags: this.tags(),
    });
  }

  private defineFunction(): EtlFunction {
    const { platform, pipelines, actionsEnabled } = this.props;
    const made = new EtlFunction(this, "Function", {
      name: this.name,
      description: `Keeps the ledger of arriving files and starts the runs of ${pipelines.length} pipelines`,
      handler: "receive_files.handler",
      folder: join(GLUE_SCRIPTS.functions, "receive_files"),
      artifacts: platform.lake.location(Zone.ARTIFACTS),
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMegabytes: MEMORY_MEGABYTES,
      environment: {
        SETTINGS: arrivalSettings({
          ...this.props,
          name: this.name,
          ledgerName: this.ledgerName,
          queueUrl: this.queue.url,
          machines: this.arnOf("states", "stateMachine:"),
        }),
      },
      alarms: { alerts: platform.alerts, runbookUrl: platform.runbookUrl, actionsEnabled },
      encryptionKey: platform.lake.key,
      logRetentionDays: platform.logRetentionDays,
      account: platform.account,
      region: platform.region,
      tags: this.tags(),
    });
    new LambdaEventSourceMapping(this, "Messages", {
      functionName: made.functionName,
      eventSourceArn: this.queue.arn,
      batchSize: BATCH_SIZE,
      maximumBatchingWindowInSeconds: withDefaults(this.props).batchWindowSeconds,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: MOST_CALLS },
      tags: this.tags(),
      // Lambda asks for the right to take messages when the mapping is made.
      dependsOn: [...made.role.dependencies],
    });
    return made;
  }

  private grantRights(): void {
    const { platform, pipelines } = this.props;
    this.function.role.addToPolicy(
      queueStatement(
        this.arnOf("sqs", this.queueName),
        pipelines.some(({ complete }) => complete.rule === "quiet"),
      ),
      ledgerStatement(this.arnOf("dynamodb", `table/${this.ledgerName}`)),
      METRICS_STATEMENT,
      ...pipelines.flatMap((one) => pipelineStatements(one, platform)),
    );
  }

  private defineRules(): void {
    const { platform, pipelines } = this.props;
    const machines = pipelines.map(({ pipeline }) =>
      this.arnOf("states", `stateMachine:${pipeline.run.name}`),
    );
    const { lookEveryMinutes: minutes } = withDefaults(this.props);
    this.defineRule("Arrived", {
      description: "Files that arrive in the raw zone",
      eventPattern: JSON.stringify(arrivedPattern(platform.lake.bucket(Zone.RAW).bucketName), undefined, 1),
    });
    this.defineRule("Ended", {
      description: "Ends of the runs of the pipelines that files start",
      eventPattern: JSON.stringify(endedPattern(machines), undefined, 1),
    });
    this.defineRule(
      "Look",
      {
        description: "Looks for deadlines that have passed and files whose event was lost",
        scheduleExpression: `rate(${minutes} minute${minutes === 1 ? "" : "s"})`,
      },
      JSON.stringify({ source: "look" }),
    );
  }

  private defineRule(
    id: string,
    config: { description: string; eventPattern?: string; scheduleExpression?: string },
    input?: string,
  ): void {
    const rule = new CloudwatchEventRule(this, id, {
      name: `${this.name}-${id.toLowerCase()}`,
      ...config,
      tags: this.tags(),
    });
    new CloudwatchEventTarget(this, `${id}Target`, {
      rule: rule.name,
      arn: this.queue.arn,
      input,
      deadLetterConfig: { arn: this.deadLetterQueue.arn },
    });
  }

  private defineAlarms(): string[] {
    const { name, props } = this;
    const workedOnSeconds = VISIBILITY_FACTOR * TIMEOUT_SECONDS * withDefaults(props).maxReceives;
    return arrivalAlarms({ ...props, name, workedOnSeconds }).map((alarm) => this.defineAlarm(alarm));
  }

  private defineAlarm({ id, suffix, description, metric, ...crossed }: ArrivalAlarm): string {
    const { platform, actionsEnabled = true } = this.props;
    const alarmName = `${this.name}-${suffix}`;
    const topic = [platform.alerts.topicArn];
    new CloudwatchMetricAlarm(this, id, {
      alarmName,
      alarmDescription: description,
      namespace: metric.namespace,
      metricName: metric.name,
      dimensions: { ...metric.dimensions },
      ...crossed,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      treatMissingData: "notBreaching",
      actionsEnabled,
      alarmActions: topic,
      okActions: topic,
      tags: this.tags(),
    });
    return alarmName;
  }
}
