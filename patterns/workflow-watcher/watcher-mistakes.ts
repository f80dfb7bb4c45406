import { LONGEST_WATCHED_NAME } from "../../modules/core/orchestrations";
import type { Mistake } from "../../modules/core/refusals";
import type { WorkflowNode } from "../../modules/glue-workflow/workflow-node";
import { MOST_LAG_DAYS } from "../../modules/schedules/lag-days";
import { timeZoneMistake } from "../../modules/schedules/time-zone";
import { endedPattern } from "./ended-pattern";
import type { RunDateRule } from "./watcher-props";

export interface JudgedWatcher {
  readonly pipeline: string;
  readonly workflowName: string;
  readonly nodes: readonly WorkflowNode[];
  readonly lateAfterMinutes: number;
  readonly everyMinutes: number;
  readonly runDate?: RunDateRule;
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const MOST_PATTERN_CHARACTERS = 2_048;
/** A week, in minutes. */
const MOST_LATE_MINUTES = 10_080;

const unless = (ok: boolean, field: string, mistake: string): Mistake[] => (ok ? [] : [[field, mistake]]);

/** Lists every mistake in a watcher: `[field, mistake]`. */
export function watcherMistakes(given: JudgedWatcher, isKnown: (value: unknown) => boolean): Mistake[] {
  const { pipeline, workflowName, nodes, lateAfterMinutes, everyMinutes, runDate } = given;
  const pattern = JSON.stringify(endedPattern(nodes));
  return [
    ...unless(
      !isKnown(workflowName) || workflowName.length <= LONGEST_WATCHED_NAME,
      "workflow",
      `must have a name of at most ${LONGEST_WATCHED_NAME} characters, because the watcher's role is named '<name>-watcher-function', ` +
        `got ${JSON.stringify(workflowName)} (${workflowName.length})`,
    ),
    ...unless(!isKnown(pipeline) || pipeline.trim() !== "", "pipeline", "must not be empty"),
    ...wholeBetween("lateAfterMinutes", lateAfterMinutes, 1, MOST_LATE_MINUTES, isKnown),
    ...wholeBetween("everyMinutes", everyMinutes, 1, 60, isKnown),
    ...(runDate === undefined ? [] : runDateMistakes(runDate, isKnown)),
    ...unless(
      !isKnown(pattern) || pattern.length <= MOST_PATTERN_CHARACTERS,
      "workflow",
      `must have fewer nodes, or shorter names of crawlers and jobs: the pattern of their events would have ${pattern.length} characters, ` +
        `EventBridge takes ${MOST_PATTERN_CHARACTERS}`,
    ),
  ];
}

function runDateMistakes(
  { timeZone, lagDays }: RunDateRule,
  isKnown: (value: unknown) => boolean,
): Mistake[] {
  const wrongZone = isKnown(timeZone) ? timeZoneMistake(timeZone) : undefined;
  return [
    ...(wrongZone === undefined ? [] : [["runDate.timeZone", wrongZone] as const]),
    ...wholeBetween("runDate.lagDays", lagDays, 0, MOST_LAG_DAYS, isKnown),
  ];
}

function wholeBetween(
  field: string,
  value: number,
  from: number,
  to: number,
  isKnown: (value: unknown) => boolean,
): Mistake[] {
  const ok = !isKnown(value) || (Number.isInteger(value) && value >= from && value <= to);
  return unless(ok, field, `must be a whole number from ${from} to ${to}, got ${value}`);
}
