import { entriesOf, isBlank } from "../environments/given";
import { type Orchestration } from "../modules/core/orchestrations";

/** Which orchestrator a run deploys for each pipeline. */

interface Asked {
  /** The pipeline to run. */
  readonly pipeline: string;
  /** The option of the command. */
  readonly orchestration?: Orchestration;
  /** The user's own `ETL_<ENVIRONMENT>_ORCHESTRATION`. */
  readonly given: string | undefined;
  /** The names of the pipelines that are deployed with the run. */
  readonly names: readonly string[];
  /** The orchestrators of the pipelines that are deployed now. */
  readonly deployed: Readonly<Record<string, Orchestration>>;
}

/**
 * The value of `ETL_<ENVIRONMENT>_ORCHESTRATION` for the app: the option for the pipeline that runs; for others what the user's own variable says, and
 * otherwise what they have. A pipeline that is not in it has the orchestrator of its settings.
 */
export function chosenOrchestrations({ pipeline, orchestration, given, names, deployed }: Asked): string {
  const own = isBlank(given) ? [] : entriesOf(given);
  const isOwn = (name: string) => own.some((entry) => entry.split(":")[0] === name);
  const kept = Object.entries(deployed).filter(
    ([name]) => name !== pipeline && names.includes(name) && !isOwn(name),
  );
  const others = own.filter((entry) => orchestration === undefined || entry.split(":")[0] !== pipeline);
  return [
    ...others,
    ...kept.map((pair) => pair.join(":")),
    ...(orchestration === undefined ? [] : [`${pipeline}:${orchestration}`]),
  ].join(",");
}
