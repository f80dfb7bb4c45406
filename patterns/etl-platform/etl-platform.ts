import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription";
import { Construct } from "constructs";
import { AthenaWorkgroup } from "../../modules/athena-workgroup/athena-workgroup";
import { DataLake } from "../../modules/data-lake/data-lake";
import { Zone } from "../../modules/data-lake/zone";
import type { GlueVersion } from "../../modules/core/job-runs";
import { FailureMessenger } from "../../modules/etl-orchestrator/failure-messenger";
import { GlueSecurityConfiguration } from "../../modules/glue-security-configuration/glue-security-configuration";
import { NotificationsTopic } from "../../modules/notifications-topic/notifications-topic";
import { RunLock } from "../../modules/run-lock/run-lock";

/** Somebody who receives the messages of a topic. */
export interface Subscriber {
  /** An e-mail address and an https endpoint must confirm; the policy of a queue or a function must let the topic send. */
  readonly protocol: "email" | "https" | "sqs" | "lambda";
  /** The e-mail address, the https address, or the ARN. */
  readonly endpoint: string;
}

/** A platform: its name and place, and changes from the defaults. */
export interface EtlPlatformProps {
  /** First part of every physical name, such as `shop-prod`: lower-case words joined by hyphens. */
  readonly name: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, such as `eu-west-1`. */
  readonly region: string;
  /**
   * The environment's name in messages.
   * @default - the platform's name
   */
  readonly environment?: string;
  /**
   * `false` lets a deployment destroy buckets and keys; needs `allowDataDestruction` too.
   * @default true
   */
  readonly retainData?: boolean;
  /**
   * The second key to the destruction of data.
   * @default false
   */
  readonly allowDataDestruction?: boolean;
  /**
   * Subscribers of success and failure messages, and of alarms. SNS drops messages of a topic without a subscriber.
   * @default - nobody; subscribe to `notifications.topicArn` and `alerts.topicArn` yourself
   */
  readonly subscribers?: {
    readonly notifications: readonly Subscriber[];
    readonly alerts: readonly Subscriber[];
  };
  /**
   * Glue version of the pipelines' jobs: 5.1 has Spark 3.5, 6.0 has Spark 4.1.
   * @default "5.1"
   */
  readonly glueVersion?: GlueVersion;
  /**
   * How long log groups keep their events, days: one of the periods of CloudWatch Logs.
   * @default 90
   */
  readonly logRetentionDays?: number;
  /**
   * `true`: the logs of state machines hold inputs and outputs, which may be personal data.
   * @default false
   */
  readonly logExecutionData?: boolean;
  /**
   * `true`: messages and logs of refused runs hold delivered values, which may be personal data.
   * @default false
   */
  readonly showValuesInMessages?: boolean;
  /**
   * The most bytes that one Athena query of the workgroup scans; at least 10485760 (10 MiB).
   * @default 107374182400 (100 GiB)
   */
  readonly scanLimitBytes?: number;
  /**
   * The https address of the folder docs/runbook, ending with a slash.
   * @default - messages name the page by its path
   */
  readonly runbookUrl?: string;
  /**
   * `true`: jobs run with a Glue security configuration, which encrypts their logs with the lake's key too.
   * @default false
   */
  readonly encryptJobLogs?: boolean;
}

const DEFAULT_LOG_RETENTION_DAYS = 90;
const DEFAULT_SCAN_LIMIT_BYTES = 107_374_182_400;

/**
 * The shared part of one environment's pipelines: the lake, the topics of messages and of alarms, the Athena workgroup, the locks.
 *
 * @throws Error of the construct whose props are wrong, with every mistake in them
 */
