import fc from "fast-check";
import { type z } from "zod";
import { settingsSchema } from "../../environments/settings";
import { PIPELINES } from "../../pipelines";
import { ALL_PIPELINES } from "../support/pipelines";
import { LONGEST_WATCHED_NAME } from "../../modules/core/orchestrations";

/**
 * Whole environments, right ones and wrong ones, made by walking the schema that environments are judged by: a new setting is
 * varied without a line here. Only texts, whose form no schema can be asked for, need examples; a text without any fails.
 */

export type Candidate = Record<string, unknown>;

interface Examples {
  readonly right: readonly unknown[];
  readonly wrong: readonly unknown[];
}

/** Right and wrong values of texts, and of numbers that are a list; by path, the items of lists and records left out. */
const EXAMPLES: Readonly<Record<string, Examples>> = {
  environment: { right: ["dev", "staging", "prod", "qa1"], wrong: ["Prod", "x", "pre-prod"] },
  project: {
    right: ["etl", "sales-lake", "a1"],
    wrong: ["Etl", "etl_x", "-etl", "<project>", "a".repeat(60)],
  },
  accountId: { right: ["000000000000", "111122223333"], wrong: ["42", "<account>"] },
  region: {
    right: ["eu-west-1", "us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2"],
    wrong: ["Ireland", "eu-west", "us-iso-east-1"],
  },
  logRetentionDays: { right: [1, 14, 90, 365, 3653], wrong: [0, 2, 31, 4000, 90.5] },
  "subscriptions.notifications.email": { right: ["data@example.com"], wrong: ["data", "a@b"] },
  "subscriptions.notifications.https": {
    right: ["https://hook.example.com/etl"],
    wrong: ["http://hook.example.com", "https://x"],
  },
  "subscriptions.notifications.sqs": {
    right: ["arn:aws:sqs:eu-west-1:000000000000:told"],
    wrong: ["told", "arn:aws:sqs:eu-west-1:000000000000:told.fifo"],
  },
  "subscriptions.notifications.lambda": {
    right: [
      "arn:aws:lambda:eu-west-1:000000000000:function:told",
      "arn:aws-cn:lambda:cn-north-1:000000000000:function:a:7",
    ],
    wrong: ["told", "arn:aws:lambda:eu-west-1:000000000000:layer:told"],
  },
  "subscriptions.alerts.lambda": {
    right: ["arn:aws:lambda:eu-west-1:000000000000:function:page:live"],
    wrong: ["000000000000:function:page"],
  },
  "subscriptions.alerts.email": { right: ["page@example.com"], wrong: ["page"] },
  "subscriptions.alerts.https": { right: ["https://page.example.com/"], wrong: ["page.example.com"] },
  "subscriptions.alerts.sqs": {
    right: ["arn:aws-cn:sqs:cn-north-1:000000000000:paged"],
    wrong: ["arn:aws:sns:eu-west-1:000000000000:paged"],
  },
  runbookUrl: {
    right: ["https://wiki.example.com/etl/runbook/"],
    wrong: ["http://wiki.example.com/", "https://wiki.example.com/runbook", "<url>"],
  },
  permissionsBoundaryArn: {
    right: ["arn:aws:iam::000000000000:policy/boundary", "arn:aws:iam::aws:policy/PowerUserAccess"],
    wrong: ["boundary", "arn:aws:iam::000000000000:role/boundary"],
  },
  tags: { right: ["data", "a b"], wrong: ["", "CHANGE_ME"] },
  ...examplesOfPipelines({
    "schedule.cron": {
      right: [
        "cron(0 4 * * ? *)",
        "cron(30 6 ? * MON-FRI *)",
        "cron(0/30 * * * ? *)",
        "cron(0 0 1 * ? *)",
        "cron(0 5 ? * SUN *)",
      ],
      wrong: ["rate(1 day)", "cron(0 4 * * *)", "cron(61 4 * * ? *)", "cron(0 4 31 2 ? *)"],
    },
    "schedule.timeZone": {
      right: ["UTC", "Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe"],
      wrong: ["Mars/Olympus", "PST8"],
    },
    "schedule.start": {
      right: ["2030-01-01T00:00:00Z"],
      wrong: ["tomorrow", "2030-13-01T00:00:00Z"],
    },
    "schedule.end": {
      right: ["2031-06-30T23:59:59Z"],
      wrong: ["2029-01-01", "2030-01-01T00:00:00"],
    },
    orderColumn: { right: ["run_date", "event_timestamp"], wrong: [""] },
    "arrival.complete.name": { right: ["_SUCCESS", ".complete"], wrong: ["", "_a/b", "done"] },
    "arrival.undatedZone": { right: ["UTC", "Europe/Berlin"], wrong: ["Mars/Olympus"] },
    "arrival.endings": { right: [".jsonl", ".csv.gz"], wrong: [""] },
    "connection.host": { right: ["shop.example.com"], wrong: [""] },
    "connection.database": { right: ["shop"], wrong: [""] },
    "connection.secretArn": {
      right: ["arn:aws:secretsmanager:eu-west-1:000000000000:secret:shop-AbCdEf"],
      wrong: [""],
    },
    "connection.secretKeyArn": {
      right: ["arn:aws:kms:eu-west-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
      wrong: [""],
    },
    "connection.subnetId": { right: ["subnet-0a1b2c3d"], wrong: [""] },
    "connection.availabilityZone": { right: ["eu-west-1a"], wrong: [""] },
    "connection.vpcId": { right: ["vpc-0a1b2c3d"], wrong: [""] },
    "connection.securityGroupIds": { right: ["sg-0a1b2c3d"], wrong: [""] },
    "connection.certificate": { right: ["/etc/ssl/shop.pem"], wrong: [""] },
  }),
};

/** Every pipeline has the same texts. */
function examplesOfPipelines(of: Readonly<Record<string, Examples>>): Record<string, Examples> {
  return Object.fromEntries(
    ALL_PIPELINES.flatMap((pipeline) =>
      Object.entries(of).map(([path, examples]) => [`pipelines.${pipeline}.${path}`, examples]),
    ),
  );
}

/** Values of types that no setting has. */
const NO_VALUE: readonly unknown[] = [null, {}, "17", -1];

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly values?: readonly unknown[];
}

