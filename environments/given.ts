/** Reads what comes from outside an environment's file: variables, and texts or lists in them or in the context. */

/** The variable that gives one environment a setting: `ETL_DEV_PIPELINES`. */
export const variableOf = (environment: string, suffix: string): string =>
  `ETL_${environment.toUpperCase()}_${suffix}`;

/** The variable that narrows the pipelines of an environment. */
export const pipelinesVariable = (environment: string): string => variableOf(environment, "PIPELINES");

/** The variable that chooses who orchestrates the pipelines of an environment. */
export const orchestrationVariable = (environment: string): string =>
  variableOf(environment, "ORCHESTRATION");

/** The variable that says which pipelines of an environment are started by arriving files. */
export const arrivalVariable = (environment: string): string => variableOf(environment, "ARRIVAL");

/** A blank text counts as not given. */
export const isBlank = (given: unknown): boolean =>
  given === undefined || (typeof given === "string" && given.trim() === "");

/** Entries of a list, or of a text that separates them by commas, without space around them. */
export function entriesOf(given: unknown): string[] {
  const entries: readonly unknown[] =
    typeof given === "string" ? given.split(",") : Array.isArray(given) ? given : [given];
  return entries.map((entry) => (typeof entry === "string" ? entry.trim() : JSON.stringify(entry)));
}
