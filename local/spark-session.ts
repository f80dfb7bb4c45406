import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { dirname, join } from "node:path";
import { type GlueClient, GetJobCommand, paginateGetTables } from "@aws-sdk/client-glue";
import { type Endpoint } from "./endpoint";
import { interrupted, leavingCtrlC } from "./interrupts";
import { stackName } from "./known-environments";
import { NOTHING } from "./inspect";
import { snakeCase } from "./pipeline-choice";
import { BENCH, JARS, PYTHON, ROOT } from "./places";
import { incompleteText, returnPoint } from "./return-point";
import { installSpark4For, SPARK4_JARS, SPARK4_PYTHON } from "./spark4";
import { deployedResources, outputValues, terraformFolder } from "./terraform-state";
import { UserError } from "./user-error";

/** A Spark session on the bench's lake: on which environment, as whom, with which Spark. `shell` and `notebook` open one. */

export interface SessionOptions {
  readonly environment: string;
  /** The pipeline whose job's role the session takes; `undefined`: the account's owner, who may do everything. */
  readonly as?: string;
}

/** A session that can be opened. */
export interface Session {
  readonly at: Endpoint;
  readonly glueVersion: string;
  /** e.g. `the role etl-dev-events-transform`. */
  readonly who: string;
  readonly keys: Keys;
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @throws UserError when the environment is not deployed, or its pipeline has no job */
export function refuseUnusable({ environment, as }: SessionOptions): void {
  const stack = stackName(environment);
  const resources = deployedResources(stack);
  const isBench = environment === BENCH.environment;
  if (resources === 0)
    throw new UserError(
      isBench
        ? NOTHING
        : `${stack} is not deployed here: type npm start -- deploy --environment ${environment}`,
    );
  const point = returnPoint();
  if (point?.stack === stack && point.first && point.ended !== undefined)
    throw new UserError(`there is no lake yet: ${incompleteText(point, resources, undefined)}`);
  const outputs = outputValues(stack);
  if (as !== undefined) jobOf(outputs, as, stack);
}

/** The name of a pipeline's job. @throws UserError naming the pipelines that have one */
export function jobOf(outputs: Readonly<Record<string, unknown>>, pipeline: string, stack: string): string {
  const end = "_job_name";
  const found = outputs[`${snakeCase(pipeline)}${end}`];
  if (typeof found === "string") return found;
  const known = Object.keys(outputs)
    .filter((name) => name.endsWith(end))
    .map((name) => name.slice(0, -end.length).replaceAll("_", "-"));
  throw new UserError(
    `--as: ${stack} has no job of a pipeline '${pipeline}'; deployed are ${known.sort().join(", ")}`,
  );
}

/** Takes the role, and installs Spark 4 where the job has it. */
export async function openSession(
  { environment, as }: SessionOptions,
  at: Endpoint,
  glue: GlueClient,
): Promise<Session> {
  const stack = stackName(environment);
  await installSpark4For(terraformFolder(stack));
  const outputs = outputValues(stack);
  const [first] = Object.entries(outputs).filter(([name]) => name.endsWith("_job_name"));
  const name = as === undefined ? (first?.[1] as string | undefined) : jobOf(outputs, as, stack);
  const job = name === undefined ? undefined : await glue.send(new GetJobCommand({ JobName: name }));
  const glueVersion = job?.Job?.GlueVersion ?? "5.1";
  if (as === undefined) return { at, glueVersion, who: "the account's owner", keys: at };
  const { roleArn, ...keys } = await jobCredentials(at, name!);
  return { at, glueVersion, who: `the role ${roleArn.split("/").at(-1)!}`, keys };
}

/** Temporary credentials of a job's role, as its runs have them. */
async function jobCredentials(at: Endpoint, job: string): Promise<Keys & { readonly roleArn: string }> {
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request(
      `${at.endpoint}/_embedded-aws/job-credentials`,
      {
        method: "POST",
        ca: readFileSync(at.caBundle),
        headers: { authorization: `Bearer ${at.secretAccessKey}` },
      },
      (answer) => {
        let body = "";
        answer.on("data", (chunk: Buffer) => (body += chunk.toString()));
        answer.on("end", () =>
          answer.statusCode === 200
            ? resolve(body)
            : reject(new UserError(`the role of ${job} cannot be taken: ${messageOf(body)}`)),
        );
      },
    );
    asked.once("error", reject).end(JSON.stringify({ job }));
  });
  return JSON.parse(text) as Keys & { roleArn: string };
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message: string }).message;
  } catch {
    return body;
  }
}

