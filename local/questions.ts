import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { snakeCase } from "./pipeline-choice";
import { ROOT } from "./places";
import { output } from "./stack-outputs";
import { type Outputs } from "./terraform";

/** The query at the end of a run, and one to try next. */
export interface Questions {
  readonly final: string;
  readonly next: string;
}

/** Counts the rows of each run date, unless the pipeline has questions of its own. */
const QUESTIONS: Questions = {
  final: 'select run_date, count(*) as "rows" from ${table} group by 1 order by 1',
  next: "select * from ${table} limit 5",
};

/**
 * The questions of `<folder>/<pipeline>/questions.json`, or the usual ones. `${table}` is the pipeline's table; any other
 * `${name}` is an output of the stack.
 */
export function questionsOf(pipeline: string, outputs: Outputs, folder = join(ROOT, "pipelines")): Questions {
  const own = join(folder, pipeline, "questions.json");
  const { final, next } = existsSync(own) ? (JSON.parse(readFileSync(own, "utf8")) as Questions) : QUESTIONS;
  const filled = (sql: string) =>
    sql.replaceAll(/\$\{(\w+)\}/g, (_, name: string) =>
      name === "table"
        ? `${output(outputs, "processed_database")}.${snakeCase(pipeline)}`
        : output(outputs, name),
    );
  return { final: filled(final), next: filled(next) };
}
