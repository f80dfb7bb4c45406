import { MOST_TIMEOUT_MINUTES, TAKEN_BY } from "../modules/core/job-runs";
import { misspeltGlueArgument } from "../modules/core/glue-arguments";
import { isObject, type Json, type JsonObject } from "./asl";
import { type Findings, type AslCheckOptions } from "./finding";
import { isExpression, syntaxOf } from "./jsonata-expressions";

/**
 * Checks the types, values and combinations of the parameters of glue:startJobRun.
 *
 * Sources: https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html,
 * https://docs.aws.amazon.com/glue/latest/dg/add-job.html (FLEX),
 * https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html (arguments that Glue keeps for itself)
 */

type Type = "a whole number" | "a number" | "true or false" | "a text";
const TYPES: Readonly<Record<string, Type>> = {
  AllocatedCapacity: "a whole number",
  ExecutionClass: "a text",
  JobName: "a text",
  JobRunId: "a text",
  JobRunQueuingEnabled: "true or false",
  MaxCapacity: "a number",
  NumberOfWorkers: "a whole number",
  SecurityConfiguration: "a text",
  Timeout: "a whole number",
  WorkerType: "a text",
};
/** The parameters that Glue takes as numbers. */
export const NUMERIC_RUN_PARAMETERS: readonly string[] = Object.keys(TYPES).filter((name) =>
  TYPES[name]!.endsWith("number"),
);

/** Every worker type of Glue. A job of another kind may need one that the library's own jobs do not run on. */
export const GLUE_WORKER_TYPES = [
  ...["Standard", "G.025X", "G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X"],
  ...["R.1X", "R.2X", "R.4X", "R.8X", "Z.2X"],
];
const EXECUTION_CLASSES = ["STANDARD", "FLEX"];
/** A driver and an executor: Glue's refusal names the minimum for workers of these types. */
const FEWEST_WORKERS = 2;
const CAPACITIES = ["AllocatedCapacity", "MaxCapacity"];
/** The capacities of a Python shell job; a Spark job has whole ones from 2. */
const SMALL_CAPACITIES = [0.0625, 1];
const FEWEST_DPUS = 2;

/** Glue sets these itself. */
const OWN_ARGUMENTS = ["JOB_NAME", "JOB_ID", "JOB_RUN_ID", "debug", "endpoint", "mode"];

