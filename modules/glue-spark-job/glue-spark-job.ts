import { basename } from "node:path";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import type { GlueJob } from "@cdktf/provider-aws/lib/glue-job";
import { type ITerraformDependable, Token } from "cdktf";
import { Construct } from "constructs";
import { type ExecutionClass, type GlueVersion, runShapeMistakes, startMinutes } from "../core/job-runs";
import { logRetentionMistake } from "../core/log-retention";
import { partitionOf, viaService } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { type Mistake, Refusals } from "../core/refusals";
import { prefixMistake, type S3Location, s3Uri } from "../core/s3-location";
import { writeModeMistakes } from "../core/write-modes";
import { type IRole } from "../iam/grantable";
import { type PolicyStatement } from "../iam/policy-statement";
import { ENCRYPT, readFolderStatements, readObjectStatements, writeStatements } from "../iam/s3-actions";
import { logStatements } from "../iam/log-actions";
import { ServiceRole } from "../iam/service-role";
import { ArtifactFile, ArtifactPackage, fileMistake, type UploadedFile } from "../artifacts/artifact-file";
import { argumentMistakes, renderArguments } from "./job-arguments";
import { connectionMistakes, connectionStatements, type IGlueConnection } from "./job-connections";
import { capacityField, type JobCapacity, maxDpuHours, mostWorkers } from "./job-capacity";
import { defineFiles, fileMistakes, type JobFile, type JobFiles } from "./job-files";
import { setMaker } from "../artifacts/owned-object";
import { packageMistake } from "../artifacts/python-package";
import { installerOptions, isWheel, type PythonInstaller, pythonMistakes } from "./python-modules";
import { QuotedArgumentsJob } from "./quoted-arguments-job";
import { renderConf, sparkConfMistakes } from "./spark-conf";
import {
  icebergConf,
  type IcebergTable,
  type IcebergTables,
  scriptArguments,
  tablesStatements,
  tableStatements,
} from "./table-format";

/** A security configuration of Glue. */
export interface ISecurityConfiguration {
  /** Physical name. */
  readonly configurationName: string;
  /** The key that encrypts logs. */
  readonly encryptionKey: { readonly keyArn: string };
  /** Resources that must exist before a job that names it. */
  readonly dependencies: ITerraformDependable[];
}

