import type { Mistake } from "./refusals";

/** The orchestrators of a pipeline's runs: a state machine of Step Functions, or Glue's own workflow. */
export const ORCHESTRATIONS = ["stepFunctions", "workflow"] as const;

/** One of {@link ORCHESTRATIONS}. */
export type Orchestration = (typeof ORCHESTRATIONS)[number];

/** The most characters of a watched workflow's name: the role of its watcher's function is named `<name>-watcher-function`, and has at most 64. */
export const LONGEST_WATCHED_NAME = 64 - "-watcher-function".length;

/** Lists the settings that a trigger of a Glue workflow cannot have: `[field, mistake]`. */
export function untakenByWorkflow(settings: {
  readonly schedule?: { readonly start?: unknown; readonly end?: unknown };
  readonly runOverrides?: object;
}): Mistake[] {
  const never = "must be left out with orchestration 'workflow'";
  const overrides = Object.entries(settings.runOverrides ?? {}).filter(
    ([name, value]) => name !== "timeoutMinutes" && value !== undefined,
  );
  const instants = (["start", "end"] as const).map((name) => [name, settings.schedule?.[name]] as const);
  return [
    ...overrides.map(([name, value]): Mistake => [
      `runOverrides.${name}`,
      `${never}: a trigger changes only the time-out of a job, got ${JSON.stringify(value)}`,
    ]),
    ...instants
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): Mistake => [
        `schedule.${name}`,
        `${never}: Glue's triggers have no such instant, got ${JSON.stringify(value)}`,
      ]),
  ];
}
