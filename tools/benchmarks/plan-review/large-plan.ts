/** The ways in which a plan of many pipelines can change. */
export type Kind = "created" | "updated" | "destroyed";

interface One {
  readonly type: string;
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** The values after an update; the same ones if it does not change. */
  readonly after?: Readonly<Record<string, unknown>>;
}

const ACCOUNT = "111122223333";
const REGION = "eu-west-1";
const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const ADDED = "s3:DeleteObject";

/** A plan in which every pipeline changes: `pipelines` times 50 resources, as `terraform show -json` writes it. */
export function largePlan(pipelines: number, kind: Kind): string {
  const all = Array.from({ length: pipelines }, (_, index) => pipeline(`Shop${index + 1}`)).flat();
  const changed = [...all.map((one) => changeOf(one, kind)), ...shared()];
  return JSON.stringify({
    format_version: "1.2",
    terraform_version: "1.14.0",
    resource_changes: changed,
    complete: true,
    errored: false,
    configuration: {
      provider_config: {
        aws: { name: "aws", expressions: { allowed_account_ids: { constant_value: [ACCOUNT] } } },
      },
      root_module: {
        resources:
          kind === "destroyed" ? [] : all.map(({ type, name, values }) => configured(type, name, values)),
      },
    },
  });
}

function changeOf({ type, name, values, after }: One, kind: Kind): object {
  const isUpdate = kind === "updated";
  const is = isUpdate ? (after ?? values) : values;
  const actions = isUpdate
    ? [after === undefined ? "no-op" : "update"]
    : [kind === "created" ? "create" : "delete"];
  return {
    ...{ address: `${type}.${name}`, mode: "managed", type, name },
    provider_name: "registry.terraform.io/hashicorp/aws",
    change: {
      actions,
      before: kind === "created" ? null : { arn: arn("x", name), id: name, ...values },
      after: kind === "destroyed" ? null : { arn: arn("x", name), id: name, ...is },
      ...{ after_unknown: {}, before_sensitive: {}, after_sensitive: {} },
    },
  };
}

const configured = (type: string, name: string, values: object): object => ({
  ...{ address: `${type}.${name}`, mode: "managed", type, name },
  expressions: Object.fromEntries(
    Object.entries(values).map(([field, value]) => [field, { constant_value: value as unknown }]),
  ),
});

/** The lake that all pipelines share; it stays as it is. */
const shared = (): object[] =>
  ["raw", "processed", "curated"].map((zone) => {
    const values = {
      bucket: `shop-${zone}`,
      id: `shop-${zone}`,
      arn: `arn:aws:s3:::shop-${zone}`,
      force_destroy: false,
    };
    return {
      ...{
        address: `aws_s3_bucket.Lake_${zone}_0A1B2C3D`,
        mode: "managed",
        type: "aws_s3_bucket",
        name: `Lake_${zone}_0A1B2C3D`,
      },
      change: { actions: ["no-op"], before: values, after: values, after_unknown: {} },
    };
  });

const repeat = (times: number, make: (place: number) => One): One[] =>
  Array.from({ length: times }, (_, place) => make(place));