const definitionOf = (schema: z.ZodType): Definition => schema.def;
const join = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);

/** Values that the schema takes at a path, as far as each is judged alone. */
function right(schema: z.ZodType, path: string): fc.Arbitrary<unknown> {
  const definition = definitionOf(schema);
  const examples = EXAMPLES[path];
  if (examples !== undefined && !["array", "record", "optional"].includes(definition.type)) {
    return fc.constantFrom(...examples.right);
  }
  switch (definition.type) {
    case "object":
      return rightObject(definition.shape!, path);
    case "optional":
      return fc.option(right(definition.innerType!, path), { nil: undefined, freq: 3 });
    case "enum":
      return fc.constantFrom(...Object.values(definition.entries!));
    case "literal":
      return fc.constantFrom(...definition.values!);
    case "boolean":
      return fc.boolean();
    case "number":
      return rightNumber(schema as z.ZodNumber);
    case "union":
      return fc.oneof(...definition.options!.map((option) => right(option, path)));
    case "array":
      return fc.uniqueArray(right(definition.element!, path), {
        maxLength: 2,
        selector: (one) => JSON.stringify(one),
      });
    case "record":
      return fc.dictionary(fc.constantFrom("team", "cost-centre"), fc.constantFrom(...examples!.right));
    default:
      throw new Error(`no example of '${path}' (${definition.type}): give right and wrong ones in EXAMPLES`);
  }
}

function rightObject(shape: Readonly<Record<string, z.ZodType>>, path: string): fc.Arbitrary<unknown> {
  // One option of several is told apart by its protocol, where it has one.
  const protocol = shape.protocol && String(definitionOf(shape.protocol).values![0]);
  const fields = Object.entries(shape).map(([name, inner]) => {
    const at = name === "endpoint" && protocol !== undefined ? join(path, protocol) : join(path, name);
    return [name, right(inner, at)] as const;
  });
  return fc.record(Object.fromEntries(fields)).map((all) => withoutUndefined(all));
}

/** Mostly near the least, as people write them, and sometimes anywhere. */
function rightNumber({ minValue, maxValue, isInt }: z.ZodNumber): fc.Arbitrary<unknown> {
  const least = Number.isFinite(minValue) ? minValue! : 1;
  const most = Math.min(maxValue ?? Infinity, 200_000_000_000);
  if (!isInt) return fc.double({ min: least + 0.5, max: Math.min(most - 0.5, least + 5_000), noNaN: true });
  return fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: least, max: Math.min(most, least + 40) }) },
    { weight: 1, arbitrary: fc.integer({ min: least, max: Math.min(most, Number.MAX_SAFE_INTEGER) }) },
  );
}

