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
import { environmentPipelines, refuseUnknown, stackName } from "./known-environments";
import { alone } from "./lock";
import { LOCAL, ROOT, SYNTHESISED } from "./places";
import { Progress } from "./progress";
import { providerSource } from "./provider-source";
import { synthesise } from "./synth";
import { Deployment } from "./terraform";
import { UserError } from "./user-error";

/**
 * `npm run plan -- --environment E`: plans an environment and reviews the plan. Against the bench's state without
 * credentials, in a folder of its own, so that what is deployed there stays as it is; `--live` against the backend.
 */

const USAGE = `Usage: npm run plan -- --environment <name> [options]

Plans an environment and shows what the plan does as one page of Markdown.

Options:
  --environment <name>  dev, staging or prod
  --live                against the environment's backend, with your credentials
                        (default: against the bench's state, without any)
  --allow <file>        widened permissions that were reviewed
  --output <file>       write the page there

Exit codes: 0 nothing dangerous, 2 data is lost, 3 permissions are widened, 1 the
command or Terraform failed.`;

const PLANS = join(LOCAL, "plan");
const STATE = "terraform.tfstate";

interface Planned {
  readonly json: string;
  /** What was planned against what. */
  readonly about: string;
}

async function main(args: readonly string[]): Promise<number> {
  const { environment, live, allow, output, help } = parse(args);
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  refuseUnknown(environment);
  // The page goes to standard output; what is done meanwhile must not get into a file that it is piped into.
  const progress = new Progress();
  progress.line = (text) => void process.stderr.write(`${text}\n`);
  const { json, about } = await alone(() =>
    live === true ? planLive(environment, progress) : planOnBench(environment, progress),
  );
  mkdirSync(PLANS, { recursive: true });
  const file = join(PLANS, `${environment}.json`);
  // A plan shows sensitive values in plain text.
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
        (isApplied ? addedText(environment, synthesised) : ""),
    };
  } finally {
    await aws.stop();
  }
}

/** All of the environment is planned, so that nothing goes unjudged: the page says which pipelines the bench never had. */
function addedText(environment: string, synthesised: string): string {
  const all = environmentPipelines(environment);
  const deployed = deployedPipelines(stackName(environment), all);
  const added = synthesisedPipelines(synthesised, all).filter((name) => !deployed.includes(name));
  return added.length === 0
    ? ""
    : ` Not deployed on the bench yet, so the plan adds them: ${added.join(", ")}.`;
}

/** As `cdktf diff` does it: where the stack was synthesised, with the backend and the credentials that are set up. */
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
    // The role that reads may not write a lock, and this plan is not applied.
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
    if (interrupted.aborted) console.error("interrupted: everything that was started is stopped");
    else console.error(error instanceof UserError ? error.message : error);
    process.exitCode = interrupted.aborted ? 130 : 1;
  },
);
