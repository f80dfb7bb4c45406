import { timeZoneMistake } from "../../modules/schedules/time-zone";
import type { Mistake } from "../../modules/core/refusals";
import type { ArrivalRule, CompleteRule } from "./arrival-props";

export interface JudgedPipeline extends ArrivalRule {
  readonly name: string;
  readonly isWorkflow: boolean;
  readonly isOfDms?: boolean;
  /** The sources whose runs end at a file beside the folders of days. */
  readonly refusing: readonly string[];
}

export interface JudgedArrival {
  readonly name: string;
  readonly pipelines: readonly JudgedPipeline[];
  readonly lookEveryMinutes: number;
  readonly batchWindowSeconds: number;
  readonly maxReceives: number;
}

/** The function's role is named `<name>-function`. */
const LONGEST_NAME = 55;
const MOST_DEADLINE_MINUTES = 10_080;
/** A message is delayed no longer: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const MOST_QUIET_SECONDS = 900;
const MOST_FILES = 10_000;

const unless = (ok: boolean, field: string, mistake: string): Mistake[] => (ok ? [] : [[field, mistake]]);

/** Lists every mistake in a file arrival: `[field, mistake]`. */
export function arrivalMistakes(given: JudgedArrival, isKnown: (value: unknown) => boolean): Mistake[] {
  const { name, pipelines } = given;
  const names = pipelines.map((one) => one.name);
  const repeated = [...new Set(names.filter((one, index) => names.indexOf(one) !== index))];
  const whole = (field: string, value: number, from: number, to: number) =>
    unless(
      !isKnown(value) || (Number.isInteger(value) && value >= from && value <= to),
      field,
      `must be a whole number from ${from} to ${to}, got ${value}`,
    );
  return [
    ...unless(
      !isKnown(name) || /^[A-Za-z0-9_-]+$/.test(name),
      "name",
      `must be letters, digits, '_' and '-', got ${JSON.stringify(name)}`,
    ),
    ...unless(
      !isKnown(name) || name.length <= LONGEST_NAME,
      "name",
      `must have at most ${LONGEST_NAME} characters, because its role is named '<name>-function', got ${JSON.stringify(name)} (${name.length})`,
    ),
    ...unless(pipelines.length > 0, "pipelines", "must not be empty"),
    ...repeated.map((one): Mistake => [
      "pipelines",
      `must name each pipeline once, got '${one}' more than once`,
    ]),
    ...whole("lookEveryMinutes", given.lookEveryMinutes, 1, 60),
    ...whole("batchWindowSeconds", given.batchWindowSeconds, 1, 300),
    ...whole("maxReceives", given.maxReceives, 1, 1_000),
    ...pipelines.flatMap((one) => [
      ...unless(
        !one.isWorkflow,
        `pipelines.${one.name}`,
        "must be orchestrated by a state machine: a Glue workflow cannot be given the dates of a run's deliveries; use a schedule",
      ),
      ...unless(
        one.isOfDms !== true,
        `pipelines.${one.name}`,
        "must not read files of AWS DMS, which come all day: no rule says when a date is complete; use a schedule",
      ),
      ...whole(`pipelines.${one.name}.deadlineMinutes`, one.deadlineMinutes ?? 1, 1, MOST_DEADLINE_MINUTES),
      ...ruleMistakes(`pipelines.${one.name}.complete`, one.complete, whole),
      ...zoneMistakes(`pipelines.${one.name}.undatedZone`, one.undatedZone, isKnown),
      ...unless(
        one.undatedZone === undefined || one.refusing.length === 0,
        `pipelines.${one.name}.undatedZone`,
        `must be left out, got ${JSON.stringify(one.undatedZone)}, or the sources ${one.refusing.join(", ")} must say "unknownFolders": "skip" in the contract: ` +
          "the file that is copied stays where it lies, and ends each run as InvalidDelivery",
      ),
      ...(one.endings ?? []).flatMap((ending) =>
        unless(
          !isKnown(ending) || (ending !== "" && !ending.includes("/")),
          `pipelines.${one.name}.endings`,
          `must be ends of names such as '.csv', got ${JSON.stringify(ending)}`,
        ),
      ),
    ]),
  ];
}

function zoneMistakes(
  field: string,
  zone: string | undefined,
  isKnown: (value: unknown) => boolean,
): Mistake[] {
  const mistake = zone === undefined || !isKnown(zone) ? undefined : timeZoneMistake(zone);
  return mistake === undefined ? [] : [[field, mistake]];
}

function ruleMistakes(
  field: string,
  rule: CompleteRule,
  whole: (field: string, value: number, from: number, to: number) => Mistake[],
): Mistake[] {
  if (rule.rule === "quiet") return whole(`${field}.seconds`, rule.seconds, 1, MOST_QUIET_SECONDS);
  if (rule.rule === "count") return whole(`${field}.files`, rule.files, 1, MOST_FILES);
  return unless(
    /^[_.][^/]+$/.test(rule.name),
    `${field}.name`,
    `must begin with '_' or '.', so that no run reads it as data, and be no path, got ${JSON.stringify(rule.name)}`,
  );
}
