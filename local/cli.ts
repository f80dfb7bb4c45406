import { Command, CommanderError, Option } from "commander";
import { ORCHESTRATIONS } from "../modules/core/orchestrations";
import { type Format, FORMATS } from "./answers";
import { isDate } from "./deliveries";
import { deployEnvironment, destroyEnvironment, showGuards } from "./environments";
import { down, status } from "./inspect";
import { interrupted, listenForInterrupts } from "./interrupts";
import { environmentPipelines } from "./known-environments";
import { fit } from "./lines";
import { alone } from "./lock";
import { logs } from "./logs";
import { notebook } from "./notebook";
import { BENCH } from "./places";
import { query } from "./query";
import { serve } from "./serve";
import { shell } from "./shell";
import { start, type StartOptions } from "./start";
import { UserError } from "./user-error";

/** The command line of the bench: `npm start -- …`. */

function program(end: (code: number) => void): Command {
  const cli = new Command("npm start --")
    .description(
      "Deploys a pipeline of the dev environment to an embedded AWS on this computer and runs it on real files.",
    )
    .showHelpAfterError("(for help: npm start -- --help)")
    .exitOverride();
  cli
    .command("run", { isDefault: true, hidden: true })
    .option(
      "--pipeline <name>",
      "the pipeline to deploy and run",
      environmentPipelines(BENCH.environment)[0]?.name ?? "",
    )
    .option(
      "--input <path>",
      "folder with dt=YYYY-MM-DD/ folders or YYYY-MM-DD.* files, or one such file (default: the sample, pipelines/<pipeline>/sample)",
    )
    .option("--run-date <date>", "run one date, YYYY-MM-DD (default: every date found, as one back-fill)")
    .addOption(
      new Option(
        "--orchestration <kind>",
        "who orchestrates the run (default: the environment's setting)",
      ).choices(ORCHESTRATIONS),
    )
    .action(async (options: StartOptions) => {
      if (options.runDate !== undefined && !isDate(options.runDate)) {
        throw new UserError(`--run-date must be a date YYYY-MM-DD, got '${options.runDate}'`);
      }
      end(await alone(() => start(options)));
    });
  cli.command("status").description("show what is deployed and how the last run ended").action(status);
  cli
    .command("query <sql>")
    .description('ask Athena, e.g. "select * from etl_dev_processed.events limit 5"')
    .addOption(
      new Option("--format <format>", "csv and json write all rows, and only rows, to standard output")
        .choices(FORMATS)
        .default("table"),
    )
    .action((sql: string, { format }: { format: Format }) => alone(() => query(sql, format)));
  cli
    .command("serve")
    .description("keep the bench up until Ctrl-C, with a profile for aws; show what runs")
    .action(async () => end(await serve()));
  cli
    .command("shell")
    .description("open PySpark on the lake, or run a script: -c, or on standard input")
    .option("-c <code>", "the script; ends with its exit code")
    .option("--as <pipeline>", "take the role of this pipeline's job (default: the account's owner)")
    .option("--environment <name>", "the environment to look at", BENCH.environment)
    .action(async ({ c, ...options }: { c?: string; as?: string; environment: string }) =>
      end(await shell({ ...options, code: c })),
    );
  cli
    .command("notebook [file]")
    .description("open JupyterLab on the lake; --execute runs a notebook and ends")
    .option("--execute", "run the notebook's cells; ends with 1 when a cell fails")
    .option("--as <pipeline>", "take the role of this pipeline's job (default: the account's owner)")
    .option("--environment <name>", "the environment to look at", BENCH.environment)
    .action(async (file: string | undefined, options: { execute?: true; as?: string; environment: string }) =>
      end(await notebook({ ...options, file })),
    );
  cli.command("logs").description("show the ends of the logs, the last job run first").action(logs);
  cli
    .command("destroy")
    .description("destroy an environment with Terraform; guarded resources stay")
    .option("--environment <name>", "the environment to destroy", BENCH.environment)
    .action(({ environment }: { environment: string }) => alone(() => destroyEnvironment(environment)));
  cli
    .command("deploy")
    .description("deploy an environment with all its pipelines, and run nothing")
    .option("--environment <name>", "the environment to deploy", BENCH.environment)
    .action(({ environment }: { environment: string }) => alone(() => deployEnvironment(environment)));
  cli
    .command("guards")
    .description("list what protects an environment, read from its Terraform")
    .option("--environment <name>", "the environment to look at", "prod")
    .action(({ environment }: { environment: string }) => alone(() => showGuards(environment)));
  cli
    .command("down")
    .description("remove the local deployment with its data, logs and records")
    .action(() => alone(down));
  cli.addHelpText(
    "after",
    `
Options of a run:
  --pipeline <name>  the pipeline to deploy and run (default: events); what is
                     deployed already stays
  --input <path>     folder with dt=YYYY-MM-DD/ folders or files named by their
                     date, 2010-12-01.csv, or one such file (default: the sample)
  --run-date <date>  run one date (default: all dates, as one back-fill)
  --orchestration <kind>
                     stepFunctions or workflow: run it by a state machine or by
                     Glue's own workflow (default: the environment's setting)

Examples:
  npm start
  npm start -- --pipeline sales
  npm start -- --input ~/events --run-date 2010-12-05
  npm start -- query "select count(*) from etl_dev_processed.events"
  npm start --silent -- query --format csv "select …" > rows.csv
  npm start -- down`,
  );
  return cli;
}

/** Otherwise commander reports an unknown word as an excess argument of a run. */
function refuseUnknownCommand(cli: Command, word: string | undefined): void {
  const known = cli.commands.map((command) => command.name()).filter((name) => name !== "run");
  if (word === undefined || word.startsWith("-") || word === "run" || word === "help" || known.includes(word))
    return;
  throw new UserError(
    `unknown command '${word}'; commands are ${known.join(", ")}. To run a pipeline, give no command`,
  );
}

async function main(): Promise<void> {
  listenForInterrupts();
  fit(process.stdout);
  fit(process.stderr);
  // A reader that closes the pipe (head, a pager) has seen enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    const cli = program((code) => (process.exitCode = code));
    refuseUnknownCommand(cli, process.argv[2]);
    await cli.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode;
    } else if (interrupted.aborted) {
      console.error("interrupted: every started process is stopped");
      process.exitCode = 130;
    } else if (error instanceof UserError) {
      console.error(error.message);
      process.exitCode = 1;
    } else if ((error as NodeJS.ErrnoException).code === "ENOSPC") {
      console.error("the disk is full: free some space and try again");
      process.exitCode = 1;
    } else {
      console.error(process.env.ETL_TRACE === undefined ? `unexpected: ${(error as Error).message}` : error);
      console.error("set ETL_TRACE=1 for the stack trace; the logs are in .local/logs");
      process.exitCode = 1;
    }
  }
}

void main();
