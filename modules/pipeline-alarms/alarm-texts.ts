import { type RunKind } from "../core/run";
import { runbookLink } from "../core/runbook";
import { type AlarmDefinition, type Speaker } from "./alarm-table";
import { runTexts, type Said } from "./run-texts";

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
export const MOST_DESCRIPTION_CHARACTERS = 1_024;

export interface TextScope {
  readonly kind?: RunKind;
  readonly pipeline: string;
  readonly environment: string;
  /** The page of its runs in the AWS console. */
  readonly consoleUrl: string;
  readonly runbookUrl?: string;
}

function text(scope: TextScope, { happened, remedy, runbook }: Said): string {
  const { pipeline, environment, consoleUrl, runbookUrl, kind } = scope;
  return (
    `Pipeline ${pipeline}, environment ${environment}: ${happened}. ${remedy} ` +
    `${runTexts(kind).link}: ${consoleUrl} Runbook: ${runbookLink(runbookUrl, runbook)}`
  );
}

/** The description of an alarm, which is the only text of ours in its messages. */
export const alarmText = (scope: TextScope, alarm: AlarmDefinition): string => text(scope, alarm);

/** The description of a composite alarm; the message's reason names the alarm that crossed. */
export function compositeText(scope: TextScope, speaker: Exclude<Speaker, "itself">): string {
  const { unsuccessful, unusual } = runTexts(scope.kind);
  return text(scope, { executions: unsuccessful, data: unusual }[speaker]);
}
