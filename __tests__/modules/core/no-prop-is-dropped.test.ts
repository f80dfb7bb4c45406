import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { stateMachineRun } from "../../../modules/core/run";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TerraformOutput, type TerraformStack } from "cdktf";
import {
  ArtifactFile,
  type ArtifactFileProps,
  AthenaWorkgroup,
  type AthenaWorkgroupProps,
  CatalogTable,
  type CatalogTableProps,
  CatalogView,
  type CatalogViewProps,
  ContractPlan,
  type ContractPlanProps,
  DataLake,
  type DataLakeProps,
  DataQuality,
  type DataQualityProps,
  EncryptionKey,
  type EncryptionKeyProps,
  EtlFunction,
  type EtlFunctionProps,
  FunctionLayer,
  type FunctionLayerProps,
  type FunctionRuntime,
  GlueConnection,
  type GlueConnectionProps,
  GlueCrawler,
  type GlueCrawlerProps,
  GlueSecurityConfiguration,
  type GlueSecurityConfigurationProps,
  GlueSparkJob,
  type GlueSparkJobProps,
  GlueWorkflow,
  type GlueWorkflowProps,
  type CrawlNodeProps,
  type IRole,
  type JobNodeProps,
  NotificationsTopic,
  type NotificationsTopicProps,
  PipelineAlarms,
  type PipelineAlarmsProps,
  PipelineDashboard,
  type PipelineDashboardProps,
  PipelineSchedule,
  type PipelineScheduleProps,
  RunLock,
  type RunLockProps,
  ServiceRole,
  type ServiceRoleProps,
  WorkflowNode,
  ZoneBucket,
  type ZoneBucketProps,
} from "../../../index";
import { packLayer } from "../../../modules/etl-function/layer-archive";
import { type ResourcePolicyStatement } from "../../../modules/iam/policy-statement";
import { ROOT } from "../../support/clone";
import { DATABASE, KEY_ARN, place } from "../../support/places";
import { judge, unjudged } from "../../support/judged-props";
import { Changes, droppedProps, synth } from "../../support/synth";

/**
 * Every prop of every construct reaches what is synthesised: taking it away or changing it changes the output, where it can be
 * read back. The last test holds the cases against the types: a new prop, or a new construct, without a case fails. Steps and
 * their orchestrator, and patterns, are in files of their own.
 */

const folder = mkdtempSync(join(tmpdir(), "etl-props-"));
for (const name of ["one", "two"]) {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "__init__.py"), `NAME = "${name}"\n`);
  writeFileSync(join(folder, `${name}.py`), `print("${name}")\n`);
}
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const machine = (name: string) => stateMachineRun({ name, account: "000000000000", region: "eu-west-1" });
const HERE = { account: "000000000000", region: "eu-west-1", tags: { team: "data" } };
const THERE = { account: "111122223333", region: "cn-north-1", tags: { team: "shop" } };
const OTHER_KEY = KEY_ARN.replace(/1/g, "9");
const ONE = place("one", "x/", KEY_ARN);
const TWO = place("two", "y/", OTHER_KEY);

test("ServiceRole", () => {
  const sets: [Required<ServiceRoleProps>, Required<ServiceRoleProps>] = [
    {
      name: "one",
      service: "glue.amazonaws.com",
      description: "One",
      trustConditions: { StringEquals: { "aws:SourceAccount": HERE.account } },
      permissionsBoundaryArn: "arn:aws:iam::000000000000:policy/one",
      tags: HERE.tags,
    },
    {
      name: "two",
      service: "states.amazonaws.com",
      description: "Two",
      trustConditions: { StringEquals: { "aws:SourceAccount": THERE.account } },
      permissionsBoundaryArn: "arn:aws:iam::000000000000:policy/two",
      tags: THERE.tags,
    },
  ];
  const build = (stack: TerraformStack, props: ServiceRoleProps): void =>
    new ServiceRole(stack, "Role", props).addToPolicy({
      actions: ["s3:GetObject"],
      resources: ["arn:aws:s3:::x"],
    });
  judge("ServiceRoleProps", () => sets, build);
});

test("EncryptionKey", () => {
  const sets: [Required<EncryptionKeyProps>, Required<EncryptionKeyProps>] = [
    { ...HERE, name: "one", description: "One", retain: false, deletionWindowDays: 7 },
    { ...THERE, name: "two", description: "Two", retain: true, deletionWindowDays: 8 },
  ];
  const build = (stack: TerraformStack, props: EncryptionKeyProps) => new EncryptionKey(stack, "Key", props);
  judge("EncryptionKeyProps", () => sets, build, {
    becomes: { region: "arn:aws:iam", retain: "!prevent_destroy" },
  });
});

