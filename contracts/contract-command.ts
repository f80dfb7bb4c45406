import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { codeOf, counted, parseWords, readNamedFile, UsageError, wrap } from "../modules/core/command-line";
import type { Mistake } from "../modules/core/refusals";
import { askSpark, pythonOf } from "./ask-spark";
import { compilePlan } from "./compile-plan";
import { type Plan, planText } from "./plan";
import { readDocument, type ReadDocument } from "./read-document";
import { type Answer, answersTo, type PosedQuestion, unanswered, unusedAnswers } from "./spark-questions";
import { besideContract, readAnswers, recordFile, recordText } from "./spark-record";

const USAGE = `Usage: cdktf-aws-etl contract check [options] <name.schema.json …>
       cdktf-aws-etl contract compile [options] <name.schema.json>

check lists every mistake of a contract and of the quality rules beside it
(<name>.quality.json). It does not start Spark.
compile checks too. Then it asks Spark what only Spark and Java know: whether an
expression can be computed, its type, and whether a regular expression is one.
It records the answers in <name>.spark.json, which belongs in version control,
and writes the plan that the job loads. Only new questions are asked.

Options:
  --quality <file>   quality rules that are not beside the contract
  --json             (check) mistakes as JSON
  --plan <file>      (compile) the file of the plan, else <name>.plan.json
  --again            (compile) asks every question again
  --python <file>    (compile) a Python with PySpark 3.5 or later; else that in
                     CDKTF_AWS_ETL_PYTHON, else python3
  --help             this text

Exit codes: 0 nothing found, or warnings only; 1 mistakes; 2 wrong command line,
or Spark cannot be started.
contracts/README.md says more.`;

/** The rules of a contract that is checked without any: they demand nothing. */
const NO_RULES = { threshold: 0, rules: [{ name: "any", type: "rowCount", atLeast: 0, action: "warn" }] };

type Environment = Readonly<Record<string, string | undefined>>;
type Write = (text: string) => void;

interface Finding {
  readonly file: string;
  readonly kind: "mistake" | "warning";
  /** The place in the file; "" for the file as a whole. */
  readonly field: string;
  readonly message: string;
}

/** Runs `cdktf-aws-etl contract check|compile`. @returns its exit code */
export function contractCommand(args: readonly string[], write: Write, environment: Environment): number {
  const [verb, ...words] = args;
  try {
    if (args.some((word) => word === "--help" || word === "-h")) {
      write(`${USAGE}\n`);
      return 0;
    }
    if (verb === "check") return check(words, write);
    if (verb === "compile") return compile(words, write, environment);
    throw new UsageError(`give a verb, check or compile, got ${verb ?? "nothing"}`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const lines = error.message.split("\n").map((line) => wrap(line, "", ""));
    write(`${lines.join("\n")}\n(see cdktf-aws-etl contract --help)\n`);
    return 2;
  }
}

function check(words: readonly string[], write: Write): number {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: { quality: { type: "string" }, json: { type: "boolean" } },
  });
  if (positionals.length === 0) throw new UsageError("name at least one contract");
  if (values.quality !== undefined && positionals.length > 1)
    throw new UsageError(`--quality goes with one contract, got ${positionals.join(" ")}`);
  const found = positionals.flatMap((file) => {
    const given = readFiles(file, values.quality);
    const judgement = judge(given, given.record.answers);
    return [...judgement.found, ...wrongRecord(given, judgement)];
  });
  write(values.json === true ? `${JSON.stringify(found, null, 2)}\n` : report(found, positionals.length));
  return found.some(({ kind }) => kind === "mistake") ? 1 : 0;
}

function compile(words: readonly string[], write: Write, environment: Environment): number {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      quality: { type: "string" },
      plan: { type: "string" },
      again: { type: "boolean" },
      python: { type: "string" },
    },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new UsageError(`name one contract, got ${positionals.join(" ") || "nothing"}`);
  const given = readFiles(file, values.quality);
  if (given.quality === undefined)
    throw new UsageError(
      `${besideContract(file, "quality")} does not exist: write the quality rules, or name their file with --quality`,
    );
  const known = values.again === true ? [] : given.record.answers;
  const open = unanswered(judge(given, known).questions, known);
  const asked = open.length === 0 ? [] : ask(open, pythonOf(values.python, environment), environment, write);
  const answers = [...known, ...asked];
  const { found, questions, plan } = judge(given, answers);
  if (found.length > 0) write(report(found, 1));
  if (plan === undefined) return 1;
  saveRecord(given.record.file, answersTo(questions, answers), write);
  save(values.plan ?? besideContract(file, "plan"), planText(plan), write);
  return 0;
}

interface GivenFile extends ReadDocument {
  readonly file: string;
}

