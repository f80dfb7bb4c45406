import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { codeOf, UsageError } from "../modules/core/command-line";
import { PACKAGE_ROOT } from "../modules/core/package-root";
import type { Answered, Question } from "./spark-questions";

/** Runs `glue-scripts/compiler/ask_spark.py` in a Python that has PySpark. */

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names the Python. */
const VARIABLE = "CDKTF_AWS_ETL_PYTHON";
const SCRIPTS = join(PACKAGE_ROOT, "glue-scripts");
const OWN = join(PACKAGE_ROOT, ".setup", "venv", "bin", "python");

/** The Python that is named by the option, else by the environment, else the one of this checkout, else `python3`. */
export const pythonOf = (option: string | undefined, environment: Environment): string =>
  [option, environment[VARIABLE], existsSync(OWN) ? OWN : undefined].find(Boolean) ?? "python3";

/**
 * Asks questions, in one start of Spark.
 *
 * @returns an answer to each question, in order
 * @throws UsageError if Spark cannot be started, with what to type
 */
export function askSpark(
  questions: readonly Question[],
  python: string,
  environment: Environment,
): readonly Answered[] {
  const script = join(SCRIPTS, "compiler", "ask_spark.py");
  const { status, signal, stdout, stderr, error } = spawnSync(python, [script], {
    input: JSON.stringify({ questions }),
    encoding: "utf8",
    maxBuffer: Infinity,
    env: {
      ...environment,
      PYTHONPATH: [SCRIPTS, environment.PYTHONPATH].filter(Boolean).join(delimiter),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  // A program that ended before it read its input has a status, and an error too.
  if (status === null) {
    const why = signal ?? codeOf(error);
    throw new UsageError(`Spark cannot be asked: '${python}' cannot be run (${why}); ${ANOTHER}`);
  }
  if (status !== 0) throw new UsageError(`Spark cannot be asked: ${whyNot(stderr, python)}`);
  try {
    return (JSON.parse(stdout) as { answers: readonly Answered[] }).answers;
  } catch {
    throw new UsageError(`Spark cannot be asked: '${python}' did not answer as Python does; ${ANOTHER}`);
  }
}

const ANOTHER = `name a Python that has PySpark with --python, or in ${VARIABLE}`;

/** The reason why the program failed, from what it and Java wrote. */
function whyNot(stderr: string, python: string): string {
  const install = `type ${python} -m pip install 'pyspark==3.5.*', or ${ANOTHER}`;
  if (stderr.includes("No module named 'pyspark'")) return `'${python}' has no PySpark; ${install}`;
  if (/No module named 'pyspark\.|^PySpark .* is needed/m.test(stderr))
    return `PySpark 3.5 or later is needed, and that of '${python}' is older; ${install}`;
  const lines = stderr.trim().split("\n");
  if (stderr.includes("JAVA_GATEWAY_EXITED"))
    return `it cannot start Java (${lines[0]}); install Java 17, and set JAVA_HOME to it`;
  return `'${python}' failed:\n${lines.slice(-10).join("\n")}`;
}