test("DataLake", () => {
  const sets: [Required<DataLakeProps>, Required<DataLakeProps>] = [
    {
      ...HERE,
      namePrefix: "one",
      databasePrefix: "one",
      encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN),
      retainData: false,
      allowDataDestruction: true,
      noncurrentVersionDays: 1,
      queryResultDays: 2,
      accessLogDays: 3,
      refusedDays: 7,
    },
    {
      ...THERE,
      namePrefix: "two",
      databasePrefix: "two",
      encryptionKey: EncryptionKey.fromKeyArn(OTHER_KEY),
      retainData: true,
      allowDataDestruction: false,
      noncurrentVersionDays: 4,
      queryResultDays: 5,
      accessLogDays: 6,
      refusedDays: 8,
    },
  ];
  const build = (stack: TerraformStack, props: DataLakeProps) => new DataLake(stack, "Lake", props);
  judge("DataLakeProps", () => sets, build, {
    becomes: { encryptionKey: KEY_ARN, retainData: "!prevent_destroy", databasePrefix: "one_raw" },
  });
});

test("GlueConnection", () => {
  const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:000000000000:secret:${name}-a1B2c3`;
  const sets: [Required<GlueConnectionProps>, Required<GlueConnectionProps>] = [
    {
      region: HERE.region,
      tags: HERE.tags,
      name: "one",
      description: "One",
      engine: "mysql",
      host: "one.example",
      port: 1001,
      database: "shop_one",
      options: { applicationName: "etl-one" },
      tls: true,
      allowUnencrypted: true,
      certificate: { location: place("certificates-one", "one.pem") },
      secretArn: secret("one"),
      secretKeyArn: KEY_ARN,
      subnetId: "subnet-0a1b2c3d",
      availabilityZone: "eu-west-1a",
      vpcId: "vpc-0a1b2c3d",
      securityGroupIds: ["sg-0a1b2c3d"],
    },
    {
      region: THERE.region,
      tags: THERE.tags,
      name: "two",
      description: "Two",
      engine: "postgresql",
      host: "two.example",
      port: 1002,
      database: "shop_two",
      options: { ApplicationName: "etl-two" },
      tls: false,
      allowUnencrypted: false,
      certificate: { location: place("certificates-two", "two.pem") },
      secretArn: secret("two"),
      secretKeyArn: OTHER_KEY,
      subnetId: "subnet-1a1b2c3d",
      availabilityZone: "eu-west-1b",
      vpcId: "vpc-1a1b2c3d",
      securityGroupIds: ["sg-1a1b2c3d"],
    },
  ];
  // A group is made or given.
  const without = (left: keyof GlueConnectionProps, change: Partial<GlueConnectionProps> = {}) =>
    sets.map((set) => ({ ...set, ...change, [left]: undefined })) as unknown as typeof sets;
  const job = (stack: TerraformStack, props: GlueConnectionProps) =>
    new GlueSparkJob(stack, "Job", {
      ...HERE,
      name: "job",
      script: join(folder, "one.py"),
      artifacts: ONE,
      inputs: [],
      outputs: [TWO],
      connections: [new GlueConnection(stack, "Connection", props)],
      capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
    });
  const names = Object.keys(sets[0]) as (keyof GlueConnectionProps)[];
  judge("GlueConnectionProps", () => without("vpcId"), job, {
    only: names.filter((name) => !["vpcId", "tls", "allowUnencrypted"].includes(name)),
    becomes: { engine: "jdbc:mysql:", options: "applicationName=etl-one" },
    refuses: ["region"],
  });
  judge("GlueConnectionProps", () => without("securityGroupIds"), job, { only: ["vpcId"] });
  const plain = { certificate: undefined, securityGroupIds: undefined, tls: false, allowUnencrypted: true };
  const encrypted = () =>
    [
      { ...sets[0], ...plain },
      { ...sets[0], ...plain, tls: true, allowUnencrypted: false },
    ] as unknown as typeof sets;
  judge("GlueConnectionProps", encrypted, job, {
    only: ["tls", "allowUnencrypted"],
    becomes: { tls: "DISABLED" },
    refuses: ["allowUnencrypted"],
  });
});

test("GlueCrawler", () => {
  type Props = Omit<Required<GlueCrawlerProps>, "recrawl">;
  const sets = (stack: TerraformStack): [Props, Props] => [
    {
      ...HERE,
      name: "one",
      description: "One",
      target: ONE,
      database: DATABASE,
      exclusions: ["**.one"],
      tablePrefix: "one_",
      grouping: { combineCompatibleSchemas: false, tableLevel: 2 },
      schemaChange: { update: "LOG", delete: "DEPRECATE_IN_DATABASE" },
      role: role(stack, "one"),
    },
    {
      ...THERE,
      name: "two",
      description: "Two",
      target: TWO,
      database: { name: "two", arn: "arn:two", catalogArn: "arn:catalog" },
      exclusions: ["**.two"],
      tablePrefix: "two_",
      grouping: { combineCompatibleSchemas: true, tableLevel: 3 },
      schemaChange: { update: "UPDATE_IN_DATABASE", delete: "DELETE_FROM_DATABASE" },
      role: role(stack, "two"),
    },
  ];
  const build = (stack: TerraformStack, props: GlueCrawlerProps) => new GlueCrawler(stack, "Crawler", props);
  judge("GlueCrawlerProps", sets, build, {
    within: ["target", "database", "grouping", "schemaChange"],
    becomes: { role: "arn:one" },
  });
  // It takes a schema change of its own.
  const recrawl = (stack: TerraformStack): [GlueCrawlerProps, GlueCrawlerProps] => {
    const [full, other] = sets(stack);
    const schemaChange = { update: "LOG", delete: "LOG" } as const;
    return [
      { ...full, schemaChange, recrawl: "CRAWL_NEW_FOLDERS_ONLY" },
      { ...other, schemaChange: {}, recrawl: "CRAWL_EVERYTHING" },
    ];
  };
  judge("GlueCrawlerProps", recrawl, build, { only: ["recrawl"] });
});

test("GlueSparkJob", () => {
  type Props = Omit<Required<GlueSparkJobProps>, "jobRunQueuingEnabled" | "icebergTables">;
  const sets = (stack: TerraformStack): [Props, Props] => [
    {
      ...HERE,
      name: "one",
      description: "One",
      script: join(folder, "one.py"),
      modules: join(folder, "one"),
      files: [file(stack, "one")],
      artifacts: place("artifacts", "z/", KEY_ARN.replace(/1/g, "7")),
      temporary: place("short-lived", "one/"),
      inputs: [place("inputs-one", "x/")],
      outputs: [place("outputs-one", "x/")],
      arguments: { a: "1" },
      sparkConf: { "spark.x": "one" },
      pythonModules: ["pack-one==1.0"],
      pythonInstaller: { indexUrl: "https://index-one.example/", noDependencies: true },
      jars: ["s3://code/one.jar"],
      extraFiles: ["s3://code/one.json"],
      connections: [
        {
          connectionName: "connection-one",
          subnetId: "subnet-one",
          secretArn: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:one",
          secretKeyArn: KEY_ARN,
          certificate: { location: place("certificates-one", "one.pem") },
          dependencies: [],
        },
      ],
      capacity: { kind: "autoScaling", workerType: "G.1X", maxWorkers: 3 },
      glueVersion: "6.0",
      timeoutMinutes: 1,
      executionClass: "FLEX",
      securityConfiguration: {
        configurationName: "conf-one",
        encryptionKey: { keyArn: KEY_ARN },
        dependencies: [],
      },
      icebergTable: {
        database: "db_one",
        name: "one",
        location: place("outputs-one", "x/"),
        writeMode: "merge",
        orderColumn: "at_one",
      },
      maxConcurrentRuns: 2,
      logRetentionDays: 1,
      role: role(stack, "one"),
    },
    {
      ...THERE,
      name: "two",
      description: "Two",
      script: join(folder, "two.py"),
      modules: join(folder, "two"),
      files: [file(stack, "two")],
      artifacts: TWO,
      temporary: place("shorter-lived", "two/"),
      inputs: [place("inputs-two", "y/")],
      outputs: [place("outputs-two", "y/")],
      arguments: { a: "2" },
      sparkConf: { "spark.x": "two" },
      pythonModules: ["pack-two==2.0"],
      pythonInstaller: { indexUrl: "https://index-two.example/", noDependencies: false },
      jars: ["s3://code/two.jar"],
      extraFiles: ["s3://code/two.json"],
      connections: [
        {
          connectionName: "connection-two",
          subnetId: "subnet-two",
          secretArn: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:two",
          secretKeyArn: OTHER_KEY,
          certificate: { location: place("certificates-two", "two.pem") },
          dependencies: [],
        },
      ],
      capacity: { kind: "fixed", workerType: "G.1X", workers: 3 },
      glueVersion: "5.1",
      timeoutMinutes: 2,
      executionClass: "STANDARD",
      securityConfiguration: {
        configurationName: "conf-two",
        encryptionKey: { keyArn: OTHER_KEY },
        dependencies: [],
      },
      icebergTable: {
        database: "db_two",
        name: "two",
        location: place("outputs-two", "y/"),
        writeMode: "merge",
        orderColumn: "at_two",
      },
      maxConcurrentRuns: 3,
      logRetentionDays: 3,
      role: role(stack, "two"),
    },
  ];
  const build = (stack: TerraformStack, props: GlueSparkJobProps) => new GlueSparkJob(stack, "Job", props);
  judge("GlueSparkJobProps", sets, build, {
    within: ["artifacts", "arguments", "sparkConf", "pythonInstaller"],
    becomes: {
      script: "one.py",
      sparkConf: "spark.x=one",
      modules: "one.zip",
      files: "files-one",
      role: "arn:one",
      capacity: "--enable-auto-scaling",
    },
  });
  // FLEX does not take it.
  const queuing = (stack: TerraformStack): [GlueSparkJobProps, GlueSparkJobProps] => {
    const [full, other] = sets(stack);
    return [
      { ...full, executionClass: "STANDARD", jobRunQueuingEnabled: true },
      { ...other, jobRunQueuingEnabled: false },
    ];
  };
  judge("GlueSparkJobProps", queuing, build, { only: ["jobRunQueuingEnabled"] });
  // Not together with the one table.
  const tables = (name: string, prefix: string) => ({
    icebergTable: undefined,
    icebergTables: {
      warehouse: place(`outputs-${name}`, prefix),
      reads: [{ database: `read-${name}`, name }],
      writes: [{ database: `written-${name}`, name }],
    },
  });
  const several = (stack: TerraformStack): [GlueSparkJobProps, GlueSparkJobProps] => {
    const [full, other] = sets(stack);
    return [
      { ...full, ...tables("one", "x/") },
      { ...other, ...tables("two", "y/") },
    ];
  };
  judge("GlueSparkJobProps", several, build, { only: ["icebergTables"], within: ["icebergTables"] });
});

test("EtlFunction", () => {
  const alerts = (topicArn: string) => ({ topicArn, allowPublishFromAlarms: () => undefined });
  const layer = (name: string) => ({
    layerArn: `arn:aws:lambda:eu-west-1:000000000000:layer:${name}:1`,
    runtimes: ["python3.11", "python3.12"] as const,
    architectures: ["x86_64", "arm64"] as const,
    unzippedBytes: 1,
  });
  for (const name of ["one", "two"]) {
    mkdirSync(join(folder, `code-${name}`), { recursive: true });
    for (const file of ["a.py", "b.py"])
      writeFileSync(join(folder, `code-${name}`, file), "def handler(event, context): ...\n");
  }
  const sets = (stack: TerraformStack): [Required<EtlFunctionProps>, Required<EtlFunctionProps>] => [
    {
      ...HERE,
      name: "one",
      description: "One",
      handler: "a.handler",
      folder: join(folder, "code-one"),
      packages: [join(folder, "one")],
      artifacts: ONE,
      runtime: "python3.12",
      architecture: "arm64",
      layers: [layer("one")],
      memoryMegabytes: 129,
      timeoutSeconds: 11,
      temporaryStorageMegabytes: 513,
      environment: { PLACE: "one" },
      reservedConcurrency: 31,
      asynchronous: { retries: 0, maximumAgeSeconds: 61 },
      alarms: { alerts: alerts("arn:one"), runbookUrl: "https://one.example.com/", actionsEnabled: false },
      vpc: { subnetIds: ["subnet-one"], securityGroupIds: ["sg-one"] },
      encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN),
      tracing: true,
      logRetentionDays: 1,
      role: role(stack, "one"),
    },
    {
      ...THERE,
      name: "two",
      description: "Two",
      handler: "b.handler",
      folder: join(folder, "code-two"),
      packages: [join(folder, "two")],
      artifacts: TWO,
      runtime: "python3.11",
      architecture: "x86_64",
      layers: [layer("two")],
      memoryMegabytes: 130,
      timeoutSeconds: 12,
      temporaryStorageMegabytes: 514,
      environment: { PLACE: "two" },
      reservedConcurrency: 32,
      asynchronous: { retries: 1, maximumAgeSeconds: 62 },
      alarms: { alerts: alerts("arn:two"), runbookUrl: "https://two.example.com/", actionsEnabled: true },
      vpc: { subnetIds: ["subnet-two"], securityGroupIds: ["sg-two"] },
      encryptionKey: EncryptionKey.fromKeyArn(OTHER_KEY),
      tracing: false,
      logRetentionDays: 3,
      role: role(stack, "two"),
    },
  ];
  const build = (stack: TerraformStack, props: EtlFunctionProps) => new EtlFunction(stack, "Function", props);
  // The content of packages is seen as the hash in the key.
  const { key } = synth((stack) => build(stack, sets(stack)[0])).at("Function/Code/Resource") as {
    key: string;
  };
  judge("EtlFunctionProps", sets, build, {
    within: ["asynchronous", "alarms", "vpc"],
    becomes: {
      folder: "code-one.zip",
      packages: key.split("/").at(-2)!,
      layers: "layer:one:1",
      alarms: "arn:one",
      encryptionKey: KEY_ARN,
      tracing: "Active",
      role: "arn:one",
    },
  });
});

test("FunctionLayer", () => {
  const zip = (name: string, runtime: FunctionRuntime): string => {
    const file = join(folder, `${name}.zip`);
    const record = { runtime, architecture: "x86_64", packages: [], unzippedBytes: 0 } as const;
    writeFileSync(file, packLayer(new Map(), record));
    return file;
  };
  const sets: [Required<FunctionLayerProps>, Required<FunctionLayerProps>] = [
    { name: "one", description: "One", file: zip("one", "python3.11"), artifacts: ONE },
    { name: "two", description: "Two", file: zip("two", "python3.12"), artifacts: TWO },
  ];
  const build = (stack: TerraformStack, props: FunctionLayerProps) =>
    new FunctionLayer(stack, "Layer", props);
  judge("FunctionLayerProps", () => sets, build, { becomes: { file: "python3.11" } });
});

test("GlueSecurityConfiguration", () => {
  const key = (stack: TerraformStack, name: string) =>
    new EncryptionKey(stack, `Key-${name}`, { account: HERE.account, region: "eu-west-2", name });
  const sets = (stack: TerraformStack): [GlueSecurityConfigurationProps, GlueSecurityConfigurationProps] => [
    { name: "one", encryptionKey: key(stack, "one"), account: HERE.account, region: HERE.region },
    { name: "two", encryptionKey: key(stack, "two"), account: THERE.account, region: THERE.region },
  ];
  const build = (stack: TerraformStack, props: GlueSecurityConfigurationProps) =>
    new GlueSecurityConfiguration(stack, "Security", props);
  judge("GlueSecurityConfigurationProps", sets, build, {
    becomes: { name: '"name": "one-', encryptionKey: "Key-one" },
  });
});

test("ArtifactFile", () => {
  const sets: [Required<ArtifactFileProps>, Required<ArtifactFileProps>] = [
    { source: join(folder, "one.py"), artifacts: ONE, prefix: "one/" },
    { source: join(folder, "two.py"), artifacts: TWO, prefix: "two/" },
  ];
  const build = (stack: TerraformStack, props: ArtifactFileProps) => new ArtifactFile(stack, "File", props);
  judge("ArtifactFileProps", () => sets, build, { becomes: { source: "one.py" } });
});

test("NotificationsTopic", () => {
  const sets: [Required<NotificationsTopicProps>, Required<NotificationsTopicProps>] = [
    { ...HERE, name: "one", encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN) },
    { ...THERE, name: "two", encryptionKey: EncryptionKey.fromKeyArn(OTHER_KEY) },
  ];
  const build = (stack: TerraformStack, props: NotificationsTopicProps): void =>
    new NotificationsTopic(stack, "Topic", props).grantPublish(role(stack, "publisher"));
  judge("NotificationsTopicProps", () => sets, build, { becomes: { encryptionKey: KEY_ARN } });
});

test("PipelineAlarms", () => {
  const alerts = (topicArn: string) => ({ topicArn, allowPublishFromAlarms: () => undefined });
  const sets: [Required<PipelineAlarmsProps>, Required<PipelineAlarmsProps>] = [
    {
      ...HERE,
      name: "one",
      pipeline: "events",
      environment: "dev",
      run: machine("one"),
      crawlStateMachineName: "one-crawl",
      alerts: alerts("arn:one"),
      usualMinutes: 10,
      slowFactor: 3,
      quarantineSharePercent: 20,
      minimumRows: 2,
      minimumOf: "read",
      hasSources: true,
      missedRun: { longestGapMinutes: 1_440, graceMinutes: 120 },
      deadLetterQueueName: "one-dead-letters",
      runbookUrl: "https://one.example.com/",
      actionsEnabled: false,
    },
    {
      ...THERE,
      name: "two",
      pipeline: "orders",
      environment: "prod",
      run: machine("two"),
      crawlStateMachineName: "two-crawl",
      alerts: alerts("arn:two"),
      usualMinutes: 11,
      slowFactor: 4,
      quarantineSharePercent: 30,
      minimumRows: 3,
      minimumOf: "written",
      hasSources: false,
      missedRun: { longestGapMinutes: 2_880, graceMinutes: 240 },
      deadLetterQueueName: "two-dead-letters",
      runbookUrl: "https://two.example.com/",
      actionsEnabled: true,
    },
  ];
  const build = (stack: TerraformStack, props: PipelineAlarmsProps) =>
    new PipelineAlarms(stack, "Alarms", props);
  judge("PipelineAlarmsProps", () => sets, build, {
    within: ["missedRun"],
    becomes: {
      missedRun: '"evaluation_periods": 26',
      hasSources: "source-missing",
      minimumOf: "RowsRead",
    },
  });
});

test("AthenaWorkgroup", () => {
  const sets: [Required<AthenaWorkgroupProps>, Required<AthenaWorkgroupProps>] = [
    {
      ...HERE,
      ...{ name: "one", description: "One", results: ONE, scanLimitBytes: 20_000_000 },
      ...{ forceDestroy: true, allowDataDestruction: true },
    },
    {
      ...THERE,
      ...{ name: "two", description: "Two", results: TWO, scanLimitBytes: 30_000_000 },
      ...{ forceDestroy: false, allowDataDestruction: false },
    },
  ];
  const build = (stack: TerraformStack, props: AthenaWorkgroupProps): void => {
    const workgroup = new AthenaWorkgroup(stack, "Workgroup", props);
    workgroup.grantResults(role(stack, "analyst"));
    new TerraformOutput(stack, "arn", { value: workgroup.workgroupArn });
  };
  judge("AthenaWorkgroupProps", () => sets, build);
});

test("RunLock", () => {
  const sets: [Required<RunLockProps>, Required<RunLockProps>] = [
    { ...HERE, name: "one" },
    { ...THERE, name: "two" },
  ];
  const build = (stack: TerraformStack, props: RunLockProps): void =>
    new RunLock(stack, "Locks", props).grantFence(role(stack, "job"), "events");
  judge("RunLockProps", () => sets, build);
});

test("CatalogTable", () => {
  type Projected = Required<Omit<CatalogTableProps, "partitionKeys">>;
  const sets: [Projected, Projected] = [
    {
      name: "one",
      description: "One",
      database: { name: "one", catalogArn: `arn:aws:glue:eu-west-1:${HERE.account}:catalog` },
      location: ONE,
      columns: [{ name: "a", type: "string", comment: "One" }],
      partition: { name: "day", from: "2010-12-01" },
    },
    {
      name: "two",
      description: "Two",
      database: { name: "two", catalogArn: `arn:aws:glue:eu-west-1:${THERE.account}:catalog` },
      location: TWO,
      columns: [{ name: "a", type: "string", comment: "Two" }],
      partition: { name: "date", from: "2010-12-02" },
    },
  ];
  const build = (stack: TerraformStack, props: CatalogTableProps) => new CatalogTable(stack, "Table", props);
  judge<CatalogTableProps>("CatalogTableProps", () => sets, build, { within: ["database", "partition"] });
  // A table's partitions are either projected or registered.
  type Registered = Required<Omit<CatalogTableProps, "partition">>;
  const registered = (
    { name: table, description, database, location, columns }: Projected,
    name: string,
  ): Registered => ({
    ...{ name: table, description, database, location, columns },
    partitionKeys: [{ name, type: "string", comment: `The ${name}` }],
  });
  const keyed: [Registered, Registered] = [registered(sets[0], "day"), registered(sets[1], "region")];
  judge<CatalogTableProps>("CatalogTableProps", () => keyed, build, { only: ["partitionKeys"] });
});

test("CatalogView", () => {
  const sets: [Required<CatalogViewProps>, Required<CatalogViewProps>] = [
    {
      name: "one",
      description: "One",
      database: { name: "one" },
      sql: "SELECT a FROM one",
      columns: [{ name: "a", type: "string" }],
    },
    {
      name: "two",
      description: "Two",
      database: { name: "two" },
      sql: "SELECT b FROM two",
      columns: [{ name: "b", type: "bigint" }],
    },
  ];
  const build = (stack: TerraformStack, props: CatalogViewProps) => new CatalogView(stack, "View", props);
  judge<CatalogViewProps>("CatalogViewProps", () => sets, build, { within: ["database"] });
});

test("PipelineDashboard", () => {
  // A dashboard has no tags.
  const here = { region: HERE.region };
  const there = { region: THERE.region };
  const one = { pipeline: "one", run: machine("one-machine"), jobName: "one-job", maxDpuHoursPerRun: 11 };
  const two = { pipeline: "two", run: machine("two-machine"), jobName: "two-job", maxDpuHoursPerRun: 22 };
  const sets: [Required<PipelineDashboardProps>, Required<PipelineDashboardProps>] = [
    { ...here, name: "one", pipelines: [one], workgroupName: "one-workgroup" },
    { ...there, name: "two", pipelines: [two], workgroupName: "two-workgroup" },
  ];
  const build = (stack: TerraformStack, props: PipelineDashboardProps) =>
    new PipelineDashboard(stack, "Dashboard", props);
  judge("PipelineDashboardProps", () => sets, build);
});

test("PipelineSchedule", () => {
  const sets: [Required<PipelineScheduleProps>, Required<PipelineScheduleProps>] = [
    {
      ...HERE,
      name: "one",
      run: machine("one"),
      expression: "cron(0 4 * * ? *)",
      timeZone: "Europe/Berlin",
      enabled: false,
      start: "2030-01-01T00:00:00Z",
      end: "2031-01-01T00:00:00Z",
      retryAttempts: 1,
      retrySeconds: 60,
      flexibleMinutes: 1,
      description: "One",
    },
    {
      ...THERE,
      name: "two",
      run: machine("two"),
      expression: "rate(6 hours)",
      timeZone: "Asia/Shanghai",
      enabled: true,
      start: "2030-02-01T00:00:00Z",
      end: "2031-02-01T00:00:00Z",
      retryAttempts: 2,
      retrySeconds: 120,
      flexibleMinutes: 2,
      description: "Two",
    },
  ];
  const build = (stack: TerraformStack, props: PipelineScheduleProps) =>
    new PipelineSchedule(stack, "Schedule", props);
  judge("PipelineScheduleProps", () => sets, build, { becomes: { enabled: "DISABLED" } });
});

test("ZoneBucket", () => {
  type Props = Required<ZoneBucketProps>;
  const guard = (bucketArn: string, sid: string): ResourcePolicyStatement => ({
    sid,
    effect: "Deny",
    principal: "*",
    actions: ["s3:PutObject"],
    resources: [bucketArn],
  });
  const logs = (stack: TerraformStack, name: string) =>
    new ZoneBucket(stack, `Logs-${name}`, { name, retainData: true, noncurrentVersionDays: 9 });
  const sets = (stack: TerraformStack): [Props, Props] => [
    {
      name: "one",
      encryptionKeyArn: KEY_ARN,
      accessLogs: logs(stack, "log-one"),
      retainData: true,
      noncurrentVersionDays: 11,
      expirationDays: 12,
      temporaryPrefix: "one/",
      expiringPrefixes: { "three/": 13 },
      statements: (arn) => [guard(arn, "One")],
      tags: HERE.tags,
    },
    {
      name: "two",
      encryptionKeyArn: OTHER_KEY,
      accessLogs: logs(stack, "log-two"),
      retainData: false,
      noncurrentVersionDays: 21,
      expirationDays: 22,
      temporaryPrefix: "two/",
      expiringPrefixes: { "four/": 23 },
      statements: (arn) => [guard(arn, "Two")],
      tags: THERE.tags,
    },
  ];
  const build = (stack: TerraformStack, props: ZoneBucketProps) => new ZoneBucket(stack, "Bucket", props);
  const becomes = { accessLogs: "Logs-log-one", retainData: "prevent_destroy", statements: "One" };
  judge("ZoneBucketProps", sets, build, { becomes });
});

test("DataQuality", () => {
  const rulesFile = (name: string, rule: object): string => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ threshold: 80, rules: [rule] }));
    return file;
  };
  const few = { name: "few", type: "quarantineLimit", reason: "malformed", atMost: 0.5, action: "warn" };
  const events = join(ROOT, "pipelines", "events", "events.schema.json");
  // A contract is what rules are refused by, and nothing else.
  const broken = join(folder, "one.py");
  const sets: [Required<DataQualityProps>, Required<DataQualityProps>] = [
    {
      rulesFile: rulesFile("rules-one", few),
      contractFile: events,
      table: { database: "processed_one", name: "rows_one" },
      quarantineTable: { database: "quarantine_one", name: "refused_one" },
      partitionColumn: "day",
    },
    {
      rulesFile: rulesFile("rules-two", { ...few, atMost: 0.6 }),
      contractFile: broken,
      table: { database: "processed_two", name: "rows_two" },
      quarantineTable: { database: "quarantine_two", name: "refused_two" },
      partitionColumn: "date",
    },
  ];
  const build = (stack: TerraformStack, props: DataQualityProps): void => {
    const { query } = new DataQuality(stack, "Quality", props);
    new TerraformOutput(stack, "query", { value: query.sql });
  };
  judge("DataQualityProps", () => sets, build, {
    becomes: { rulesFile: "500000" },
    refuses: ["contractFile"],
  });
});

test("ContractPlan", () => {
  const customers = join(ROOT, "pipelines", "customers", "customers.schema.json");
  const contract = join(folder, "people.schema.json");
  copyFileSync(customers, contract);
  const rulesFile = (threshold: number): string => {
    const file = join(folder, `rules-${threshold}.json`);
    const rule = { name: "any", type: "rowCount", atLeast: 1, action: "warn" };
    writeFileSync(file, JSON.stringify({ threshold, rules: [rule] }));
    return file;
  };
  const sets: [Required<ContractPlanProps>, Required<ContractPlanProps>] = [
    { contractFile: contract, rulesFile: rulesFile(70), artifacts: ONE, prefix: "one/" },
    { contractFile: customers, rulesFile: rulesFile(80), artifacts: TWO, prefix: "two/" },
  ];
  const build = (stack: TerraformStack, props: ContractPlanProps) => new ContractPlan(stack, "Plan", props);
  // The content of the files is seen as the hash in the key.
  const { key } = synth((stack) => build(stack, sets[0])).at("Plan/Text/Resource") as { key: string };
  judge("ContractPlanProps", () => sets, build, {
    becomes: { contractFile: "people.plan.json", rulesFile: key.split("/").at(-2)! },
  });
});

describe("GlueWorkflow", () => {
  const build = (stack: TerraformStack, props: GlueWorkflowProps) =>
    new GlueWorkflow(stack, "Workflow", props).grantWatchRuns(role(stack, "watcher"));
  const job = (name: string) => WorkflowNode.runJob("Job", { jobName: `job-${name}`, timeoutMinutes: 5 });
  const crawl = (name: string) =>
    WorkflowNode.crawl("Crawl", { crawlerName: `crawler-${name}`, mayFail: true });
  const workflow = (name: string): Pick<GlueWorkflowProps, "name" | "nodes" | "triggers"> => ({
    name,
    nodes: [crawl(name), job(name)],
    triggers: [
      { name: `start-${name}`, starts: ["Crawl"] },
      { name: `job-trigger-${name}`, after: ["Crawl"], starts: ["Job"] },
    ],
  });

  test("GlueWorkflow", () => {
    const sets: [Required<GlueWorkflowProps>, Required<GlueWorkflowProps>] = [
      {
        ...HERE,
        ...workflow("one"),
        schedule: { cron: "cron(0 1 * * ? *)", timeZone: "UTC", enabled: true },
        onCrawl: "succeeded",
        description: "One",
      },
      {
        ...THERE,
        ...workflow("two"),
        schedule: { cron: "cron(0 2 * * ? *)", timeZone: "Asia/Kolkata", enabled: false },
        onCrawl: "ended",
        description: "Two",
      },
    ];
    judge("GlueWorkflowProps", () => sets, build, {
      becomes: { region: "arn:aws:glue", schedule: "cron(0 1 * * ? *)", onCrawl: "!CANCELLED" },
    });
  });

  test("its nodes", () => {
    const crawls: [Required<CrawlNodeProps>, Required<CrawlNodeProps>] = [
      { crawlerName: "one", mayFail: true },
      { crawlerName: "two", mayFail: false },
    ];
    const withCrawl = (stack: TerraformStack, props: CrawlNodeProps) =>
      build(stack, { ...HERE, ...workflow("w"), nodes: [WorkflowNode.crawl("Crawl", props), job("w")] });
    judge("CrawlNodeProps", () => crawls, withCrawl, { becomes: { mayFail: "CANCELLED" } });
    const jobs: [Required<JobNodeProps>, Required<JobNodeProps>] = [
      { jobName: "one", timeoutMinutes: 11, arguments: { mode: "one" } },
      { jobName: "two", timeoutMinutes: 22, arguments: { mode: "two" } },
    ];
    const withJob = (stack: TerraformStack, props: JobNodeProps) =>
      build(stack, { ...HERE, ...workflow("w"), nodes: [crawl("w"), WorkflowNode.runJob("Job", props)] });
    judge("JobNodeProps", () => jobs, withJob, { becomes: { jobName: '"job_name": "one"' } });
  });
});

test("a prop that is dropped is found, and so is one within another", () => {
  type PickedProps = Pick<AthenaWorkgroupProps, "name" | "results">;
  const sets: [PickedProps, PickedProps] = [
    { name: "one", results: ONE },
    { name: "two", results: TWO },
  ];
  const build = (stack: TerraformStack) =>
    new AthenaWorkgroup(stack, "Workgroup", {
      ...HERE,
      name: "same",
      results: ONE,
      scanLimitBytes: 20_000_000,
    });
  expect(droppedProps(new Changes(() => sets, build), { within: ["results"] })).toEqual([
    "name",
    "results",
    "results.bucketName",
    "results.bucketArn",
    "results.prefix",
    "results.encryptionKeyArn",
  ]);
});

function role(stack: TerraformStack, name: string): IRole {
  const brought = ServiceRole.fromRoleAttributes(stack, `Role-${name}`, {
    roleName: name,
    roleArn: `arn:${name}`,
  });
  // Something of its own, so that it is complete when nobody is given it.
  brought.addToPolicy({ actions: ["sts:GetCallerIdentity"], resources: ["*"] });
  return brought;
}

function file(stack: TerraformStack, name: string): ArtifactFile {
  const source = join(folder, `${name}.py`);
  return new ArtifactFile(stack, `File-${name}`, {
    source,
    artifacts: place(`files-${name}`, "x/"),
    prefix: "files/",
  });
}

test("every public props type has a case that names all its props", () => {
  expect(
    unjudged(
      (type) =>
        !/(Step|Orchestrator|Messenger|Platform|ContractPipeline|ModelPipeline|IngestJob|Watcher|Extract|Arrival)Props$/.test(
          type,
        ),
    ),
  ).toEqual([]);
});
