import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readAllowances } from "./allowances";
import { pageOf } from "./page";
import { readPlan, UsageError } from "./plan";
import { decoded } from "./plan-text";
import { review } from "./review";

const USAGE = `Usage: cdktf-aws-etl plan-review [options] <plan.json>

Reports what a plan does to data, permissions, protection, schedules and cost, as
one page of Markdown. The plan is the JSON of Terraform:

  terraform plan -out=plan.tfplan && terraform show -json plan.tfplan > plan.json

Options:
  --allow <file>    widened permissions that were reviewed, as JSON: a list of
                    {principal, action, resource, reason, reviewedBy, expires}
  --about <text>    a line below the verdict, e.g. environment and state
  --output <file>   write the page to a file
  --help            this text

Exit codes: 0 nothing dangerous; 2 data is lost; 3 permissions are widened that
no entry allows; 1 the command, the plan or the reviewed file is wrong. If
several apply, 2 comes before 3, and 3 before a wrong entry.
plan-review/README.md lists what is checked.`;

/**
 * Runs `cdktf-aws-etl plan-review plan.json`, which writes a Terraform plan as one page of Markdown.
 *
 * @param today YYYY-MM-DD, to find expired entries
 * @returns its exit code
 */
export function planReviewCommand(
  args: readonly string[],
  write: (text: string) => void,
  today: string = new Date().toISOString().slice(0, 10),
): number {
  try {
    const { values, positionals } = parse(args);
    if (values.help === true) {
      write(`${USAGE}\n`);
      return 0;
    }
    const [file, ...others] = positionals;
    if (file === undefined) throw new UsageError("give the file of a plan, e.g. plan.json");
    if (others.length > 0) throw new UsageError(`one plan at a time, got ${positionals.join(" ")}`);
    const plan = readPlan(read(file), file);
    const allowances = values.allow === undefined ? [] : readAllowances(read(values.allow), values.allow);
    const found = review(plan, allowances, today);
    const page = pageOf(found, values.about ?? "");
    if (values.output === undefined) write(page);
    else save(values.output, page);
    return found.exitCode;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    write(`${error.message}\n(see cdktf-aws-etl plan-review --help)\n`);
    return 1;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        allow: { type: "string" },
        about: { type: "string" },
        output: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

function read(file: string): string {
  try {
    return decoded(readFileSync(file));
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${reasonOf(error)})`);
  }
}

function save(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (error) {
    throw new UsageError(`${file} cannot be written (${reasonOf(error)})`);
  }
}
