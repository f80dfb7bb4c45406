import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, openSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { clientsOf } from "./clients";
import { anyFreePort } from "./free-port";
import { interrupted, pause } from "./interrupts";
import { withBench } from "./keep-up";
import { writeData } from "./lines";
import { refuseUnknown, stackName } from "./known-environments";
import { LOCAL, LOGS, ROOT, SETUP } from "./places";
import { install } from "./setup";
import {
  lakeLines,
  openSession,
  refuseUnusable,
  runSession,
  type Session,
  type SessionOptions,
  sparkOf,
} from "./spark-session";
import { UserError } from "./user-error";

/** `npm start -- notebook`: JupyterLab on the bench's lake, with a Spark session in each notebook. */

export interface NotebookOptions extends SessionOptions {
  /** A notebook, as the user typed it. */
  readonly file?: string;
  /** Runs the notebook's cells and ends, without JupyterLab. */
  readonly execute?: boolean;
}

const PYTHON = join(SETUP, "venv-notebook", "bin", "python");
const RUNTIME = join(ROOT, "embedded-aws", "embedded_aws", "glue", "sessions", "session-runtime");
const LOG = join(LOGS, "jupyter.log");
const COMMAND = "npm start -- notebook";
const LOOK_MS = 250;

/** @returns 0 after Ctrl-C; with `execute` the exit code of the notebook */
export async function notebook(options: NotebookOptions): Promise<number> {
  const { environment, execute } = options;
  refuseUnknown(environment);
  const file = options.file === undefined ? undefined : notebookFile(options.file);
  if (execute === true && file === undefined)
    throw new UserError("--execute: give the notebook, e.g. pipelines/events/events.ipynb");
  const check = () => refuseUnusable(options);
  check(); // before JupyterLab is installed
  await install("notebook");
  const say = (line: string) => console.log(line);
  return withBench(COMMAND, { say, check }, async ({ at }) => {
    const { glue } = clientsOf(at);
    const session = await openSession(options, at, glue);
    const { glueVersion, who } = session;
    say(`${stackName(environment)}, Glue ${glueVersion} (${sparkOf(glueVersion)}), as ${who}`);
    if (execute === true) return executeNotebook(session, file!);
    for (const line of await lakeLines(environment, glue)) say(line);
    return serveNotebooks(session, file, say);
  });
}

/** @throws UserError when there is no such notebook */
function notebookFile(typed: string): string {
  const file = resolve(process.env.INIT_CWD ?? ROOT, typed);
  if (!file.endsWith(".ipynb") || !existsSync(file))
    throw new UserError(`'${typed}' is not a notebook: give a file that ends in .ipynb`);
  return file;
}

function executeNotebook(session: Session, file: string): Promise<number> {
  const command = [PYTHON, join(RUNTIME, "execute_notebook.py"), file];
  return runSession(session, { kind: "run", python: PYTHON, command }, kernelVariables());
}

async function serveNotebooks(
  session: Session,
  file: string | undefined,
  say: (line: string) => void,
): Promise<number> {
  // JupyterLab opens only files below its root.
  const isInside = file === undefined || !relative(ROOT, file).startsWith("..");
  const root = isInside ? ROOT : resolve(file, "..");
  const [port, token] = [await anyFreePort("JupyterLab"), randomBytes(24).toString("hex")];
  const options = {
    "ServerApp.ip": "127.0.0.1",
    "ServerApp.port": String(port),
    "ServerApp.port_retries": "0",
    "ServerApp.root_dir": root,
    "ServerApp.open_browser": "False",
    // Files instead of ports, which other users of the computer could reach.
    "KernelManager.transport": "ipc",
  };
  const command = [
    ...[PYTHON, "-m", "jupyterlab"],
    // Jupyter warns a root user off, who is the usual one in a container.
    ...(process.getuid?.() === 0 ? ["--allow-root"] : []),
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
  ];
  mkdirSync(LOGS, { recursive: true });
  say(`starting JupyterLab; its log is ${relative(ROOT, LOG)} …`);
  const ended = runSession(
    session,
    { kind: "run", python: PYTHON, command, log: openSync(LOG, "w") },
    { ...kernelVariables(), JUPYTER_TOKEN: token },
  );
  const address = `http://127.0.0.1:${port}`;
  const place = file === undefined ? "" : `/tree/${relative(root, file)}`;
  let hasEnded = false;
  void ended.finally(() => (hasEnded = true)).catch(() => undefined);
  const code = await Promise.race([ended, untilUp(address, token, () => hasEnded)]);
  if (code !== undefined)
    throw new UserError(`JupyterLab ended with code ${code} before it was ready; its log is ${LOG}`);
  say("open in a browser:");
  await writeData(`${address}/lab${place}?token=${token}\n`); // not wrapped: a link is one line
  say("in each notebook, spark is ready; Ctrl-C here ends JupyterLab and all its sessions");
  const last = await ended;
  if (!interrupted.aborted) return last;
  say("stopped: JupyterLab and its sessions have ended");
  return 0;
}

/** Returns when JupyterLab answers, or has ended. */
async function untilUp(address: string, token: string, hasEnded: () => boolean): Promise<undefined> {
  while (!hasEnded()) {
    try {
      const { ok } = await fetch(`${address}/api/status`, { headers: { authorization: `token ${token}` } });
      if (ok) return undefined;
    } catch {
      // It does not listen yet.
    }
    await pause(LOOK_MS);
  }
}

/** The user's own settings of Jupyter stay as they are. Each kernel starts a Spark session. */
function kernelVariables(): Record<string, string> {
  const of = (name: string) => join(LOCAL, "jupyter", name);
  mkdirSync(of("ipython"), { recursive: true });
  return {
    JUPYTER_CONFIG_DIR: of("config"),
    JUPYTER_DATA_DIR: of("data"),
    IPYTHONDIR: of("ipython"),
    PYTHONSTARTUP: join(RUNTIME, "start_notebook.py"),
  };
}
