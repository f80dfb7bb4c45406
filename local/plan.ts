import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { planReviewCommand } from "../plan-review/plan-review-command";
import { healAloud } from "./deploy";
import { deployedPipelines, synthesisedPipelines } from "./deployed-pipelines";
import { EmbeddedAws } from "./embedded-aws";
import { synthesiseEnvironment } from "./environments";
import { interrupted, listenForInterrupts } from "./interrupts";
import { environmentPipelines, narrowingText, refuseUnknown, stackName } from "./known-environments";
import { alone } from "./lock";
import { LOCAL, ROOT, SYNTHESISED } from "./places";
import { Progress } from "./progress";
import { providerSource } from "./provider-source";
import { synthesise } from "./synth";
import { Deployment } from "./terraform";
import { UserError } from "./user-error";

/**
 * `npm run plan -- --environment E`: plans an environment and reviews the plan. By default it plans without credentials against
 * the bench's state, in a separate folder, so that the bench stays as it is. `--live` plans against the backend.
 */

const USAGE = `Usage: npm run plan -- --environment <name> [options]

Plans an environment and summarises the plan as one page of Markdown.

Options:
  --environment <name>  dev, staging or prod
  --live                plan against the environment's backend with your credentials
                        (default: against the bench's state, without credentials)
  --allow <file>        a file of reviewed permissions that may be widened
  --output <file>       write the page to this file

Exit codes: 0 nothing dangerous, 1 the command or Terraform failed, 2 data is
lost, 3 permissions are widened.`;

const PLANS = join(LOCAL, "plan");
const STATE = "terraform.tfstate";

interface Planned {
  readonly json: string;
  /** States which environment was planned, and against which state. */
  readonly about: string;
}

async function main(args: readonly string[]): Promise<number> {
  const { environment, live, allow, output, help } = parse(args);
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  refuseUnknown(environment);
  // Only the page goes to standard output, which may be piped into a file.
  const progress = new Progress();
  progress.line = (text) => void process.stderr.write(`${text}\n`);
  const { json, about } = await alone(() =>
    live === true ? planLive(environment, progress) : planOnBench(environment, progress),
  );
  mkdirSync(PLANS, { recursive: true });
  const file = join(PLANS, `${environment}.json`);
  // Only for the user: a plan shows sensitive values in plain text.
  writeFileSync(file, json, { mode: 0o600 });
  const near = (path: string) => resolve(process.env.INIT_CWD ?? ROOT, path);
  const options = [
    ...["--about", about],
    ...(allow === undefined ? [] : ["--allow", near(allow)]),
    ...(output === undefined ? [] : ["--output", near(output)]),
  ];
  return planReviewCommand([file, ...options], (text) => process.stdout.write(text));
}

function parse(args: readonly string[]) {
  try {
    const options = {
      environment: { type: "string" },
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

async function planOnBench(environment: string, progress: Progress): Promise<Planned> {
  const stack = stackName(environment);
  const outdir = join(PLANS, "cdktf.out");
  const synthesised = await progress.step("synth", (note) =>
    synthesiseEnvironment(environment, { outdir, note }),
  );
  const folder = join(PLANS, stack);
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, STATE), { force: true });
  const applied = join(LOCAL, "terraform", stack, STATE);
  await healAloud((line) => progress.line(line));
  const isApplied = existsSync(applied);
  if (isApplied) copyFileSync(applied, join(folder, STATE));
  const aws = await progress.step("embedded AWS", () => EmbeddedAws.start());
  try {
    const json = await progress.step("plan", (note) =>
      new Deployment(synthesised, stack, aws.at, note, folder).plan(),
    );
    const against = isApplied
      ? "what is applied on the bench"
      : "an empty state: nothing is applied on the bench";
    return {
      json,
      about:
        `\`${environment}\`, planned without credentials against ${against}. Not AWS.` +
        narrowedText(environment) +
        (isApplied ? addedText(environment, synthesised) : ""),
    };
  } finally {
    await aws.stop();
  }
}

/** A plan of a part must not look like one of the whole. */
function narrowedText(environment: string): string {
  const narrowing = narrowingText(environment);
  return narrowing === undefined
    ? ""
    : ` Only the pipelines of \`${narrowing}\`: the plan removes the others.`;
}

/** All of the environment is planned, so that nothing goes unjudged: the page says which pipelines the bench never had. */
function addedText(environment: string, synthesised: string): string {
  const all = environmentPipelines(environment);
  const deployed = deployedPipelines(stackName(environment), all);
  const added = synthesisedPipelines(synthesised, all).filter((name) => !deployed.includes(name));
  if (added.length === 0) return "";
  return (
    ` Not deployed on the bench yet, so the plan adds them: ${added.join(", ")}. To see only your change, run ` +
    `\`npm start -- deploy --environment ${environment}\` before you make it.`
  );
}

/** Plans as `cdktf diff` does: in the synthesised folder, with the configured backend and credentials. */
async function planLive(environment: string, progress: Progress): Promise<Planned> {
  const synthesised = await progress.step("synth", () => synthesise({ ETL_ENVIRONMENTS: environment }));
  const cwd = synthesised[0]!;
  const { variables } = await providerSource(join(LOCAL, "terraform"), process.env);
  const terraform = async (...args: string[]) => {
    const env = { ...process.env, ...variables, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
    const ended = await execa("terraform", args, {
      cwd,
      env,
      extendEnv: false,
      reject: false,
      cancelSignal: interrupted,
    });
    interrupted.throwIfAborted();
    if (ended.exitCode !== 0) throw new UserError(`terraform ${args[0]} failed:\n${ended.stderr.trim()}`);
    return ended.stdout;
  };
  const json = await progress.step("plan", async () => {
    await terraform("init", "-input=false", "-no-color");
    // No lock: the reading role may not write one, and this plan is never applied.
    await terraform("plan", "-input=false", "-no-color", "-lock=false", "-out=plan.tfplan");
    return terraform("show", "-json", "plan.tfplan");
  });
  const where = relative(ROOT, SYNTHESISED);
  return { json, about: `\`${environment}\`, planned against its backend (synthesised in \`${where}\`).` };
}

listenForInterrupts();
main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    if (interrupted.aborted) console.error("interrupted: every started process is stopped");
    else console.error(error instanceof UserError ? error.message : error);
    process.exitCode = interrupted.aborted ? 130 : 1;
  },
);