interface GivenFiles {
  readonly contract: GivenFile;
  /** @default - there is no file beside the contract, and none is named */
  readonly quality?: GivenFile;
  readonly record: {
    readonly file: string;
    readonly answers: readonly Answer[];
    readonly mistakes: readonly Mistake[];
  };
}

function readFiles(file: string, qualityFile: string | undefined): GivenFiles {
  const kind = /\.(?:quality|spark|plan)\.json$/.exec(file);
  if (kind !== null)
    throw new UsageError(`${file} is not a contract: name ${file.slice(0, kind.index)}.schema.json`);
  const beside = besideContract(file, "quality");
  const quality = qualityFile ?? (existsSync(beside) ? beside : undefined);
  const record = recordFile(file);
  const recorded = existsSync(record) ? readAnswers(readNamedFile(record)) : { answers: [], mistakes: [] };
  return {
    contract: readGiven(file),
    quality: quality === undefined ? undefined : readGiven(quality),
    record: { file: record, ...recorded },
  };
}

const readGiven = (file: string): GivenFile => ({ file, ...readDocument(readNamedFile(file)) });

/** The plan of a contract and its rules, if nothing is wrong. */
interface Judgement {
  readonly found: readonly Finding[];
  readonly questions: readonly PosedQuestion[];
  readonly plan?: Plan;
}

function judge({ contract, quality }: GivenFiles, answers: readonly Answer[]): Judgement {
  const ofQuality = (mistakes: readonly Mistake[]) =>
    quality === undefined ? [] : findings(quality.file, "mistake", mistakes);
  const unread = [
    ...findings(contract.file, "mistake", contract.mistakes),
    ...ofQuality(quality?.mistakes ?? []),
  ];
  if (unread.length > 0) return { found: unread, questions: [] };
  const rules = quality === undefined ? NO_RULES : quality.document;
  const { plan, mistakes, warnings, questions } = compilePlan(
    contract.document,
    rules,
    answers,
    contract.file,
  );
  return {
    plan,
    questions,
    found: [
      ...findings(contract.file, "mistake", mistakes.contract),
      ...findings(contract.file, "warning", warnings),
      ...ofQuality(mistakes.quality),
    ],
  };
}

/** Mistakes in the record, and answers that nothing asks for. Without the quality rules, the questions are not all known. */
function wrongRecord(given: GivenFiles, { questions, plan }: Judgement): Finding[] {
  const { file, answers, mistakes } = given.record;
  const isKnown = given.quality !== undefined && (questions.length > 0 || plan !== undefined);
  const unused = isKnown ? unusedAnswers(questions, answers) : [];
  return [
    ...findings(file, "mistake", mistakes),
    ...findings(
      file,
      "warning",
      unused.map((answer) => {
        const text = answer.kind === "replace" ? answer.pattern : answer.expression;
        return ["answers", `holds an answer that nothing asks for, to '${text}': compile the contract`];
      }),
    ),
  ];
}

const findings = (file: string, kind: Finding["kind"], mistakes: readonly Mistake[]): Finding[] =>
  mistakes.map(([field, message]) => ({ file, kind, field, message }));

function ask(
  open: readonly PosedQuestion[],
  python: string,
  environment: Environment,
  write: Write,
): readonly Answer[] {
  const asked = open.map(({ question }) => question);
  write(`asking Spark ${counted(open.length, "question")} …\n`);
  const answers = askSpark(asked, python, environment);
  return asked.map((question, index) => ({ ...question, ...answers[index] }));
}

function report(found: readonly Finding[], contracts: number): string {
  const files = [...new Set(found.map(({ file }) => file))];
  const blocks = files.map((file) =>
    [file, ...found.filter((one) => one.file === file).map(paragraph)].join("\n"),
  );
  const count = (kind: Finding["kind"]) => found.filter((one) => one.kind === kind).length;
  const total =
    found.length === 0
      ? `${counted(contracts, "contract")}, nothing found`
      : `${counted(count("mistake"), "mistake")}, ${counted(count("warning"), "warning")}`;
  return `${[...blocks, total].join("\n\n")}\n`;
}

const paragraph = ({ kind, field, message }: Finding): string =>
  [
    `  ${field === "" ? "the file" : field}${kind === "warning" ? "  [warning]" : ""}`,
    wrap(message, "    ", "    "),
  ].join("\n");

/** A contract that asks nothing has no record. */
function saveRecord(file: string, answers: readonly Answer[], write: Write): void {
  if (answers.length > 0) save(file, recordText(answers), write);
  else if (existsSync(file)) {
    rmSync(file);
    write(`removed ${file}: the contract has no question for Spark\n`);
  }
}

function save(file: string, text: string, write: Write): void {
  if (existsSync(file) && readFileSync(file, "utf8") === text) {
    write(`${file} is as it was\n`);
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`${file} cannot be written (${codeOf(error)})`);
  }
  write(`wrote ${file}\n`);
}
