import { counted, parseWords, readNamedFile, UsageError, wrap } from "../modules/core/command-line";
import { isObject, type JsonObject } from "./asl";
import { CHECKS, type Finding } from "./asl-checks";
import { lintDefinition, type LintOptions } from "./definition-lint";

const USAGE = `Usage: cdktf-aws-etl lint [options] <file.asl.json …>

Checks state machine definitions before anything is deployed: calls that do not
exist, runs that nobody waits for, errors that end in success, input that is
lost on the way. Placeholders \${Name} in texts are left alone.

Options:
  --input <file>          an input as JSON: every field must be read, no other
  --allow <check:state>   accept a finding, also as "Comment": "allow(check)"
                          in the state itself; may be given several times
  --json                  findings as JSON
  --help                  this text

Exit codes: 0 nothing found, 1 findings, 2 wrong command line.
docs/definition-checks.md lists the checks.`;

type FileFinding = { readonly file: string } & Finding;

/** Runs `cdktf-aws-etl lint file.asl.json …`. @returns its exit code */
export function lintCommand(args: readonly string[], write: (text: string) => void): number {
  try {
    const { values, positionals } = parse(args);
    if (values.help === true) {
      write(`${USAGE}\n`);
      return 0;
    }
    if (positionals.length === 0) throw new UsageError("name at least one file");
    const options: LintOptions = {
      allow: allowances(values.allow ?? []),
      ...(values.input === undefined ? {} : { input: declaredInput(values.input) }),
    };
    const found = positionals.flatMap((file) =>
      lintDefinition(readNamedFile(file), options).map((finding): FileFinding => ({ file, ...finding })),
    );
    write(values.json === true ? `${JSON.stringify(found, null, 2)}\n` : report(found, positionals.length));
    return found.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    write(`${wrap(error.message, "", "")}\n(see cdktf-aws-etl lint --help)\n`);
    return 2;
  }
}

function parse(args: readonly string[]) {
  return parseWords({
    args: [...args],
    allowPositionals: true,
    options: {
      input: { type: "string" },
      allow: { type: "string", multiple: true },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
}

function declaredInput(file: string): JsonObject {
  let input: unknown;
  try {
    input = JSON.parse(readNamedFile(file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
  if (!isObject(input)) throw new UsageError(`${file} must hold a JSON object, an input of the machine`);
  return input;
}

function allowances(given: readonly string[]): Record<string, string[]> {
  const allowed: Record<string, string[]> = {};
  for (const one of given) {
    const [check = "", ...rest] = one.split(":");
    if (rest.length === 0) throw new UsageError(`--allow must be <check:state>, got ${one}`);
    if (!(CHECKS as readonly string[]).includes(check))
      throw new UsageError(`--allow: '${check}' is not a check; the checks are ${CHECKS.join(", ")}`);
    (allowed[rest.join(":")] ??= []).push(check);
  }
  return allowed;
}

function report(found: readonly FileFinding[], files: number): string {
  const blocks = [...new Set(found.map(({ file }) => file))].map((file) =>
    [file, ...found.filter((one) => one.file === file).map(paragraph)].join("\n"),
  );
  const broken = new Set(found.map(({ file }) => file)).size;
  const total =
    found.length === 0
      ? `${counted(files, "definition")}, nothing found`
      : `${counted(found.length, "finding")} in ${broken} of ${counted(files, "file")}`;
  return `${[...blocks, total].join("\n\n")}\n`;
}

const paragraph = ({ state, check, what, remedy }: FileFinding): string =>
  [
    `  ${state === "" ? "the definition" : state}  [${check}]`,
    wrap(what, "    ", "    "),
    wrap(remedy, "    remedy: ", "      "),
  ].join("\n");
