import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ENVIRONMENTS } from "../environments/registry";
import { mostBounds } from "../environments/stack-checks";
import { dpuHours, dpuHoursText, hoursText } from "../modules/core/dpu-hours";
import { mostRunsPerMonth } from "../modules/schedules/runs-per-month";

type Resources = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/**
 * One line with the highest cost of a run of each job of a synthesised stack; `undefined` when the stack has no job.
 *
 * @param folder a stack's folder of `cdktf.out`
 */
export function ceilingLine(folder: string): string | undefined {
  const file = join(folder, "cdk.tf.json");
  if (!existsSync(file)) return undefined;
  const { resource = {} } = JSON.parse(readFileSync(file, "utf8")) as { resource?: Resources };
  const jobs = Object.entries(resource.aws_glue_job ?? {}).map(([id, job]) => {
    const bounds = mostBounds(resource, id);
    const name = String(job.name);
    if (bounds === undefined) return `${name} is unknown before Terraform runs`;
    return `${name} ${dpuHoursText(bounds)}${monthText(resource, name, dpuHours(bounds))}`;
  });
  if (jobs.length === 0) return undefined;
  return `${basename(folder)}: at most per run: ${jobs.join("; ")}${budgetOf(basename(folder))}`;
}

/** The monthly cost under the enabled schedule of the job's pipeline. The job's name starts with the pipeline's. */
function monthText(resource: Resources, job: string, hours: number): string {
  const schedule = Object.values(resource.aws_scheduler_schedule ?? {}).find(
    ({ name, state }) => state === "ENABLED" && job.startsWith(`${String(name)}-`),
  );
  const runs = schedule && mostRunsPerMonth(String(schedule.schedule_expression));
  return runs === undefined ? "" : `, × ${runs} runs = ${hoursText(runs * hours)} a month`;
}

function budgetOf(stack: string): string {
  const found = Object.values(ENVIRONMENTS).find(
    ({ project, environment }) => `${project}-${environment}` === stack,
  );
  return found === undefined ? "" : ` (budget ${hoursText(found.budget.dpuHoursPerRun)})`;
}
