import { runbookLink, type RunbookPage } from "../core/runbook";
import { type AlarmDefinition, type Speaker } from "./alarm-table";

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

/** The texts of composite alarms; the message's reason names the alarm that crossed. */
const COMPOSITES: Readonly<Record<Exclude<Speaker, "itself">, Told>> = {
  executions: {
    happened: "an execution failed, timed out or was stopped",
    remedy:
      "Its message on the notifications topic has the cause and the command to run. OK only means that no further execution failed.",
    runbook: "executions",
  },
  data: {
    happened: "its runs are not as usual, but no execution failed for this reason",
    remedy:
      "The reason names the alarm: throttled, slow, quarantine share, row count or crawl. OK only means that no further run crossed it.",
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

/** The description of an alarm, which is the only text of ours in its messages. */
export const alarmText = (scope: TextScope, alarm: AlarmDefinition): string => text(scope, alarm);

/** The description of a composite alarm. */
export const compositeText = (scope: TextScope, speaker: keyof typeof COMPOSITES): string =>
  text(scope, COMPOSITES[speaker]);
