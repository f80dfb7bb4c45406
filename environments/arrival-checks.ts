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
      { ...JUDGED_ALONE, pipelines: [{ ...arrival, name, isWorkflow: false, refusing: [] }] },
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