/** One line for each database of the environment, with its tables. */
export async function lakeLines(environment: string, glue: GlueClient): Promise<string[]> {
  const databases = Object.entries(outputValues(stackName(environment)))
    .filter(([name]) => name.endsWith("_database"))
    .map(([, value]) => String(value));
  const width = Math.max(...databases.map((name) => name.length));
  return Promise.all(
    databases.sort().map(async (database) => {
      const names: string[] = [];
      for await (const { TableList = [] } of paginateGetTables({ client: glue }, { DatabaseName: database }))
        for (const { Name, Parameters } of TableList)
          names.push(
            Parameters?.table_type?.toUpperCase() === "ICEBERG" ? `${Name!} (Iceberg)` : (Name ?? ""),
          );
      const tables = names.length === 0 ? "no tables" : names.sort().join(", ");
      return `  ${database.padEnd(width)}  ${tables}`;
    }),
  );
}

/** `Spark 3.5` of Glue 5.1, https://docs.aws.amazon.com/glue/latest/dg/release-notes.html. */
export const sparkOf = (glueVersion: string): string =>
  glueVersion.startsWith("6.") ? "Spark 4.1" : "Spark 3.5";

/** A program that runs in the session: PySpark's shell, a script, or a command with a Python of its own. */
export type Program =
  | { readonly kind: "shell" }
  | { readonly kind: "script"; readonly code?: string }
  | {
      readonly kind: "run";
      readonly python: string;
      readonly command: readonly string[];
      /** The descriptor of the file that takes its output; `undefined`: the terminal. */
      readonly log?: number;
    };

/**
 * Runs a program in the session until it ends.
 *
 * @param variables further variables of its environment
 * @returns its exit code
 */
export async function runSession(
  { at, glueVersion, keys }: Session,
  program: Program,
  variables: Readonly<Record<string, string>> = {},
): Promise<number> {
  const isCommand = program.kind === "run";
  const output = (isCommand ? program.log : undefined) ?? "inherit";
  const child = spawn(
    PYTHON,
    [
      join(ROOT, "embedded-aws", "interactive_session.py"),
      ...["--endpoint", at.endpoint, "--tls", dirname(at.caBundle), "--region", BENCH.region],
      ...["--glue-version", glueVersion, "--jars", JARS],
      ...["--spark4-python", SPARK4_PYTHON, "--spark4-jars", SPARK4_JARS, "--lifeline", "3"],
      ...(isCommand ? ["--python", program.python] : []),
      ...argumentsOf(program),
    ],
    {
      env: {
        ...process.env,
        ...variables,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_SESSION_TOKEN: keys.sessionToken ?? "",
        AWS_DEFAULT_REGION: BENCH.region,
      },
      // When this process ends, however it does, the pipe closes, and the session ends.
      stdio: ["inherit", output, output, "pipe"],
      // A command gets no Ctrl-C from the terminal: it is ended in order.
      detached: isCommand,
    },
  );
  const end = () => child.kill("SIGTERM");
  interrupted.addEventListener("abort", end, { once: true });
  at.gone?.addEventListener("abort", end, { once: true });
  const wait = () =>
    new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
    });
  try {
    const code = await (program.kind === "shell" ? leavingCtrlC(wait) : wait());
    at.gone?.throwIfAborted();
    return code;
  } finally {
    interrupted.removeEventListener("abort", end);
    at.gone?.removeEventListener("abort", end);
  }
}

function argumentsOf(program: Program): readonly string[] {
  if (program.kind === "shell") return ["shell"];
  if (program.kind === "script")
    return program.code === undefined ? ["script"] : ["script", `--code=${program.code}`];
  return ["run", ...program.command];
}
