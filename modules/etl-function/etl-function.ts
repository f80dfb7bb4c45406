import { createHash } from "node:crypto";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaFunctionEventInvokeConfig } from "@cdktf/provider-aws/lib/lambda-function-event-invoke-config";
import { type SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { ArtifactZip } from "../artifacts/artifact-file";
import { packFunction, unzippedBytesOf } from "../artifacts/function-code";
import { type PackedPackage } from "../artifacts/python-package";
import { setMaker } from "../artifacts/owned-object";
import { type IAlertTarget } from "../core/alert-target";
import { functionConsole } from "../core/console";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { runbookLink } from "../core/runbook";
import { type S3Location } from "../core/s3-location";
import { type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable, type IRole } from "../iam/grantable";
import { defineDeadLetters } from "../iam/dead-letters";
import { type PolicyStatement } from "../iam/policy-statement";
import { ServiceRole } from "../iam/service-role";
import { type FunctionAlarm, functionAlarms, type FunctionMetrics, functionMetrics } from "./function-alarms";
import { functionMistakes, ROLE_SUFFIX } from "./function-mistakes";
import { type ILayer } from "./function-layer";
import {
  DEFAULT_ARCHITECTURE,
  DEFAULT_RUNTIME,
  type FunctionArchitecture,
  type FunctionRuntime,
} from "./runtimes";

export { type FunctionMetrics } from "./function-alarms";

/** The handling of calls for whose answer the caller does not wait: by a rule of EventBridge, SNS, S3 or `InvocationType: Event`. */
export interface AsynchronousCalls {
  /**
   * How often Lambda repeats a call that failed, 0 to 2.
   * @default 2
   */
  readonly retries?: number;
  /**
   * Seconds after which a call that has not run yet goes to the dead letters, 60 to 21600.
   * @default 21600
   */
  readonly maximumAgeSeconds?: number;
}

/** The receiver of a function's alarms. */
export interface FunctionAlarms {
  /** The topic for alarms. */
  readonly alerts: IAlertTarget;
  /**
   * The https address of the folder docs/runbook, ending with a slash.
   * @default - messages give the page's path
   */
  readonly runbookUrl?: string;
  /**
   * `true`: alarms send messages. `false`: they only show their state.
   * @default true
   */
  readonly actionsEnabled?: boolean;
}

/** The network in which a function runs. */
export interface FunctionNetwork {
  /** Private subnets with routes to what the function calls; two zones or more. */
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
}

/** Props of {@link EtlFunction}. */
export interface EtlFunctionProps {
  /** Physical name: at most 55 letters, digits, `_` and `-`, or 64 with `role` (a new role is named `<name>-function`). */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** `<file>.<function>`, e.g. `count_objects.handler`: a file at the top of `folder` and a function in it. */
  readonly handler: string;
  /** Absolute path of the folder with the code. It is uploaded as a zip, without caches and hidden files. */
  readonly folder: string;
  /**
   * Absolute paths of folders of Python packages that the code imports; they lie beside it in the zip.
   * @default - none
   */
  readonly packages?: readonly string[];
  /** The location for the code. */
  readonly artifacts: S3Location;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * The Python of the function; it brings boto3.
   * @default "python3.11"
   */
  readonly runtime?: FunctionRuntime;
  /** @default "x86_64" */
  readonly architecture?: FunctionArchitecture;
  /**
   * Layers of packages, at most 5, built for this runtime and architecture. Code and layers have less than 250 MB unzipped.
   * @default - none
   */
  readonly layers?: readonly ILayer[];
  /**
   * Memory in MB, 128 to 10240; the share of processors grows with it.
   * @default 256
   */
  readonly memoryMegabytes?: number;
  /**
   * Seconds after which Lambda stops a call, 1 to 900.
   * @default 60
   */
  readonly timeoutSeconds?: number;
  /**
   * Size of `/tmp` in MB, 512 to 10240.
   * @default 512
   */
  readonly temporaryStorageMegabytes?: number;
  /**
   * Environment variables, at most 4 KB. They are visible in plans and consoles, so plaintext secrets are refused.
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * The most calls at the same time, at least 1. They are reserved: the account's other functions have that many fewer.
   * @default - none: bounded by the account's quota only, because a reservation fails in new accounts, whose quota is small
   */
  readonly reservedConcurrency?: number;
  /**
   * Set it if something calls the function without waiting for the answer: calls that fail go to a dead-letter queue.
   * @default - none: state machines and other callers that wait handle errors themselves
   */
  readonly asynchronous?: AsynchronousCalls;
  /**
   * Alarms on errors, throttles and dead letters; must be given with `asynchronous`.
   * @default - none: the caller reports failures
   */
  readonly alarms?: FunctionAlarms;
  /**
   * The network in which it runs.
   * @default - none: it reaches AWS and the Internet, but no private network
   */
  readonly vpc?: FunctionNetwork;
  /**
   * The key that encrypts environment variables and logs.
   * @default - keys of AWS
   */
  readonly encryptionKey?: IEncryptionKey;
  /**
   * `true`: X-Ray records calls.
   * @default false
   */
  readonly tracing?: boolean;
  /**
   * Days that logs are kept: one of the periods of CloudWatch Logs.
   * @default 90
   */
  readonly logRetentionDays?: number;
  /**
   * A role that Lambda may assume; the function's rights are granted to it.
   * @default - a new role
   */
  readonly role?: IRole;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/** The longest time that Lambda keeps an asynchronous call. */
const MOST_AGE_SECONDS = 21_600;
const ALARM_PERIOD_SECONDS = 300;

const withDefaults = (props: EtlFunctionProps) => ({
  ...props,
  packages: props.packages ?? [],
  runtime: props.runtime ?? DEFAULT_RUNTIME,
  architecture: props.architecture ?? DEFAULT_ARCHITECTURE,
  layers: props.layers ?? [],
  memoryMegabytes: props.memoryMegabytes ?? 256,
  timeoutSeconds: props.timeoutSeconds ?? 60,
  temporaryStorageMegabytes: props.temporaryStorageMegabytes ?? 512,
  environment: props.environment ?? {},
  logRetentionDays: props.logRetentionDays ?? 90,
});

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * A Python function on Lambda with its code, a log group, alarms, and a role that may write that log group and nothing else until more is
 * granted to it. Asynchronous calls that fail in all attempts go to a queue.
 *
 * Sources: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class EtlFunction extends Construct implements IGrantable {
  /** The function. */
  readonly resource: LambdaFunction;
  /** The function's role. */
  readonly role: IRole;
  /** Physical name; refers to the resource. */
  readonly functionName: string;
  /** The ARN without a version; refers to the resource. */
  readonly functionArn: string;
  /** The Python. */
  readonly runtime: FunctionRuntime;
  /** The processor. */
  readonly architecture: FunctionArchitecture;
  /** Memory in MB. */
  readonly memoryMegabytes: number;
  /** Seconds after which Lambda stops a call. */
  readonly timeoutSeconds: number;
  /** Size of `/tmp` in MB. */
  readonly temporaryStorageMegabytes: number;
  /** The most calls at the same time; `undefined` without a reservation. */
  readonly reservedConcurrency: number | undefined;
  /** The size of the code in bytes after extraction, without layers. */
  readonly unzippedBytes: number;
  /** Its metrics. */
  readonly metrics: FunctionMetrics;
  /** Name of its log group; known in a plan. */
  readonly logGroupName: string;
  /** The queue of asynchronous calls that failed; `undefined` without `asynchronous`. */
  readonly deadLetterQueue?: SqsQueue;
  /** Name of that queue; known in a plan. */
  readonly deadLetterQueueName?: string;
  /** The names of its alarms, known in a plan. */
  readonly alarmNames: readonly string[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EtlFunctionProps,
  ) {
    super(scope, id);
    this.refuse();

    const whole = withDefaults(props);
    this.runtime = whole.runtime;
    this.architecture = whole.architecture;
    this.memoryMegabytes = whole.memoryMegabytes;
    this.timeoutSeconds = whole.timeoutSeconds;
    this.temporaryStorageMegabytes = whole.temporaryStorageMegabytes;
    this.reservedConcurrency = props.reservedConcurrency;
    this.logGroupName = `/aws/lambda/${props.name}`;
    this.metrics = functionMetrics(props.name);
    if (props.asynchronous !== undefined) this.deadLetterQueueName = `${props.name}-dead-letters`;
    const packed = packFunction(props.folder, whole.packages);
    this.unzippedBytes = unzippedBytesOf(props.folder, whole.packages);

    const code = this.defineCode(packed);
    const logGroup = this.defineLogGroup(whole.logRetentionDays);
    this.role = props.role ?? this.defineRole();
    this.role.addToPolicy(...this.statements());
    this.resource = this.defineFunction(code, packed, logGroup);
    this.deadLetterQueue = this.defineDeadLetters();
    this.alarmNames = this.defineAlarms();

    this.functionName = this.resource.functionName;
    this.functionArn = this.resource.arn;
  }

  /** The function's role, to which rights are granted: `lake.grantRead(countObjects, Zone.RAW, "events/")`. */
  get grantee(): IRole {
    return this.role;
  }

  /** Lets a role call the function, without a version or an alias. */
  grantInvoke(grantable: IGrantable): void {
    grantable.grantee.addToPolicy({ actions: ["lambda:InvokeFunction"], resources: [this.functionArn] });
  }

  private refuse(): void {
    const judged = { ...withDefaults(this.props), isRoleBrought: this.props.role !== undefined };
    const refusals = new Refusals("EtlFunction", this.node.path);
    // Skip local paths; they are checked separately.
    const others = { ...this.props, folder: undefined, packages: undefined };
    refusals.noteUnfilled(placeholderMistakes(others, isKnown));
    refusals.noteAll(placeMistakes(this.props, isKnown));
    refusals.noteAll(functionMistakes(judged, isKnown));
    refusals.throwIfAny();
  }

  /** The environment variables; `undefined` for a function without variables. */
  private variables(): Record<string, string> | undefined {
    const { environment = {} } = this.props;
    return Object.keys(environment).length === 0 ? undefined : { ...environment };
  }

  private tags(): Record<string, string> | undefined {
    return this.props.tags && { ...this.props.tags };
  }

  private arnOf(service: string, resource: string): string {
    const { account, region } = this.props;
    return `arn:${partitionOf(region)}:${service}:${region}:${account}:${resource}`;
  }

  private defineCode(packed: PackedPackage): ArtifactZip {
    const { name, artifacts } = this.props;
    const code = new ArtifactZip(this, "Code", { packed, artifacts, prefix: `functions/${name}/` });
    setMaker(code, this);
    return code;
  }

  private defineLogGroup(retentionInDays: number): CloudwatchLogGroup {
    const { encryptionKey, region } = this.props;
    // Lambda would create it itself, without a retention period.
    encryptionKey?.allowService(
      `logs.${region}.amazonaws.com`,
      ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
      {
        ArnEquals: {
          "kms:EncryptionContext:aws:logs:arn": this.arnOf("logs", `log-group:${this.logGroupName}`),
        },
      },
    );
    return new CloudwatchLogGroup(this, "Logs", {
      name: this.logGroupName,
      retentionInDays,
      kmsKeyId: encryptionKey?.keyArn,
      tags: this.tags(),
    });
  }

  private defineRole(): IRole {
    const { name } = this.props;
    return new ServiceRole(this, "Role", {
      name: `${name}${ROLE_SUFFIX}`,
      description: `Runs the function ${name}`,
      service: "lambda.amazonaws.com",
      tags: this.tags(),
    });
  }

  private statements(): PolicyStatement[] {
    const { vpc, tracing, encryptionKey, name } = this.props;
    const functionArn = this.arnOf("lambda", `function:${name}`);
    const queue = this.deadLetterQueueName;
    return [
      {
        // Without CreateLogGroup, so that a call during a destroy does not create the group again, without a retention period.
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [`${this.arnOf("logs", `log-group:${this.logGroupName}`)}:*`],
      },
      ...(queue === undefined
        ? []
        : [{ actions: ["sqs:SendMessage"], resources: [this.arnOf("sqs", queue)] }]),
      ...(vpc === undefined ? [] : networkStatements(functionArn)),
      ...(tracing === true ? [TRACING] : []),
      ...(encryptionKey === undefined || this.variables() === undefined
        ? []
        : [
            {
              actions: ["kms:Decrypt"],
              resources: [encryptionKey.keyArn],
              conditions: { StringEquals: { "kms:EncryptionContext:aws:lambda:FunctionArn": functionArn } },
            },
          ]),
    ];
  }

  private defineFunction(
    code: ArtifactZip,
    { zip }: PackedPackage,
    logGroup: CloudwatchLogGroup,
  ): LambdaFunction {
    const { props } = this;
    const { layers, vpc } = props;
    const variables = this.variables();
    return new LambdaFunction(this, "Resource", {
      functionName: props.name,
      description: props.description,
      role: this.role.roleArn,
      runtime: this.runtime,
      architectures: [this.architecture],
      handler: props.handler,
      s3Bucket: code.resource.bucket,
      s3Key: code.resource.key,
      sourceCodeHash: createHash("sha256").update(zip).digest("base64"),
      layers: layers?.map(({ layerArn }) => layerArn),
      memorySize: this.memoryMegabytes,
      timeout: this.timeoutSeconds,
      ephemeralStorage: { size: this.temporaryStorageMegabytes },
      environment: variables && { variables },
      // Without variables AWS does not keep the key, and each plan would add it again:
      // https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/lambda_function
      kmsKeyArn: variables && props.encryptionKey?.keyArn,
      reservedConcurrentExecutions: this.reservedConcurrency,
      vpcConfig: vpc && { subnetIds: [...vpc.subnetIds], securityGroupIds: [...vpc.securityGroupIds] },
      tracingConfig: { mode: props.tracing === true ? "Active" : "PassThrough" },
      loggingConfig: {
        logFormat: "JSON",
        logGroup: logGroup.name,
        applicationLogLevel: "INFO",
        systemLogLevel: "INFO",
      },
      tags: this.tags(),
      dependsOn: [...this.role.dependencies],
    });
  }

  /**
   * The queue is a destination on failure, not `dead_letter_config`, because its messages hold the error and the answer beside the payload.
   */
  private defineDeadLetters(): SqsQueue | undefined {
    const { asynchronous } = this.props;
    const { deadLetterQueueName: name } = this;
    if (asynchronous === undefined || name === undefined) return undefined;
    const queue = defineDeadLetters(this, { name, arn: this.arnOf("sqs", name), tags: this.tags() });
    new LambdaFunctionEventInvokeConfig(this, "Asynchronous", {
      functionName: this.resource.functionName,
      maximumRetryAttempts: asynchronous.retries ?? 2,
      maximumEventAgeInSeconds: asynchronous.maximumAgeSeconds ?? MOST_AGE_SECONDS,
      destinationConfig: { onFailure: { destination: queue.arn } },
    });
    return queue;
  }

  private defineAlarms(): string[] {
    const { alarms, name } = this.props;
    if (alarms === undefined) return [];
    alarms.alerts.allowPublishFromAlarms(`${name}-`);
    return functionAlarms(this.metrics, this.deadLetterQueueName).map((alarm) =>
      this.defineAlarm(alarm, alarms),
    );
  }

  private defineAlarm(alarm: FunctionAlarm, { alerts, actionsEnabled, runbookUrl }: FunctionAlarms): string {
    const { name, region } = this.props;
    const { namespace, name: metricName, dimensions } = alarm.metric;
    const alarmName = `${name}-${alarm.suffix}`;
    new CloudwatchMetricAlarm(this, alarm.id, {
      alarmName,
      alarmDescription:
        `Function ${name}: ${alarm.happened}. ${alarm.remedy} ` +
        `Function: ${functionConsole(partitionOf(region), region, name)} Runbook: ${runbookLink(runbookUrl, alarm.runbook)}`,
      namespace,
      metricName,
      dimensions: { ...dimensions },
      statistic: alarm.statistic,
      period: ALARM_PERIOD_SECONDS,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      threshold: 1,
      treatMissingData: "notBreaching",
      actionsEnabled: actionsEnabled ?? true,
      alarmActions: alarm.sends ? [alerts.topicArn] : undefined,
      okActions: alarm.sendsOk ? [alerts.topicArn] : undefined,
      tags: this.tags(),
    });
    return alarmName;
  }
}

/** The actions have no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html */
const TRACING: PolicyStatement = {
  actions: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
  resources: ["*"],
};

const NETWORK_ACTIONS = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];

/**
 * Lambda makes network interfaces with the function's role, on any resource. The function's own code is denied them.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
const networkStatements = (functionArn: string): PolicyStatement[] => [
  { actions: NETWORK_ACTIONS, resources: ["*"] },
  {
    effect: "Deny",
    actions: NETWORK_ACTIONS,
    resources: ["*"],
    conditions: { ArnEquals: { "lambda:SourceFunctionArn": functionArn } },
  },
];