const parameterName = (key: string) => key.replace(/\.\$$/, "");
const isPath = (key: string) => key.endsWith(".$");
/** Intrinsics that give texts, and those that give numbers. */
const TEXTUAL = /^States\.(?:Format|UUID|Base64Encode|Base64Decode|Hash|JsonToString)\(/;
const NUMERIC = /^States\.(?:MathAdd|MathRandom|ArrayLength)\(/;

/** Notes what is wrong in the parameters of one start. */
export function noteRunParameters(
  findings: Findings,
  given: JsonObject,
  { isKnown = () => true }: AslCheckOptions,
): void {
  const find = (what: string, remedy: string) => findings.find("run-parameter", what, remedy);
  for (const [key, value] of Object.entries(given)) {
    const name = parameterName(key);
    const type = TYPES[name];
    if (type === undefined || (typeof value === "string" && !isKnown(value))) continue;
    const found = wrongType(key, value, type);
    if (found !== undefined)
      find(`its ${name} is ${found}, but Glue takes ${type}`, remedyFor(key, value, type));
  }
  /** Values that are written in the definition. */
  const literal = Object.fromEntries(
    Object.entries(given).filter(
      ([key, value]) =>
        !isPath(key) && !(typeof value === "string" && (!isKnown(value) || isExpression(value))),
    ),
  );
  noteSingle(find, literal);
  noteTogether(find, literal, Object.keys(given).map(parameterName));
  const notice = literal.NotificationProperty;
  if (
    isObject(notice) &&
    typeof notice.NotifyDelayAfter === "string" &&
    isKnown(notice.NotifyDelayAfter) &&
    !isExpression(notice.NotifyDelayAfter)
  )
    find(
      "its NotifyDelayAfter is a text, but Glue takes a whole number",
      "write the number of minutes without quotes",
    );
}

function wrongType(key: string, value: Json, type: Type): string | undefined {
  if (isPath(key)) {
    if (typeof value !== "string") return undefined;
    if (TEXTUAL.test(value) && type !== "a text") return `${value}, a text`;
    return NUMERIC.test(value) && !type.endsWith("number") ? `${value}, a number` : undefined;
  }
  if (typeof value === "string" && isExpression(value)) {
    const { type: result } = syntaxOf(value);
    const taken = type.endsWith("number") ? "number" : type === "a text" ? "text" : "boolean";
    return result === undefined || result === taken ? undefined : `${value}, a ${result}`;
  }
  const isRight =
    type === "a text"
      ? typeof value === "string"
      : type === "true or false"
        ? typeof value === "boolean"
        : typeof value === "number" && (type === "a number" || Number.isInteger(value));
  if (isRight) return undefined;
  return typeof value === "string" ? `the text ${JSON.stringify(value)}` : JSON.stringify(value);
}

function remedyFor(key: string, value: Json, type: Type): string {
  if (isPath(key))
    return type === "a text"
      ? "write States.Format('{}', …)"
      : "write States.StringToJson(…), or the path of a number";
  if (typeof value !== "string")
    return type === "a text" ? `write ${JSON.stringify(JSON.stringify(value))}` : `write ${type}`;
  if (isExpression(value)) return type === "a text" ? "write $string(…)" : "write $number(…)";
  return /^(?:-?\d+(?:\.\d+)?|true|false)$/.test(value) ? `write ${value} without quotes` : `write ${type}`;
}

function noteSingle(find: (what: string, remedy: string) => void, literal: JsonObject): void {
  const {
    WorkerType: worker,
    ExecutionClass: kind,
    NumberOfWorkers: number,
    MaxCapacity: capacity,
  } = literal;
  if (typeof worker === "string" && !GLUE_WORKER_TYPES.includes(worker))
    find(
      `its WorkerType ${JSON.stringify(worker)} does not exist`,
      `write one of ${GLUE_WORKER_TYPES.join(", ")}`,
    );
  if (typeof kind === "string" && !EXECUTION_CLASSES.includes(kind))
    find(
      `its ExecutionClass ${JSON.stringify(kind)} does not exist`,
      `write ${EXECUTION_CLASSES.join(" or ")}`,
    );
  const fewest = typeof worker === "string" && !/^[GR]\./.test(worker) ? 1 : FEWEST_WORKERS;
  if (Number.isInteger(number) && (number as number) < fewest)
    find(`its NumberOfWorkers is ${number as number}`, `write ${fewest} or more`);
  if (typeof capacity === "number" && !SMALL_CAPACITIES.includes(capacity))
    if (!Number.isInteger(capacity) || capacity < FEWEST_DPUS)
      find(
        `its MaxCapacity is ${capacity}`,
        `write a whole number from ${FEWEST_DPUS}; a Python shell job takes ${SMALL_CAPACITIES.join(" or ")}`,
      );
  const { AllocatedCapacity: allocated, Timeout: minutes } = literal;
  if (Number.isInteger(allocated) && (allocated as number) < FEWEST_DPUS)
    find(`its AllocatedCapacity is ${allocated as number}`, `write ${FEWEST_DPUS} or more`);
  if (Number.isInteger(minutes) && ((minutes as number) < 1 || (minutes as number) > MOST_TIMEOUT_MINUTES))
    find(`its Timeout is ${minutes as number} minutes`, `write 1 to ${MOST_TIMEOUT_MINUTES}`);
}

function noteTogether(
  find: (what: string, remedy: string) => void,
  literal: JsonObject,
  names: readonly string[],
): void {
  const capacities = CAPACITIES.filter((name) => names.includes(name));
  const workers = ["WorkerType", "NumberOfWorkers"].filter((name) => names.includes(name));
  if (capacities.length > 0 && workers.length > 0)
    find(
      `gives ${capacities.join(" and ")} together with ${workers.join(" and ")}, which Glue refuses`,
      "write WorkerType and NumberOfWorkers only",
    );
  if (capacities.length > 1)
    find(
      "gives both AllocatedCapacity and MaxCapacity",
      "write one of them: AllocatedCapacity is deprecated",
    );
  if (literal.ExecutionClass !== "FLEX") return;
  if (literal.JobRunQueuingEnabled === true)
    find(
      "is a FLEX run with JobRunQueuingEnabled, which Glue has for STANDARD runs only",
      "leave JobRunQueuingEnabled out: a FLEX run waits for capacity anyway",
    );
  const worker = literal.WorkerType;
  const taken: readonly string[] = TAKEN_BY.FLEX.workerTypes;
  if (typeof worker === "string" && GLUE_WORKER_TYPES.includes(worker) && !taken.includes(worker))
    find(
      `is a FLEX run with ${worker} workers`,
      `write ${taken.join(" or ")}, or the execution class STANDARD`,
    );
}

/** Glue takes names with two hyphens and texts that are not empty. */
export function noteArguments(
  findings: Findings,
  given: Json | undefined,
  { isKnown = () => true }: AslCheckOptions,
): void {
  if (!isObject(given)) return;
  const find = (what: string, remedy: string) => findings.find("glue-argument", what, remedy);
  for (const [key, value] of Object.entries(given)) {
    const name = parameterName(key);
    if (isKnown(name)) noteName(find, name);
    const number = numericExpression(key, value);
    if (typeof value !== "string" || number !== undefined)
      find(
        `the job argument ${name} is ${number?.what ?? describe(value)}, but Glue takes strings only`,
        number?.remedy ??
          `write ${JSON.stringify(typeof value === "object" ? JSON.stringify(value) : String(value))}`,
      );
    else if (!isPath(key) && value === "")
      find(
        `the job argument ${name} is empty, which Glue refuses`,
        "leave it out, or write a full stop to stand for an empty value",
      );
  }
}

function noteName(find: (what: string, remedy: string) => void, name: string): void {
  if (!name.startsWith("--")) {
    find(
      `the job argument ${name} has no two hyphens before its name, so the script does not get it`,
      `write --${name.replace(/^-/, "")}`,
    );
    return;
  }
  const bare = name.slice(2);
  const meant = misspeltGlueArgument(bare);
  if (OWN_ARGUMENTS.includes(bare))
    find(`sets the job argument ${name}, which Glue sets itself`, "leave it out");
  else if (meant !== undefined)
    find(`the job argument ${name} does not exist: Glue calls it --${meant}`, `write --${meant}`);
}

/** An intrinsic or an expression that gives something else than a text. */
function numericExpression(key: string, value: Json): { what: string; remedy: string } | undefined {
  if (typeof value !== "string") return undefined;
  if (isPath(key))
    return NUMERIC.test(value)
      ? { what: "a number", remedy: `write States.Format('{}', ${value})` }
      : undefined;
  if (!isExpression(value)) return undefined;
  const { type } = syntaxOf(value);
  if (type === undefined || type === "text") return undefined;
  return { what: `${value}, a ${type}`, remedy: `write {% $string(${value.slice(2, -2).trim()}) %}` };
}

const describe = (value: Json): string =>
  value === null
    ? "null"
    : typeof value === "object"
      ? "an object or a list"
      : `the ${typeof value} ${JSON.stringify(value)}`;
