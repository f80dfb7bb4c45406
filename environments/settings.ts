import { z } from "zod";
import { runbookUrlSchema, subscriptionsSchema } from "./alert-settings";
import { text } from "../pipelines/filled-text";
import { LOG_RETENTION_DAYS, logRetentionMistake } from "../modules/core/log-retention";
import { boundaryMistake } from "../modules/core/permissions-boundary";
import { PIPELINES, type PipelinesSettings } from "../pipelines";
import { budgetMistakes } from "./budget";
import { orchestrationMistakes } from "../pipelines/orchestration-settings";
import { glueVersionSchema, jobSettingMistakes } from "../pipelines/job-settings";
import { missedRunSettingMistakes, scheduleSettingMistakes } from "../pipelines/schedule-settings";

/**
 * The schema of an environment: plain data in, validated data out. Every error names its field.
 *
 * Facts behind the ranges: CloudWatch Logs retention is an enumeration (PutRetentionPolicy); Glue needs a driver and at
 * least one executor; a job's time-out must stay below seven days (StartJobRun); Athena's scan limit starts at
 * 10,485,760 bytes in the provider.
 */

/** Each pipeline of the registry, which an environment has or leaves out. */
const pipelinesSchema = z
  .strictObject(
    Object.fromEntries(
      PIPELINES.map(({ name, settings }) => [name, (settings as z.ZodObject).optional()] as const),
    ),
  )
  .refine((pipelines) => Object.values(pipelines).some((one) => one !== undefined), {
    error: "must have at least one pipeline",
  });

export const settingsSchema = z.strictObject({
  /** Deployment target; part of every physical name. */
  environment: z.string().regex(/^[a-z][a-z0-9]{1,14}$/, "must be 2 to 15 lower-case letters or digits"),
  /** Project; the first part of every physical name. */
  project: text().refine(
    (value) => /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(value),
    "must be lower-case words of letters and digits joined by single hyphens",
  ),
  /** The AWS account that the provider may touch, twelve digits. From context or environment variables. */
  accountId: z.string().regex(/^\d{12}$/, "must be an AWS account id of 12 digits"),
  /** AWS region. From context or environment variables. */
  region: z.string().regex(/^[a-z]{2}(-gov)?-[a-z]+-\d$/, "must be an AWS region such as eu-west-1"),
  /** The backend of Terraform's state. */
  backend: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("local") }),
    z.strictObject({ kind: z.literal("s3") }),
  ]),
  /** `true`: buckets and keys refuse to be destroyed. */
  retainData: z.boolean(),
  /** The second key: without it, `retainData: false` is refused. Never `true` in prod. */
  allowDataDestruction: z.boolean(),
  /** Glue version of the jobs: 5.1 has Spark 3.5, 6.0 has Spark 4.1. `ETL_<ENVIRONMENT>_GLUE_VERSION` wins. */
  glueVersion: glueVersionSchema,
  /** Days that log groups keep their events. */
  logRetentionDays: z.int().refine((days) => logRetentionMistake(days) === undefined, {
    error: `must be one of ${LOG_RETENTION_DAYS.join(", ")}`,
  }),
  /** `true`: Step Functions logs hold inputs and outputs of states. */
  logExecutionData: z.boolean(),
  /**
   * `true`: messages and logs of refused runs hold delivered values, which may be somebody's personal data. Never in prod. Off when
   * left out; the values lie in the quarantine zone in any case.
   */
  showValuesInMessages: z.boolean().optional(),
  /** Most bytes one Athena query of the workgroup may scan. */
  scanLimitBytes: z.int().min(10_485_760, "must be at least 10485760 bytes (10 MiB)"),
  /**
   * Subscribers of each topic: `{ protocol, endpoint }`. `ETL_<ENVIRONMENT>_ALERTS` and `ETL_<ENVIRONMENT>_NOTIFICATIONS` win. At least one of each
   * where alarms act or schedules run.
   */
  subscriptions: subscriptionsSchema,
  /** The https address of the folder docs/runbook, ending with a slash; without it messages name the pages by their path. */
  runbookUrl: runbookUrlSchema.optional(),
  /** The ARN of a managed policy beyond which no role of the stack may do anything, as accounts ask for; none when left out. */
  permissionsBoundaryArn: text()
    .refine((arn) => boundaryMistake(arn) === undefined, {
      error: "must be the ARN of a managed policy: arn:aws:iam::<account>:policy/<name>",
    })
    .optional(),
  /**
   * `true`: jobs run with a security configuration, so that Glue itself encrypts their files and logs with the lake's key. Buckets
   * encrypt with it anyway; what it adds are the logs, for a call to KMS with each. Off when left out.
   */
  securityConfiguration: z.boolean().optional(),
  /** The limits of cost. */
  budget: z.strictObject({
    /** Most DPU-hours that one run of a pipeline's job may be billed: workers × DPU per worker × time-out / 60. */
    dpuHoursPerRun: z.number().positive("must be above 0"),
  }),
  /** Tags on everything, beside `project` and `environment`. */
  tags: z.record(z.string(), text()),
  /** The settings of each pipeline that the environment has, by its name in the registry (pipelines/index.ts). */
  pipelines: pipelinesSchema as unknown as z.ZodUnknown,
});