/** Props of {@link GlueSparkJob}. */
export interface GlueSparkJobProps {
  /** Physical name: at most 60 letters, digits and `_.-`, or 255 with `role` (a new role is named `<name>-job`). */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** Absolute path of the script. It is uploaded under a key that holds the hash of its content. */
  readonly script: string;
  /**
   * Absolute path of the folder of a Python package that the script imports; uploaded as a zip, without caches.
   * @default - none
   */
  readonly modules?: string;
  /**
   * Further uploaded files that the script reads; give their `uri` in `arguments`.
   * @default - none
   */
  readonly files?: readonly UploadedFile[];
  /**
   * Python packages that pip installs at the start of each run: pinned requirements such as `pandas==2.2.3`, or wheels for the Python of
   * the Glue version.
   *
   * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
   * @default - only what Glue provides
   */
  readonly pythonModules?: readonly JobFile[];
  /**
   * How pip installs `pythonModules`.
   * @default - from PyPI, with what the modules depend on
   */
  readonly pythonInstaller?: PythonInstaller;
  /**
   * Java archives for Spark's class path, behind Glue's own, so a class that both have is Glue's.
   *
   * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
   * @default - none
   */
  readonly jars?: readonly JobFile[];
  /**
   * Files that Glue copies into the working directory of the script, by their names; single files, no folders.
   *
   * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
   * @default - none
   */
  readonly extraFiles?: readonly JobFile[];
  /**
   * Connections of Glue that the job uses, e.g. `GlueConnection`s. Those that lead into a VPC must be in one subnet.
   * @default - none: the job is in no VPC
   */
  readonly connections?: readonly IGlueConnection[];
  /**
   * The location for script, modules and the local files of other props. Jobs with the same script need different prefixes: an S3 object
   * belongs to one construct, and a second one is refused at synth.
   */
  readonly artifacts: S3Location;
  /**
   * The location for Glue's temporary files.
   * @default - `temp/<name>/` below the artifacts
   */
  readonly temporary?: S3Location;
  /** The locations that the job lists and reads. */
  readonly inputs: readonly S3Location[];
  /** The locations that the job lists, reads, writes and deletes from; at least one. */
  readonly outputs: readonly S3Location[];
  /**
   * Arguments of every run, names without leading hyphens. Arguments that a prop of this construct or Glue itself sets are refused.
   * @default - none
   */
  readonly arguments?: Readonly<Record<string, string>>;
  /**
   * Spark settings of every run by name, e.g. `spark.sql.shuffle.partitions`; values without white space. Together with the region of S3
   * and the settings of `icebergTable` they become Glue's `--conf`.
   * @default - only the region and the settings of `icebergTable`
   */
  readonly sparkConf?: Readonly<Record<string, string>>;
  /**
   * The Iceberg table that the job writes. It sets Spark settings, arguments of the script and rights on the catalogue.
   * @default - none: the job writes files
   */
  readonly icebergTable?: IcebergTable;
  /**
   * The Iceberg tables that the job reads and writes, where they are several: Spark settings and rights on the catalogue. The script gets
   * their names by `arguments`. Not with `icebergTable`.
   * @default - none
   */
  readonly icebergTables?: IcebergTables;
  /** The type and number of workers. */
  readonly capacity: JobCapacity;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /** @default "5.1" */
  readonly glueVersion?: GlueVersion;
  /**
   * Minutes after which Glue stops a run, 1 to 10079.
   * @default 60
   */
  readonly timeoutMinutes?: number;
  /**
   * `FLEX` is cheaper and supports workers G.1X and G.2X; a run may start up to 20 minutes late and lose workers during the run.
   * @default "STANDARD"
   */
  readonly executionClass?: ExecutionClass;
  /**
   * `true`: a run beyond the account's capacity or `maxConcurrentRuns` waits instead of failing. Not with FLEX.
   * @default false
   */
  readonly jobRunQueuingEnabled?: boolean;
  /**
   * The most concurrent runs, at least 1. Must be 1 for a job that replaces or appends to what an earlier run wrote.
   * @default 1
   */
  readonly maxConcurrentRuns?: number;
  /**
   * The encryption of files, logs and bookmarks, e.g. a `GlueSecurityConfiguration`.
   * @default - none: buckets encrypt files, and CloudWatch encrypts logs with its own key
   */
  readonly securityConfiguration?: ISecurityConfiguration;
  /**
   * Days that the logs of runs are kept: one of the periods of CloudWatch Logs.
   * @default 90
   */
  readonly logRetentionDays?: number;
  /**
   * A role that Glue may assume; the job's rights are granted to it.
   * @default - a new role
   */
  readonly role?: IRole;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

const ROLE_SUFFIX = "-job";
/** A role's name has at most 64 characters. */
const LONGEST_NAME_WITH_ROLE = 64 - ROLE_SUFFIX.length;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * A PySpark job with its script, shared modules, log groups and a role that may read its inputs, write its outputs and
 * nothing else. It never retries: the caller decides about failed runs.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class GlueSparkJob extends Construct {
  /** The job. */
  readonly resource: GlueJob;
  /** The job's role. */
  readonly role: IRole;
  /** Physical name; refers to the resource. */
  readonly jobName: string;
  /** The ARN; refers to the resource. */
  readonly jobArn: string;
  /** Minutes after which Glue stops a run. */
  readonly timeoutMinutes: number;
  /** Minutes that a run may need to start, including a wait for capacity. */
  readonly startMinutes: number;
  /** The type and number of workers. */
  readonly capacity: JobCapacity;
  /** The Glue version. */
  readonly glueVersion: GlueVersion;
  /** The execution class. */
  readonly executionClass: ExecutionClass;
  /** `true`: runs wait for capacity instead of failing. */
  readonly jobRunQueuingEnabled: boolean;
  /** The most concurrent runs. */
  readonly maxConcurrentRuns: number;
  /** AWS region. */
  readonly region: string;
  /**
   * The most DPU-hours that one run can be billed: workers × DPU per worker × time-out / 60. `undefined` if a factor is not known at
   * synth.
   */
  readonly maxDpuHoursPerRun: number | undefined;
  /**
   * The prefix of the two log groups of Glue: `/output` with the script's output, `/error` with Spark's and Glue's messages.
   * Source: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
   */
  readonly logGroupPrefix: string;
  private readonly script: ArtifactFile;
  private readonly modules?: ArtifactPackage;
  private readonly files: Readonly<Record<"wheels" | "jars" | "extraFiles", JobFiles>>;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: GlueSparkJobProps,
  ) {
    super(scope, id);
    this.refuse();

    this.timeoutMinutes = props.timeoutMinutes ?? 60;
    this.capacity = props.capacity;
    this.glueVersion = props.glueVersion ?? "5.1";
    this.executionClass = props.executionClass ?? "STANDARD";
    this.jobRunQueuingEnabled = props.jobRunQueuingEnabled ?? false;
    this.maxConcurrentRuns = props.maxConcurrentRuns ?? 1;
    this.region = props.region;
    this.startMinutes = startMinutes(this);
    this.maxDpuHoursPerRun = maxDpuHours(props.capacity, this.timeoutMinutes, isKnown);
    this.logGroupPrefix = `/aws-glue/jobs/${props.name}`;

    const { artifacts, modules } = props;
    this.script = new ArtifactFile(this, "Script", { source: props.script, artifacts, prefix: "scripts/" });
    setMaker(this.script, this);
    if (modules !== undefined) {
      this.modules = new ArtifactPackage(this, "Modules", { folder: modules, artifacts, prefix: "modules/" });
      setMaker(this.modules, this);
    }
    this.files = this.defineFiles();
    const logGroups = this.defineLogGroups();
    this.role = props.role ?? this.defineRole();
    this.role.addToPolicy(...this.statements());
    this.resource = this.defineJob(logGroups);

    this.jobName = this.resource.name;
    this.jobArn = this.resource.arn;
  }