/** A way to spoil a candidate: what is put at which path. */
interface Spoiling {
  readonly path: readonly string[];
  /** `undefined` takes the setting away. */
  readonly value: unknown;
}

/** Everything wrong that one setting can be. */
function spoilings(schema: z.ZodType, path: readonly string[]): Spoiling[] {
  const definition = definitionOf(schema);
  const name = path.join(".");
  const at = (values: readonly unknown[]) => values.map((value) => ({ path, value }));
  const examples = EXAMPLES[name];
  if (definition.type === "optional")
    return spoilings(definition.innerType!, path).filter(({ value }) => value !== undefined);
  if (definition.type === "object") {
    const inner = Object.entries(definition.shape!).flatMap(([key, field]) =>
      spoilings(field, [...path, key]),
    );
    return [
      ...inner,
      { path: [...path, "colour"], value: "blue" },
      ...(path.length > 0 ? at([undefined, null]) : []),
    ];
  }
  if (definition.type === "record")
    return examples!.wrong.map((value) => ({ path: [...path, "team"], value }));
  if (definition.type === "array") return at([null, "everybody", [{ protocol: "fax", endpoint: "1" }], [{}]]);
  if (definition.type === "union") return at([undefined, null, { kind: "tape" }]);
  if (definition.type === "number" && examples === undefined) {
    const { minValue, maxValue } = schema as z.ZodNumber;
    const beyond = [minValue, maxValue].flatMap((bound, index) =>
      bound === null || !Number.isSafeInteger(bound) ? [] : [bound + (index === 0 ? -1 : 1)],
    );
    return at([undefined, "many", null, ...beyond]);
  }
  return at([undefined, ...NO_VALUE, ...(examples?.wrong ?? [])]);
}

/** Whole environments: most of them of settings that go together, and more than half of them with one to three settings spoilt. */
export const candidates: fc.Arbitrary<Candidate> = fc
  .record({
    candidate: right(settingsSchema, "") as fc.Arbitrary<Candidate>,
    goesTogether: fc.nat(9).map((die) => die < 8),
    spoilt: fc.oneof(
      { weight: 9, arbitrary: fc.constant<Spoiling[]>([]) },
      {
        weight: 11,
        arbitrary: fc.array(fc.constantFrom(...spoilings(settingsSchema, [])), {
          minLength: 1,
          maxLength: 3,
        }),
      },
    ),
  })
  .map(({ candidate, goesTogether, spoilt }) =>
    spoilt.reduce<Candidate>(
      (all, { path, value }) => put(all, path, value),
      goesTogether ? together(candidate) : candidate,
    ),
  );

interface Pipeline extends Candidate {
  readonly workerType: string;
  readonly executionClass?: string;
  readonly tableFormat?: string;
  readonly writeMode?: string;
  readonly orderColumn?: string;
  readonly runOverrides?: Candidate;
  readonly arrival?: Candidate;
  readonly schedule: { readonly cron: string };
  readonly alarms: { readonly usualMinutes: number; readonly missedRunGraceMinutes?: number };
}