export class EtlPlatform extends Construct {
  /** Buckets, key and databases of all zones. */
  readonly lake: DataLake;
  /** Success and failure messages of runs. */
  readonly notifications: NotificationsTopic;
  /** Alarms. */
  readonly alerts: NotificationsTopic;
  /** Reports the failures of all pipelines. */
  readonly failureMessenger: FailureMessenger;
  /** Quality queries run in it, and the queries of people. */
  readonly workgroup: AthenaWorkgroup;
  /** One lock for each pipeline. */
  readonly locks: RunLock;
  /** Only with `encryptJobLogs`. */
  readonly securityConfiguration?: GlueSecurityConfiguration;
  /** First part of every physical name. */
  readonly name: string;
  /** The environment's name in messages. */
  readonly environment: string;
  /** AWS account id. */
  readonly account: string;
  /** AWS region. */
  readonly region: string;
  /** Glue version of the pipelines' jobs. */
  readonly glueVersion: GlueVersion;
  /** How long log groups keep their events, days. */
  readonly logRetentionDays: number;
  /** `true`: the logs of state machines hold inputs and outputs. */
  readonly logExecutionData: boolean;
  /** `true`: messages and logs of refused runs hold delivered values. */
  readonly showValuesInMessages: boolean;
  /** The https address of the folder docs/runbook, if it was given. */
  readonly runbookUrl?: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EtlPlatformProps,
  ) {
    super(scope, id);
    this.name = props.name;
    this.environment = props.environment ?? props.name;
    this.account = props.account;
    this.region = props.region;
    this.glueVersion = props.glueVersion ?? "5.1";
    this.logRetentionDays = props.logRetentionDays ?? DEFAULT_LOG_RETENTION_DAYS;
    this.logExecutionData = props.logExecutionData ?? false;
    this.showValuesInMessages = props.showValuesInMessages ?? false;
    this.runbookUrl = props.runbookUrl;

    this.lake = this.defineLake();
    this.notifications = this.defineTopic("Notifications", "notifications");
    this.alerts = this.defineTopic("Alerts", "alerts");
    this.defineSubscriptions();
    this.failureMessenger = this.defineFailureMessenger();
    this.workgroup = this.defineWorkgroup();
    this.locks = new RunLock(this, "Locks", { name: `${this.name}-locks`, ...this.place });
    this.securityConfiguration = this.defineSecurityConfiguration();
  }

  private get place() {
    return { account: this.account, region: this.region };
  }

  private defineLake(): DataLake {
    const { retainData, allowDataDestruction } = this.props;
    return new DataLake(this, "Lake", {
      namePrefix: this.name,
      databasePrefix: this.name.replaceAll("-", "_"),
      ...this.place,
      retainData,
      allowDataDestruction,
    });
  }

  private defineTopic(id: string, suffix: string): NotificationsTopic {
    const encryptionKey = this.lake.key;
    return new NotificationsTopic(this, id, { name: `${this.name}-${suffix}`, encryptionKey, ...this.place });
  }

  /** An e-mail address of the notifications topic keeps the id it had first, so that nobody has to confirm again. */
  private defineSubscriptions(): void {
    const { notifications = [], alerts = [] } = this.props.subscribers ?? {};
    const subscribe = (topic: NotificationsTopic, id: string, { protocol, endpoint }: Subscriber) =>
      new SnsTopicSubscription(this, id, { topicArn: topic.topicArn, protocol, endpoint });
    for (const one of notifications) {
      const id =
        one.protocol === "email" ? `Email-${one.endpoint}` : `Notifications-${one.protocol}-${one.endpoint}`;
      subscribe(this.notifications, id, one);
    }
    for (const one of alerts) subscribe(this.alerts, `Alerts-${one.protocol}-${one.endpoint}`, one);
  }

  private defineFailureMessenger(): FailureMessenger {
    const { notifications, logRetentionDays } = this;
    const name = `${this.name}-failures`;
    return new FailureMessenger(this, "Failures", { name, notifications, ...this.place, logRetentionDays });
  }

  private defineWorkgroup(): AthenaWorkgroup {
    const { scanLimitBytes = DEFAULT_SCAN_LIMIT_BYTES, retainData = true, allowDataDestruction } = this.props;
    return new AthenaWorkgroup(this, "Workgroup", {
      name: this.name,
      results: this.lake.location(Zone.QUERY_RESULTS),
      scanLimitBytes,
      forceDestroy: !retainData,
      allowDataDestruction,
      ...this.place,
    });
  }

  private defineSecurityConfiguration(): GlueSecurityConfiguration | undefined {
    if (this.props.encryptJobLogs !== true) return undefined;
    const encryptionKey = this.lake.key;
    return new GlueSecurityConfiguration(this, "Security", { name: this.name, encryptionKey, ...this.place });
  }
}