  private refuse(): void {
    const { script, modules, pythonModules = [], jars = [], extraFiles = [], ...rest } = this.props;
    const { name, role, outputs, capacity, maxConcurrentRuns: runs, logRetentionDays: days } = rest;
    const refusals = new Refusals("GlueSparkJob", this.node.path);
    // Skip local paths; they are checked separately.
    refusals.noteUnfilled(placeholderMistakes(rest, isKnown));
    refusals.noteAll(placeMistakes(this.props, isKnown));
    if (isKnown(name)) refusals.note("name", nameMistake(name, role !== undefined));
    refusals.note("script", scriptMistake(script));
    refusals.note("modules", modules === undefined ? undefined : packageMistake(modules));
    refusals.noteAll(locationMistakes(this.props));
    refusals.check(outputs.length > 0, "outputs", "must not be empty: a job needs a location to write to");
    for (const [argument, mistake] of argumentMistakes(this.props.arguments ?? {}, isKnown)) {
      refusals.note(`arguments.${argument}`, mistake);
    }
    for (const [setting, mistake] of sparkConfMistakes(this.props.sparkConf ?? {}, isKnown)) {
      refusals.note(`sparkConf.${setting}`, mistake);
    }
    refusals.noteAll(icebergMistakes(this.props));
    refusals.noteAll(icebergTablesMistakes(this.props));
    refusals.noteAll(pythonMistakes(pythonModules, rest.pythonInstaller, rest.glueVersion ?? "5.1"));
    refusals.noteAll(fileMistakes("jars", jars, jarMistake));
    refusals.noteAll(fileMistakes("extraFiles", extraFiles, (file) => scriptNameMistake(file, script)));
    refusals.noteAll(connectionMistakes(rest.connections ?? [], this));
    const shape = { ...rest, workerType: capacity.workerType, workers: mostWorkers(capacity) };
    for (const [field, mistake] of runShapeMistakes(shape, isKnown)) {
      refusals.note(capacityField(capacity, field), mistake);
    }
    refusals.check(
      runs === undefined || !isKnown(runs) || (Number.isInteger(runs) && runs >= 1),
      "maxConcurrentRuns",
      `must be a whole number, at least 1, got ${runs}`,
    );
    if (days !== undefined && isKnown(days)) refusals.note("logRetentionDays", logRetentionMistake(days));
    refusals.throwIfAny();
  }

  private defineFiles() {
    const { artifacts, region, pythonModules = [], jars = [], extraFiles = [] } = this.props;
    const to = (prefix: string) => ({ artifacts, prefix, region });
    return {
      wheels: defineFiles(this, "PythonModules", pythonModules.filter(isWheel), to("wheels/")),
      jars: defineFiles(this, "Jars", jars, to("jars/")),
      extraFiles: defineFiles(this, "ExtraFiles", extraFiles, to("files/")),
    };
  }

  private defineLogGroups(): CloudwatchLogGroup[] {
    const { logRetentionDays = 90, securityConfiguration, tags } = this.props;
    // Glue would create them itself, without a retention period.
    return (["Output", "Error"] as const).map(
      (stream) =>
        new CloudwatchLogGroup(this, `${stream}Logs`, {
          name: `${this.logFolder()}/${stream.toLowerCase()}`,
          retentionInDays: logRetentionDays,
          kmsKeyId: securityConfiguration?.encryptionKey.keyArn,
          tags: tags && { ...tags },
        }),
    );
  }

