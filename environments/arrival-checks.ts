import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readContract } from "../contracts/contract";
import { placesOf, refusingNames } from "../contracts/source-contracts";
import { arrivalMistakes } from "../patterns/file-arrival/arrival-mistakes";
import { arrivalOf, arrivalSchema } from "../pipelines/arrival-settings";

interface Candidate {
  readonly pipelines?: Readonly<Record<string, object | undefined>>;
}

/** Mistakes in the arrival of pipelines, as far as its schema takes it: of its rules, and where it does not go together with the orchestration. */
export function arrivalSettingMistakes({ pipelines }: Candidate): string[] {
  return Object.entries(pipelines ?? {}).flatMap(([name, settings]) => {
    const { success, data: arrival } = arrivalSchema.safeParse(arrivalOf(settings));
    if (!success) return [];
    const isWorkflow = "orchestration" in settings! && settings.orchestration === "workflow";
    const rules = arrivalMistakes(
      {
        ...JUDGED_ALONE,
        pipelines: [{ ...arrival, name, isWorkflow: false, refusing: refusingSources(name) }],
      },
      () => true,
    ).map(
      ([field, mistake]) =>
        `'${field.replace(`pipelines.${name}.`, `pipelines.${name}.arrival.`)}' ${mistake}`,
    );
    if (!isWorkflow || !arrival.enabled) return rules;
    return [
      ...rules,
      `'pipelines.${name}.arrival.enabled' must be false where 'orchestration' is "workflow", got true: a Glue workflow cannot be given the ` +
        "dates of a run's deliveries; use a schedule",
    ];
  });
}

/** The settings of a whole `FileArrival`, which an environment does not choose. */
const JUDGED_ALONE = { name: "arrival", lookEveryMinutes: 5, batchWindowSeconds: 20, maxReceives: 20 };

/** The sources of the pipeline's contract whose runs end at a file beside the folders of days; mistakes in contracts are reported elsewhere. */
function refusingSources(pipeline: string): string[] {
  const file = join(__dirname, "..", "pipelines", pipeline, `${pipeline}.schema.json`);
  if (!existsSync(file)) return [];
  try {
    const { contract, mistakes } = readContract(JSON.parse(readFileSync(file, "utf8")));
    if (mistakes.length > 0) return [];
    return refusingNames(placesOf(contract));
  } catch {
    return []; // no JSON
  }
}