/** Combinations that the schema cannot judge and that chance would seldom hit: classes and workers, budget, guards, one run of a rebuild. */
function together(candidate: Candidate): Candidate {
  const isFlex = (of: Candidate | undefined) => of?.executionClass === "FLEX";
  const pipelines = Object.entries(candidate.pipelines as Record<string, Pipeline>).map(
    ([name, pipeline]) => {
      const { runOverrides } = pipeline;
      const small = { "G.4X": "G.1X", "G.8X": "G.2X" } as Record<string, string>;
      const sized = <T extends Candidate>(of: T): T =>
        withoutUndefined({ ...of, workerType: small[String(of.workerType)] ?? of.workerType }) as T;
      const isSmall =
        isFlex(pipeline) || isFlex(runOverrides) || !/^(us-east|eu-west)-1$/.test(String(candidate.region));
      const fitted = isSmall ? sized(pipeline) : pipeline;
      const queues = isFlex(pipeline) || isFlex(runOverrides) ? undefined : pipeline.jobRunQueuingEnabled;
      return [
        name,
        withoutUndefined({
          ...fitted,
          ...writable(name, pipeline),
          alarms: watchable(pipeline),
          runOverrides: runOverrides && isSmall ? sized(runOverrides) : runOverrides,
          jobRunQueuingEnabled: queues,
          maxConcurrentRuns: pipeline.maxConcurrentRuns && 1,
          ...(pipeline.orchestration === "workflow" ? watchedByGlue(candidate, pipeline, name) : {}),
          arrival: pipeline.orchestration === "workflow" ? undefined : arriving(name, pipeline),
        }),
      ];
    },
  );
  const names = new Set(pipelines.map(([name]) => name));
  const whole = pipelines.filter(([name]) => needsOf(name as string).every((need) => names.has(need)));
  const keeps = candidate.environment === "prod" || candidate.allowDataDestruction === false;
  return {
    ...candidate,
    pipelines: Object.fromEntries(whole) as unknown,
    budget: { dpuHoursPerRun: 1_000_000 },
    retainData: keeps ? true : candidate.retainData,
    allowDataDestruction: candidate.environment === "prod" ? false : candidate.allowDataDestruction,
  };
}

/** The pipelines that it needs beside it. */
const needsOf = (pipeline: string): readonly string[] =>
  (PIPELINES as readonly { readonly name: string; readonly needs?: readonly string[] }[]).find(
    ({ name }) => name === pipeline,
  )?.needs ?? [];

/** Runs of several sources end at a file beside the folders of days, which an undated one is. */
function arriving(name: string, { arrival }: Pipeline): Candidate | undefined {
  const refuses = name === "mobile-users" || name === "stg-price-lists";
  return arrival && refuses ? withoutUndefined({ ...arrival, undatedZone: undefined }) : arrival;
}

/** Only tables of Iceberg are merged, by a column that the pipeline has, and not those that are added up. */
function writable(name: string, { tableFormat, writeMode, orderColumn }: Pipeline): Candidate {
  if (writeMode === "changes" && tableFormat === "iceberg" && name.startsWith("stg-")) return {};
  const merges = tableFormat === "iceberg" && writeMode === "merge" && name !== "sales";
  const appends = tableFormat === "iceberg" && writeMode === "append";
  return {
    writeMode: merges || appends ? writeMode : undefined,
    orderColumn: merges ? (name === "events" && orderColumn) || "run_date" : undefined,
  };
}

/** A Glue workflow overrides the time-out alone, starts in UTC, and needs a name that its watcher can have. */
function watchedByGlue(
  { project, environment }: Candidate,
  { runOverrides, schedule }: Pipeline,
  pipeline: string,
): Candidate {
  if ([project, environment, pipeline].join("-").length > LONGEST_WATCHED_NAME)
    return { orchestration: undefined };
  const { cron, ...clock } = schedule as Candidate;
  return {
    schedule: withoutUndefined({ ...clock, cron, timeZone: "UTC", start: undefined, end: undefined }),
    runOverrides: runOverrides && withoutUndefined({ timeoutMinutes: runOverrides.timeoutMinutes }),
  };
}

/** A missed run is watched for where a day's or a weekend's gap and twice the usual fit into a week. */
function watchable({ alarms, schedule }: Pipeline): Candidate {
  const isRare = /1 \* \?|SUN/.test(schedule.cron);
  const usualMinutes = Math.min(alarms.usualMinutes, 300);
  const grace = alarms.missedRunGraceMinutes;
  const missedRunGraceMinutes =
    grace === undefined || isRare ? undefined : Math.max(Math.min(grace, 2_000), 2 * Math.ceil(usualMinutes));
  return withoutUndefined({ ...alarms, usualMinutes, missedRunGraceMinutes });
}

/** The candidate with a value at a path; the path ends at the first value that has no fields. */
function put(all: Candidate, [name, ...rest]: readonly string[], value: unknown): Candidate {
  if (name === undefined) return all;
  const inner = all[name];
  if (rest.length === 0) return withoutUndefined({ ...all, [name]: value });
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return all;
  return { ...all, [name]: put(inner as Candidate, rest, value) };
}

const withoutUndefined = (all: Readonly<Record<string, unknown>>): Candidate =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
