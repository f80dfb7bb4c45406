import { runbookLink, type RunbookPage } from "../core/runbook";
import { type AlarmDefinition, type Speaker } from "./alarm-table";

/** What alarms say. The description of an alarm is in every message that it sends, and is all that it tells. */

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
export const MOST_DESCRIPTION_CHARACTERS = 1_024;

export interface TextScope {
  readonly pipeline: string;
  readonly environment: string;
  /** The page of its runs in the AWS console. */
  readonly consoleUrl: string;
  readonly runbookUrl?: string;
}

interface Told {
  readonly happened: string;
  readonly remedy: string;
  readonly runbook: RunbookPage;
}

/** What a composite says for its alarms; the message's reason names the alarm that crossed. */
const COMPOSITES: Readonly<Record<Exclude<Speaker, "itself">, Told>> = {
  executions: {
    happened: "an execution failed, timed out or was stopped",
    remedy:
      "Its own message on the notifications topic tells the cause and the command to go on with. OK only says that no further one followed.",
    runbook: "executions",
  },
  data: {
    happened: "something about its runs is not as usual, and no execution failed of it",
    remedy:
      "The reason names the alarm: throttled, slow, quarantine share, row count or crawl. OK only says that no further run crossed it.",
    runbook: "pipeline-data",
  },
};

function text(scope: TextScope, { happened, remedy, runbook }: Told): string {
  const { pipeline, environment, consoleUrl, runbookUrl } = scope;
  return (
    `Pipeline ${pipeline}, environment ${environment}: ${happened}. ${remedy} ` +
    `Executions: ${consoleUrl} Runbook: ${runbookLink(runbookUrl, runbook)}`
  );
}

/** The description of an alarm. */
export const alarmText = (scope: TextScope, alarm: AlarmDefinition): string => text(scope, alarm);

/** The description of a composite alarm. */
export const compositeText = (scope: TextScope, speaker: keyof typeof COMPOSITES): string =>
  text(scope, COMPOSITES[speaker]);
