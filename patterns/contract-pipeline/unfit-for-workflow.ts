import { untakenByWorkflow } from "../../modules/core/orchestrations";
import { mistakeText } from "../../modules/core/refusals";
import type { RunOverrides } from "../../modules/etl-orchestrator/run-overrides";
import type { OnCrawl } from "../../modules/glue-workflow/workflow-trigger";
import type { ScheduleTrigger } from "../trigger";

/** The names of triggers by what they start: a source's name, or `raw`; `job`; `processed`. */
export type TriggerNames = Readonly<Record<string, string>>;

/** The settings of a pipeline that a workflow honours, or cannot. */
export interface WorkflowSettings {
  readonly triggerNames?: TriggerNames;
  readonly onCrawl?: OnCrawl;
  readonly schedule?: ScheduleTrigger;
  readonly runOverrides?: RunOverrides;
  readonly steps?: unknown;
}

/** The nodes of the chain in their order. */
export const workflowNodes = (sources: readonly string[], isCrawled: boolean): string[] => [
  ...(sources.length === 0 ? ["raw"] : sources),
  "job",
  ...(isCrawled ? ["processed"] : []),
];

/** Lists what a Glue workflow cannot do, as sentences. */
export function unfitForWorkflow(settings: WorkflowSettings, nodes: readonly string[]): string[] {
  const { triggerNames = {}, steps } = settings;
  return [
    ...(steps === undefined
      ? []
      : ["'steps' must be left out with orchestration 'workflow': its nodes are fixed"]),
    ...untakenByWorkflow(settings).map(mistakeText),
    ...Object.keys(triggerNames)
      .filter((name) => !nodes.includes(name))
      .map((name) => `'triggerNames.${name}' must be named like what it starts, one of ${nodes.join(", ")}`),
  ];
}
