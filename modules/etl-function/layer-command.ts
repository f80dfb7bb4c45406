import { writeFileSync } from "node:fs";
import { pythonOf } from "../../contracts/ask-spark";
import { codeOf, counted, parseWords, readNamedFile, UsageError, wrap } from "../core/command-line";
import { buildLayer, LayerRefused } from "./build-layer";
import {
  architectureMistake,
  DEFAULT_ARCHITECTURE,
  DEFAULT_RUNTIME,
  type FunctionArchitecture,
  type FunctionRuntime,
  megabytes,
  runtimeMistake,
} from "./runtimes";

const USAGE = `Usage: cdktf-aws-etl layer build --requirements <file> --out <file.zip> [options]

Builds a layer of Python packages for EtlFunction. pip installs the wheels that
the file names, for the function's runtime and not for this computer. Each
requirement must be pinned (==) and have hashes (--hash), and so must what it
needs; pip-compile --generate-hashes writes such a file. The same file gives the
same bytes, on every computer.

Options:
  --requirements <file>        pinned requirements with hashes
  --out <file.zip>             the zip to write: 'file' of a FunctionLayer
  --runtime <runtime>          python3.11 (the default), python3.12, python3.13
  --architecture <processor>   x86_64 (the default) or arm64
  --python <file>              a Python with pip; else that in
                               CDKTF_AWS_ETL_PYTHON, else python3
  --help                       this text

Exit codes: 0 the zip is written; 1 pip refused the requirements, or the packages
are too large; 2 wrong command line, or pip cannot be run.
modules/etl-function/README.md says more.`;

type Write = (text: string) => void;

/** Runs `cdktf-aws-etl layer build`. @returns its exit code */
export function layerCommand(args: readonly string[], write: Write, environment: NodeJS.ProcessEnv): number {
  const [verb, ...words] = args;
  if (args.some((word) => word === "--help" || word === "-h")) {
    write(`${USAGE}\n`);
    return 0;
  }
  try {
    if (verb !== "build") throw new UsageError(`give the verb build, got ${verb ?? "nothing"}`);
    build(words, write, environment);
    return 0;
  } catch (error) {
    const isUsage = error instanceof UsageError;
    if (!isUsage && !(error instanceof LayerRefused)) throw error;
    const lines = error.message.split("\n").map((line) => wrap(line, "", ""));
    write(`${lines.join("\n")}\n${isUsage ? "(see cdktf-aws-etl layer --help)\n" : ""}`);
    return isUsage ? 2 : 1;
  }
}

function build(words: readonly string[], write: Write, environment: NodeJS.ProcessEnv): void {
  const { values } = parseWords({
    args: [...words],
    options: {
      requirements: { type: "string" },
      out: { type: "string" },
      runtime: { type: "string", default: DEFAULT_RUNTIME },
      architecture: { type: "string", default: DEFAULT_ARCHITECTURE },
      python: { type: "string" },
    },
  });
  const { requirements, out, runtime, architecture } = values;
  const mistakes = [
    requirements === undefined ? "give --requirements, the file of pinned requirements" : undefined,
    out?.endsWith(".zip") === true
      ? undefined
      : `give --out, a file that ends in .zip, got ${out ?? "nothing"}`,
    worded("--runtime", runtimeMistake(runtime)),
    worded("--architecture", architectureMistake(architecture)),
  ].filter((mistake) => mistake !== undefined);
  if (mistakes.length > 0 || requirements === undefined || out === undefined)
    throw new UsageError(mistakes.join("\n"));
  readNamedFile(requirements);

  const python = pythonOf(values.python, environment);
  const order = { runtime: runtime as FunctionRuntime, architecture: architecture as FunctionArchitecture };
  const { zip, record } = buildLayer({ ...order, requirements, python }, environment);
  save(out, zip);
  const packages = record.packages.map(({ name, version }) => `  ${name} ${version}\n`).join("");
  write(
    `${packages}wrote ${out} for ${runtime} on ${architecture}: ${counted(record.packages.length, "package")}, ` +
      `${megabytes(zip.length)}, unzipped ${megabytes(record.unzippedBytes)}\n`,
  );
}

const worded = (option: string, mistake: string | undefined): string | undefined =>
  mistake === undefined ? undefined : `${option} ${mistake}`;

function save(file: string, zip: Uint8Array): void {
  try {
    writeFileSync(file, zip);
  } catch (error) {
    throw new UsageError(`${file} cannot be written (${codeOf(error)})`);
  }
}