  /**
   * The prefix of both log groups. With a security configuration Glue adds its name and the role's.
   * Source: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
   */
  private logFolder(): string {
    const { name, role, securityConfiguration: configuration } = this.props;
    if (configuration === undefined) return this.logGroupPrefix;
    const roleName = role?.roleName ?? `${name}${ROLE_SUFFIX}`;
    return `${this.logGroupPrefix}/${configuration.configurationName}-role/${roleName}`;
  }

  private defineRole(): IRole {
    const { name, account, tags } = this.props;
    return new ServiceRole(this, "Role", {
      name: `${name}${ROLE_SUFFIX}`,
      description: `Runs the job ${name}`,
      service: "glue.amazonaws.com",
      trustConditions: { StringEquals: { "aws:SourceAccount": account } },
      tags,
    });
  }

  private defineJob(logGroups: readonly CloudwatchLogGroup[]): GlueJob {
    const { props } = this;
    const { capacity } = props;
    return new QuotedArgumentsJob(this, "Resource", {
      name: props.name,
      description: props.description,
      roleArn: this.role.roleArn,
      glueVersion: this.glueVersion,
      command: { name: "glueetl", pythonVersion: "3", scriptLocation: this.script.uri },
      defaultArguments: renderArguments(this.scriptArguments(), {
        conf: this.sparkConf(),
        datalakeFormats: (props.icebergTable ?? props.icebergTables) && "iceberg",
        modulesUri: this.modules?.uri,
        pythonModules: this.pythonModules(),
        installerOptions: installerOptions(props.pythonInstaller ?? {}),
        jars: this.files.jars.uris,
        extraFiles: this.files.extraFiles.uris,
        tempUri: s3Uri(this.temporary()),
        logGroupPrefix: this.logGroupPrefix,
        autoScaling: capacity.kind === "autoScaling",
      }),
      workerType: capacity.workerType,
      numberOfWorkers: mostWorkers(capacity),
      executionClass: this.executionClass,
      // Left out means off. Glue refuses queueing for jobs with retries; this one has none.
      jobRunQueuingEnabled: this.jobRunQueuingEnabled || undefined,
      timeout: this.timeoutMinutes,
      // The orchestrator retries. Nothing would wait for a retry by Glue.
      maxRetries: 0,
      executionProperty: { maxConcurrentRuns: this.maxConcurrentRuns },
      tags: props.tags && { ...props.tags },
      connections: props.connections?.map(({ connectionName }) => connectionName),
      securityConfiguration: props.securityConfiguration?.configurationName,
      dependsOn: [
        ...this.role.dependencies,
        ...logGroups,
        ...(props.securityConfiguration?.dependencies ?? []),
        ...(props.connections?.flatMap(({ dependencies = [] }) => dependencies) ?? []),
      ],
    });
  }

  private scriptArguments(): Record<string, string> {
    const { arguments: given, icebergTable: table } = this.props;
    return { ...given, ...(table && scriptArguments(table)) };
  }

  /** Requirements and the URIs of wheels, in the order of the prop. */
  private pythonModules(): string[] {
    const uris = this.files.wheels.uris.values();
    return (this.props.pythonModules ?? []).map((module) =>
      isWheel(module) ? uris.next().value! : (module as string),
    );
  }

  private sparkConf(): string {
    const { region, icebergTable, icebergTables, sparkConf = {} } = this.props;
    const warehouse = icebergTable?.location ?? icebergTables?.warehouse;
    return renderConf(region, warehouse === undefined ? {} : icebergConf(warehouse), sparkConf);
  }

  private temporary(): S3Location {
    const { artifacts, name, temporary } = this.props;
    return temporary ?? { ...artifacts, prefix: `${artifacts.prefix}temp/${name}/` };
  }

  /** Source: https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html */
  private encryptionStatements(logGroupArns: readonly string[]): PolicyStatement[] {
    const { securityConfiguration: configuration, region } = this.props;
    if (configuration === undefined) return [];
    return [
      { actions: ["logs:AssociateKmsKey"], resources: logGroupArns.flatMap((arn) => [arn, `${arn}:*`]) },
      {
        // Files are encrypted with this key, not with the bucket's.
        actions: ENCRYPT,
        resources: [configuration.encryptionKey.keyArn],
        conditions: { StringEquals: { "kms:ViaService": viaService("s3", region) } },
      },
    ];
  }