/** A validated environment. */
export type EnvironmentSettings = Omit<z.infer<typeof settingsSchema>, "pipelines"> & {
  pipelines: PipelinesSettings;
  /** Lines for whoever synthesises: the pipelines that are left out, and why. */
  notes?: readonly string[];
};

/** The data of `dev.ts`, `staging.ts` and `prod.ts`: all settings but those that come from the caller. */
export type EnvironmentData = Omit<EnvironmentSettings, "accountId" | "region" | "notes">;

/** Longest zone in a bucket's name; names are `<project>-<environment>-<zone>-<account>-<region>`. */
const LONGEST_ZONE = "query-results";
/** The same part in the name of the bucket of Terraform's state. */
const STATE = "terraform-state";
const BUCKET_NAME_MAX = 63;

/** Checks one environment; returns every mistake as `'field' what is wrong, got value`. */
export function settingsMistakes(given: Partial<EnvironmentSettings>): string[] {
  const data = Object.entries(given).filter(([name]) => name !== "notes");
  const candidate: Partial<EnvironmentSettings> = Object.fromEntries(data);
  const parsed = settingsSchema.safeParse(candidate, { reportInput: true });
  const issues = parsed.success ? [] : parsed.error.issues;
  const judgeable = withoutMistaken(candidate, issues);
  const schedule = scheduleSettingMistakes(judgeable);
  const wrong = issues.map((issue) => `'${issue.path.join(".")}'`);
  return [
    ...issues.map(describeIssue),
    ...destructionMistakes(candidate),
    ...shownValueMistakes(candidate),
    ...budgetMistakes(judgeable),
    // Skip fields that the schema already rejected.
    ...jobSettingMistakes(judgeable).filter((mistake) => !wrong.includes(mistake.split(" ")[0]!)),
    ...schedule,
    // The longest gap is known only for a schedule without mistakes.
    ...(schedule.length > 0 ? [] : missedRunSettingMistakes(judgeable)),
    ...(schedule.length > 0 ? [] : orchestrationMistakes(judgeable)),
    ...nameMistakes(judgeable),
  ];
}

/** The candidate without what the schema found wrong: what goes together is judged of values that are right by themselves. */
function withoutMistaken(
  candidate: Partial<EnvironmentSettings>,
  issues: readonly z.core.$ZodIssue[],
): Partial<EnvironmentSettings> {
  const wrong = issues.filter(({ code }) => code !== "unrecognized_keys").map(({ path }) => path.map(String));
  return wrong.reduce<Candidate>(without, candidate);
}

type Candidate = Readonly<Record<string, unknown>>;

function without(all: Candidate, [name, ...rest]: readonly string[]): Candidate {
  const { [name ?? ""]: inner, ...others } = all;
  const isInside = rest.length > 0 && typeof inner === "object" && inner !== null && !Array.isArray(inner);
  return isInside ? { ...others, [name!]: without(inner as Candidate, rest) } : others;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const field = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const where = field === "" ? "" : `'${field}' `;
    const given = issue.input;
    const got = JSON.stringify(Object.fromEntries(issue.keys.map((key) => [key, given?.[key]])));
    return `${where}has unknown settings ${issue.keys.map((key) => `'${key}'`).join(", ")}, got ${got}; remove them or correct the spelling`;
  }
  const got = issue.input === undefined ? "got nothing" : `got ${JSON.stringify(issue.input)}`;
  return `'${field}' ${lowerFirst(issue.message)}, ${got}`;
}

function destructionMistakes({
  environment,
  retainData,
  allowDataDestruction,
}: Partial<EnvironmentSettings>): string[] {
  if (environment === "prod" && (retainData === false || allowDataDestruction === true)) {
    return [
      "'retainData' must be true and 'allowDataDestruction' false in prod, got " +
        `${JSON.stringify(retainData)} and ${allowDataDestruction}; production data is never destroyed by a deployment`,
    ];
  }
  if (retainData === false && allowDataDestruction === false) {
    return [
      "'retainData' must be true unless 'allowDataDestruction' is true as well, got false and false; " +
        "destroying data needs both",
    ];
  }
  return [];
}

function shownValueMistakes({ environment, showValuesInMessages }: Partial<EnvironmentSettings>): string[] {
  if (environment !== "prod" || showValuesInMessages !== true) return [];
  return [
    "'showValuesInMessages' must not be true in prod, got true; delivered values go to whoever reads messages and logs, " +
      "and may be personal data: ask Athena for the refused rows instead",
  ];
}

function nameMistakes(candidate: Partial<EnvironmentSettings>): string[] {
  const { project, environment, backend, accountId, region } = candidate;
  const longest = backend?.kind === "s3" ? STATE : LONGEST_ZONE;
  const name = [project, environment, longest, accountId, region].join("-");
  const excess = name.length - BUCKET_NAME_MAX;
  if (typeof project !== "string" || excess <= 0) return [];
  return [
    `'project' is too long by ${excess} characters: bucket name '${name}' would have ${name.length}, ` +
      `S3 allows ${BUCKET_NAME_MAX}; shorten '${project}'`,
  ];
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
