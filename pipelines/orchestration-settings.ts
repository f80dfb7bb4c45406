import { LONGEST_WATCHED_NAME, untakenByWorkflow } from "../modules/core/orchestrations";
import { triggerScheduleMistakes } from "../modules/schedules/trigger-schedule";

/** Mistakes in pipelines that a Glue workflow orchestrates: settings that are right by themselves and do not go together. */

interface Orchestrated {
  readonly orchestration?: string;
  readonly schedule?: {
    readonly cron?: string;
    readonly timeZone?: string;
    readonly start?: string;
    readonly end?: string;
  };
  readonly runOverrides?: object;
}

interface Candidate {
  readonly project?: string;
  readonly environment?: string;
  readonly pipelines?: Readonly<Record<string, Orchestrated | undefined>>;
}

/** @param candidate settings whose schedules have no mistakes of their own */
export function orchestrationMistakes({ project, environment, pipelines = {} }: Candidate): string[] {
  return Object.entries(pipelines).flatMap(([pipeline, settings]) => {
    if (settings?.orchestration !== "workflow") return [];
    const { schedule, runOverrides } = settings;
    const field = `pipelines.${pipeline}`;
    const name = `${project}-${environment}-${pipeline}`;
    const cron = schedule?.cron;
    return [
      ...[
        ...untakenByWorkflow({ schedule, runOverrides }),
        ...(cron === undefined ? [] : triggerScheduleMistakes({ cron, timeZone: schedule?.timeZone })),
      ].map(([of, mistake]) => `'${field}.${of}' ${mistake}`),
      ...(name.length <= LONGEST_WATCHED_NAME
        ? []
        : [
            `'${field}.orchestration' must not be workflow, got "workflow": '${name}' has ${name.length} characters, and the function that ` +
              `watches a workflow allows ${LONGEST_WATCHED_NAME}; shorten 'project'`,
          ]),
    ];
  });
}
