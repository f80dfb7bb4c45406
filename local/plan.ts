import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { planReviewCommand } from "../plan-review/plan-review-command";
import { interrupted, listenForInterrupts } from "./interrupts";
import { fit } from "./lines";
import { narrowingText, refuseUnknown } from "./known-environments";
import { alone } from "./lock";
import { LOCAL, ROOT, SYNTHESISED } from "./places";
import { type Base, changeText, findBase, short } from "./plan/base";
import { noVerdictPage, verdictOf } from "./plan/no-verdict";
import { planLive } from "./plan/plan-live";
import { type PlannedOnBase, planOnBase } from "./plan/plan-on-base";
import { Progress } from "./progress";
import { UserError } from "./user-error";

/**
 * `npm run plan -- --environment E --base REF`: plans the working tree against what a commit synthesises, and reviews the plan. The
 * commit is deployed on a bench of its own. `--live` plans against the backend. There is no verdict without one of them.
 */

const USAGE = `Usage: npm run plan -- --environment <name> --base <git ref> [options]

Plans the working tree, uncommitted and new files too, against what a commit
synthesises, and reviews the plan as one page of Markdown. Needs no AWS account:
the commit is deployed on a bench of its own, which is kept for the next time.

Options:
  --environment <name>  dev, staging or prod
  --base <git ref>      the commit to compare with
                        (default, in CI for pull requests: the merge base with
                        the target branch)
  --live                plan against the environment's backend with your
                        credentials instead
  --allow <file>        a file of reviewed permissions that may be widened
  --output <file>       write the page to this file

Exit codes: 0 nothing dangerous, 1 there is no verdict, 2 data is lost,
3 permissions are widened.`;

const PLANS = join(LOCAL, "plan");

interface Options {
  readonly environment: string;
  readonly base?: string;
  readonly live?: boolean;
  readonly allow?: string;
  readonly output?: string;
}

interface Planned {
  readonly json: string;
  /** Says which environment was planned, and against what. */
  readonly about: string;
  /** The folder of the plan, and of the page without `--output`. */
  readonly folder: string;
}

async function main(args: readonly string[]): Promise<number> {
  const { help, ...given } = parse(args);
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  const { environment, base, live } = given;
  refuseUnknown(environment);
  if (base !== undefined && live === true) throw new UserError("choose one of --base and --live");
  const options = { ...given, environment };
  try {
    return reviewed(await planned(options), options);
  } catch (error) {
    if (!(error instanceof UserError) || interrupted.aborted) throw error;
    return withoutVerdict(error.message, options);
  }
}

function parse(args: readonly string[]) {
  try {
    const options = {
      environment: { type: "string" },
      base: { type: "string" },
      live: { type: "boolean" },
      allow: { type: "string" },
      output: { type: "string" },
      help: { type: "boolean", short: "h" },
    } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

async function planned({ environment, base: given, live }: Options): Promise<Planned> {
  // Only the page goes to standard output, which may be piped into a file.
  const progress = new Progress();
  progress.line = (text) => void process.stderr.write(`${text}\n`);
  if (live === true) {
    const json = await alone(() => planLive(environment, progress));
    const where = relative(ROOT, SYNTHESISED);
    const about = `\`${environment}\`, planned against its backend (synthesised in \`${where}\`).`;
    return { json, about, folder: join(PLANS, "live", environment) };
  }
  const base = await findBase({ environment, given, variables: process.env });
  const change = await changeText();
  progress.line(`comparing ${change} with ${base.name} (${short(base.commit)})`);
  for (const note of base.notes) progress.note(note.replaceAll("`", ""));
  const onBase = await planOnBase(base, environment, progress);
  return { ...onBase, about: aboutText(environment, base, change, onBase) };
}

function aboutText(environment: string, base: Base, change: string, { isNew }: PlannedOnBase): string {
  const narrowing = narrowingText(environment);
  const named = base.name.replace(/\S+$/, (ref) => `\`${ref}\``);
  return [
    `\`${environment}\`: ${change} against ${named} (${short(base.commit)}). Planned on the bench, not on AWS.`,
    ...(isNew ? ["The base has no such environment, so all of it is new."] : []),
    // A plan of a part must not look like one of the whole.
    ...(narrowing === undefined ? [] : [`Only the pipelines of \`${narrowing}\`, in both.`]),
    ...base.notes,
  ].join(" ");
}

/** Writes the page, and ends the screen with its verdict and its place. */
function reviewed({ json, about, folder }: Planned, { allow, output }: Options): number {
  mkdirSync(folder, { recursive: true });
  const plan = join(folder, "plan.json");
  // Only for the user: a plan shows sensitive values in plain text.
  writeFileSync(plan, json, { mode: 0o600 });
  const page = output === undefined ? join(folder, "page.md") : near(output);
  rmSync(page, { force: true });
  const options = [
    ...["--about", about, "--output", page],
    ...(allow === undefined ? [] : ["--allow", near(allow)]),
  ];
  let complaint = "";
  const code = planReviewCommand([plan, ...options], (text) => (complaint += text));
  if (complaint !== "") throw new UserError(complaint.trim());
  show(page, output);
  return code;
}

function withoutVerdict(why: string, { environment, output }: Options): number {
  if (output !== undefined) console.error(why);
  const page = output === undefined ? join(PLANS, `no-verdict-${environment}.md`) : near(output);
  mkdirSync(dirname(page), { recursive: true });
  writeFileSync(page, noVerdictPage(environment, why));
  show(page, output);
  return 1;
}

/** The page goes to standard output, or to a file; then the screen ends with the verdict and that file. */
function show(file: string, output: string | undefined): void {
  const page = readFileSync(file, "utf8");
  if (output === undefined) process.stdout.write(page);
  const say = output === undefined ? console.error : console.log;
  say(verdictOf(page));
  say(`page: ${relative(process.env.INIT_CWD ?? ROOT, file) || file}`);
}

const near = (path: string): string => resolve(process.env.INIT_CWD ?? ROOT, path);

listenForInterrupts();
fit(process.stderr);
main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    if (interrupted.aborted) console.error("interrupted: every started process is stopped");
    else console.error(error instanceof UserError ? error.message : error);
    process.exitCode = interrupted.aborted ? 130 : 1;
  },
);