function pipeline(id: string): One[] {
  const name = id.toLowerCase();
  const one = (type: string, part: string, values: One["values"], after?: One["after"]): One => ({
    ...{ type, name: `${id}_${part}_0A1B2C3D`, values },
    ...(after === undefined ? {} : { after: { ...values, ...after } }),
  });
  return [
    one("aws_sfn_state_machine", "Orchestrator", {
      name,
      arn: arn("states", `stateMachine:${name}`),
      definition: definition(name),
    }),
    one("aws_sfn_alias", "Alias", {
      ...{ name: "current", arn: arn("states", `stateMachine:${name}:current`) },
      routing_configuration: [
        { state_machine_version_arn: arn("states", `stateMachine:${name}:1`), weight: 100 },
      ],
    }),
    one(
      "aws_glue_job",
      "Transform",
      {
        name,
        worker_type: "G.1X",
        number_of_workers: 5,
        timeout: 60,
        max_retries: 0,
        glue_version: "5.1",
        command: [{ name: "glueetl" }],
      },
      { number_of_workers: 10 },
    ),
    one("aws_scheduler_schedule", "Schedule", {
      ...{ name, schedule_expression: "cron(0 4 * * ? *)", state: "ENABLED" },
      target: [
        { arn: arn("states", `stateMachine:${name}:current`), role_arn: arn("iam", `role/${name}-start`) },
      ],
    }),
    ...["job", "machine", "start"].map((part) =>
      one("aws_iam_role", `${part}Role`, { name: `${name}-${part}`, assume_role_policy: trust(part) }),
    ),
    ...["job", "machine", "start"].map((part) =>
      one(
        "aws_iam_role_policy",
        `${part}Policy`,
        { name: part, role: `${name}-${part}`, policy: policy(name) },
        part === "job" ? { policy: policy(name, ADDED) } : undefined,
      ),
    ),
    ...repeat(10, (place) =>
      one("aws_glue_catalog_table", `Table${place}`, {
        name: `t${place}`,
        database_name: name,
        storage_descriptor: [table(name, place)],
      }),
    ),
    ...repeat(14, (place) =>
      one("aws_cloudwatch_metric_alarm", `Alarm${place}`, {
        alarm_name: `${name}-${place}`,
        period: 300,
        threshold: place,
        alarm_actions: [arn("sns", "alerts")],
      }),
    ),
    ...repeat(4, (place) =>
      one("aws_s3_object", `File${place}`, {
        bucket: "shop-raw",
        key: `artifacts/${name}/${place}.py`,
        source: `assets/${place}.py`,
      }),
    ),
    ...repeat(4, (place) =>
      one("aws_cloudwatch_event_rule", `Rule${place}`, {
        name: `${name}-${place}`,
        event_pattern: '{"source":["aws.states"]}',
        state: "ENABLED",
      }),
    ),
    ...repeat(4, (place) =>
      one("aws_cloudwatch_event_target", `Target${place}`, {
        rule: `${name}-${place}`,
        arn: arn("sns", "alerts"),
      }),
    ),
    one(
      "aws_cloudwatch_log_group",
      "Log",
      { name: `/shop/${name}`, retention_in_days: 90 },
      { retention_in_days: 30 },
    ),
    one("aws_cloudwatch_log_group", "MachineLog", { name: `/shop/${name}-machine`, retention_in_days: 90 }),
    one("aws_sqs_queue", "DeadLetters", {
      name: `${name}-dead`,
      url: `http://127.0.0.1:4566/${ACCOUNT}/${name}-dead`,
      message_retention_seconds: 1_209_600,
    }),
    one("aws_sqs_queue_policy", "DeadLettersPolicy", {
      queue_url: `http://127.0.0.1:4566/${ACCOUNT}/${name}-dead`,
      policy: queuePolicy(name),
    }),
  ];
}

const table = (name: string, place: number): object => ({
  location: `s3://shop-curated/${name}/t${place}/`,
  columns: Array.from({ length: 25 }, (_, column) => ({
    name: `column_${column}`,
    type: "string",
    comment: "a column of the table",
  })),
});

const definition = (name: string): string =>
  JSON.stringify({
    StartAt: "Transform",
    States: {
      Transform: {
        Type: "Task",
        Resource: "arn:aws:states:::glue:startJobRun.sync",
        Parameters: { JobName: name },
        Next: "Wait0",
      },
      ...Object.fromEntries(
        Array.from({ length: 20 }, (_, place) => [
          `Wait${place}`,
          { Type: "Wait", Seconds: 30, Next: `Wait${place + 1}` },
        ]),
      ),
    },
  });

const trust = (part: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { Service: `${part === "job" ? "glue" : "states"}.amazonaws.com` },
      },
    ],
  });

const policy = (name: string, ...added: string[]): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: ["raw", "processed", "curated"].map((zone) => ({
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", ...added],
      Resource: [`arn:aws:s3:::shop-${zone}/${name}/*`, `arn:aws:s3:::shop-${zone}/shared/*`],
    })),
  });

const queuePolicy = (name: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Deny",
        Principal: "*",
        Action: "sqs:*",
        Resource: arn("sqs", `${name}-dead`),
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