  private statements(): PolicyStatement[] {
    const { inputs, outputs, files = [], account, region } = this.props;
    const logGroup = `arn:${partitionOf(region)}:logs:${region}:${account}:log-group:${this.logFolder()}`;
    const logGroups = ["output", "error"].map((stream) => `${logGroup}/${stream}`);
    const artifacts = [this.script, ...(this.modules === undefined ? [] : [this.modules]), ...files];
    const locations = [
      ...artifacts.map(({ location }) => location),
      ...Object.values(this.files).flatMap((one) => one.locations),
    ];
    return [
      ...locations.flatMap((location) => readObjectStatements(location, region)),
      ...inputs.flatMap((input) => readFolderStatements(input, region)),
      ...[...outputs, this.temporary()].flatMap((output) => writeStatements(output, region)),
      ...(this.props.icebergTable ? tableStatements(this.props.icebergTable, this.props) : []),
      ...(this.props.icebergTables ? tablesStatements(this.props.icebergTables, this.props) : []),
      ...connectionStatements(this.props.connections ?? [], { account, region }),
      ...logStatements(logGroups),
      ...this.encryptionStatements(logGroups),
      {
        // The action has no resources; it is limited to Glue's namespace.
        actions: ["cloudwatch:PutMetricData"],
        resources: ["*"],
        conditions: { StringEquals: { "cloudwatch:namespace": "Glue" } },
      },
    ];
  }
}

function nameMistake(name: string, roleBrought: boolean): string | undefined {
  const longest = roleBrought ? 255 : LONGEST_NAME_WITH_ROLE;
  if (/^[A-Za-z0-9_.-]+$/.test(name) && name.length <= longest) return undefined;
  const why = roleBrought ? "" : ` (its role is named '<name>${ROLE_SUFFIX}')`;
  return `must be 1 to ${longest} letters, digits or _.-${why}, got ${JSON.stringify(name)} with ${name.length}`;
}

function scriptMistake(script: string): string | undefined {
  return script.endsWith(".py") ? fileMistake(script) : `must be a Python file, got '${script}'`;
}

const jarMistake = (name: string): string | undefined =>
  name.endsWith(".jar") ? undefined : `must be a .jar file, got '${name}'`;

const scriptNameMistake = (name: string, script: string): string | undefined =>
  name === basename(script)
    ? `must not have the script's name, got '${name}': both lie in one folder`
    : undefined;

function locationMistakes({ artifacts, temporary, inputs, outputs }: GlueSparkJobProps): Mistake[] {
  const fields = [
    ["artifacts", artifacts] as const,
    ...(temporary === undefined ? [] : [["temporary", temporary] as const]),
    ...inputs.map((input, index) => [`inputs[${index}]`, input] as const),
    ...outputs.map((output, index) => [`outputs[${index}]`, output] as const),
  ];
  return fields.flatMap(([field, { prefix }]) => {
    const mistake = isKnown(prefix) ? prefixMistake(prefix) : undefined;
    return mistake === undefined ? [] : [[`${field}.prefix`, mistake] as const];
  });
}

function icebergTablesMistakes({
  icebergTable,
  icebergTables: tables,
  outputs,
}: GlueSparkJobProps): Mistake[] {
  if (tables === undefined) return [];
  const { warehouse, writes } = tables;
  const isOutput = outputs.some(
    ({ bucketName, prefix }) => bucketName === warehouse.bucketName && prefix === warehouse.prefix,
  );
  const mistakes: Mistake[] = [];
  if (icebergTable !== undefined)
    mistakes.push(["icebergTables", "must not be set together with 'icebergTable'"]);
  if (writes.length === 0) mistakes.push(["icebergTables.writes", "must hold a table"]);
  if (!isOutput)
    mistakes.push([
      "icebergTables.warehouse",
      `must be one of 'outputs', got ${JSON.stringify(warehouse.prefix)}: the job's role may only write there`,
    ]);
  return mistakes;
}

function icebergMistakes({
  icebergTable: table,
  outputs,
  arguments: given = {},
  maxConcurrentRuns,
}: GlueSparkJobProps): Mistake[] {
  if (table === undefined) return [];
  const { location } = table;
  const isOutput = outputs.some(
    ({ bucketName, prefix }) => bucketName === location.bucketName && prefix === location.prefix,
  );
  const mistakes: Mistake[] = [
    // The contract may declare the order column; only the script reads it.
    ...writeModeMistakes({ ...table, tableFormat: "iceberg", isOrderDeclared: true, maxConcurrentRuns }).map(
      ([field, mistake]) =>
        [field === "maxConcurrentRuns" ? field : `icebergTable.${field}`, mistake] as const,
    ),
    ...Object.keys(scriptArguments(table))
      .filter((name) => name in given)
      .map((name) => [`arguments.${name}`, "is managed by this construct; set 'icebergTable'"] as const),
  ];
  if (!isOutput) {
    mistakes.push([
      "icebergTable.location",
      `must be one of 'outputs', got ${JSON.stringify(location.prefix)}: the job's role may only write there`,
    ]);
  }
  return mistakes;
}
