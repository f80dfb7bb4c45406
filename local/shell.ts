import { clientsOf } from "./clients";
import { withBench } from "./keep-up";
import { refuseUnknown, stackName } from "./known-environments";
import {
  lakeLines,
  openSession,
  refuseUnusable,
  runSession,
  type SessionOptions,
  sparkOf,
} from "./spark-session";

/** `npm start -- shell`: PySpark on the bench's lake, with the Data Catalog. */

export interface ShellOptions extends SessionOptions {
  /** A script; without it, that on standard input, or the shell when standard input is a terminal. */
  readonly code?: string;
}

/** @returns the exit code of the shell or the script */
export async function shell(options: ShellOptions): Promise<number> {
  const { environment, code } = options;
  refuseUnknown(environment);
  const isInteractive = code === undefined && process.stdin.isTTY;
  // Standard output is the script's.
  const say = (line: string) => (isInteractive ? console.log(line) : console.error(line));
  const check = () => refuseUnusable(options);
  return withBench("npm start -- shell", { say, check }, async ({ at }) => {
    const { glue } = clientsOf(at);
    const session = await openSession(options, at, glue);
    const { glueVersion, who } = session;
    say(`${stackName(environment)}, Glue ${glueVersion} (${sparkOf(glueVersion)}), as ${who}`);
    if (!isInteractive) return runSession(session, { kind: "script", code });
    for (const line of await lakeLines(environment, glue)) say(line);
    say("starting Spark; exit() or Ctrl-D ends it …");
    return runSession(session, { kind: "shell" });
  });
}
