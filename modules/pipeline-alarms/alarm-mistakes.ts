import { missedRunMistakes } from "../schedules/missed-run";
import { type Mistake } from "../core/refusals";
import { runbookUrlMistake } from "../core/runbook";
import { type AlarmScope, alarmTable } from "./alarm-table";
import { alarmText, compositeText, MOST_DESCRIPTION_CHARACTERS, type TextScope } from "./alarm-texts";

/**
 * The longest prefix of alarm names: a name has at most 255 characters, including the longest suffix.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
const MOST_NAME_CHARACTERS = 230;

/** The longest execution of Step Functions is a year. */
const MOST_USUAL_MINUTES = 525_600;

export interface Alarming extends AlarmScope, TextScope {
  readonly name: string;
  readonly crawlStateMachineName?: string;
}

export function alarmMistakes(given: Alarming, isKnown: (value: unknown) => boolean): Mistake[] {
  return [
    ...nameMistakes(given, isKnown),
    ...thresholdMistakes(given),
    ...missedRunMistakes(given),
    ...runbookMistakes(given, isKnown),
    ...textMistakes(given, isKnown),
  ];
}

const NAME = /^[A-Za-z0-9_-]{1,80}$/;

const unless = (ok: boolean, field: string, mistake: string): Mistake[] => (ok ? [] : [[field, mistake]]);

function nameMistakes(given: Alarming, isKnown: (value: unknown) => boolean): Mistake[] {
  const { name, pipeline, environment } = given;
  const filled = (field: "pipeline" | "environment", value: string) =>
    unless(!isKnown(value) || value.trim() !== "", field, "must not be empty");
  return [
    ...unless(
      !isKnown(name) || new RegExp(`^[A-Za-z0-9_-]{1,${MOST_NAME_CHARACTERS}}$`).test(name),
      "name",
      `must be 1 to ${MOST_NAME_CHARACTERS} letters, digits, hyphens or underscores, so that alarms' names keep within ` +
        `CloudWatch's limit of 255, got ${JSON.stringify(name)} (${name.length})`,
    ),
    ...(["run.name", "crawlStateMachineName", "deadLetterQueueName"] as const).flatMap((field) => {
      const value = field === "run.name" ? given.run.name : given[field];
      return unless(
        value === undefined || !isKnown(value) || NAME.test(value),
        field,
        `must be a name of 1 to 80 letters, digits, hyphens or underscores, got ${JSON.stringify(value)}`,
      );
    }),
    ...filled("pipeline", pipeline),
    ...filled("environment", environment),
  ];
}

function thresholdMistakes(given: Alarming): Mistake[] {
  const { usualMinutes, slowFactor, quarantineSharePercent, minimumRows } = given;
  return [
    ...unless(
      usualMinutes > 0 && usualMinutes <= MOST_USUAL_MINUTES,
      "usualMinutes",
      `must be more than 0 and at most ${MOST_USUAL_MINUTES}, got ${usualMinutes}`,
    ),
    ...unless(
      slowFactor > 1 && Number.isFinite(slowFactor),
      "slowFactor",
      `must be more than 1, or a usual run would count as slow, got ${slowFactor}`,
    ),
    ...unless(
      quarantineSharePercent >= 0 && quarantineSharePercent < 100,
      "quarantineSharePercent",
      `must be from 0 to below 100, because no share exceeds 100, got ${quarantineSharePercent}`,
    ),
    ...unless(
      Number.isInteger(minimumRows) && minimumRows >= 1,
      "minimumRows",
      `must be a whole number of at least 1, because no run writes fewer than 0 rows, got ${minimumRows}`,
    ),
  ];
}

function runbookMistakes({ runbookUrl }: Alarming, isKnown: (value: unknown) => boolean): Mistake[] {
  const mistake =
    runbookUrl === undefined || !isKnown(runbookUrl) ? undefined : runbookUrlMistake(runbookUrl);
  return mistake === undefined ? [] : [["runbookUrl", mistake]];
}

/** Reports descriptions that are too long, which CloudWatch would refuse only at apply. */
function textMistakes(given: Alarming, isKnown: (value: unknown) => boolean): Mistake[] {
  const texts = [
    compositeText(given, "executions"),
    compositeText(given, "data"),
    ...alarmTable(given).map((alarm) => alarmText(given, alarm)),
  ];
  const longest = Math.max(...texts.map((text) => (isKnown(text) ? text.length : 0)));
  return unless(
    longest <= MOST_DESCRIPTION_CHARACTERS,
    "pipeline",
    "is too long together with 'environment', 'run' and 'runbookUrl': an alarm's text would have " +
      `${longest} characters, ` +
      `CloudWatch allows ${MOST_DESCRIPTION_CHARACTERS}`,
  );
}
