import { readFileSync } from "node:fs";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { placeholderMistakes } from "../core/placeholder";
import { type Mistake, Refusals } from "../core/refusals";
import { fileMistake } from "../artifacts/artifact-file";
import { readDocument } from "../../contracts/read-document";
import { judgedBy } from "../../contracts/quality-contract";
import {
  compileQuery,
  MOST_QUERY_BYTES,
  type QualityQuery,
  type TableName,
} from "../../contracts/quality-query";
import { readQuality } from "../../contracts/quality-reader";
import { DEFAULT_RULE, type Judged, type Quality, type QualityRule } from "../../contracts/quality-rules";

/** Props of {@link DataQuality}. */
export interface DataQualityProps {
  /** Absolute path of the file of rules, JSON. */
  readonly rulesFile: string;
  /**
   * Absolute path of the table's contract: rules may then name only its columns and reasons.
   * @default - none: columns and reasons are not checked
   */
  readonly contractFile?: string;
  /** The published table. */
  readonly table: TableName;
  /**
   * The table of rejected rows, with a column `reason`.
   * @default - none: quarantineLimit rules are refused
   */
  readonly quarantineTable?: TableName;
  /**
   * The partition column of both tables: the run's date as a text `YYYY-MM-DD`.
   * @default "run_date"
   */
  readonly partitionColumn?: string;
}

/**
 * The quality rules of a pipeline, compiled to one Athena query, which applies them to what readers see. The job applies the same rules
 * before it writes; it gets them with its plan (`ContractPlan`).
 *
 * @throws Error naming every mistake in the props and the files, before anything is created
 */
export class DataQuality extends Construct {
  /** The lowest score that is not a failure, whole percent. */
  readonly threshold: number;
  /** The rules in the order of the file, then the default limit of unreadable lines, unless a rule sets one. */
  readonly rules: readonly QualityRule[];
  /** The compiled query; it returns one row: seen, verdict, score, failed. */
  readonly query: QualityQuery;

  constructor(scope: Construct, id: string, props: DataQualityProps) {
    super(scope, id);
    const { quality, query } = decide(this, props);
    this.threshold = quality.threshold;
    this.rules = quality.rules;
    this.query = query;
  }
}

const DEFAULT_PARTITION_COLUMN = "run_date";

/** Reads the rules and compiles them. @throws Error naming every mistake */
function decide(scope: Construct, props: DataQualityProps): { quality: Quality; query: QualityQuery } {
  const refusals = new Refusals("DataQuality", scope.node.path);
  const partitionColumn = props.partitionColumn ?? DEFAULT_PARTITION_COLUMN;
  refuseProps(refusals, { ...props, partitionColumn });
  const judged = props.contractFile === undefined ? {} : readJudged(props.contractFile, refusals);
  const rules = readJson("rulesFile", props.rulesFile, refusals);
  const { quality, mistakes } = readQuality(rules.document, judged);
  if (rules.isRead) refusals.noteAll(mistakes.map(inFile("rulesFile")));
  // Without a quarantine table only the job applies the default limit; the query leaves it out.
  const asked = quality.rules.filter(
    ({ name }) => name !== DEFAULT_RULE || props.quarantineTable !== undefined,
  );
  refusals.check(
    props.quarantineTable !== undefined || !asked.some(({ type }) => type === "quarantineLimit"),
    "quarantineTable",
    "must be given: quarantineLimit rules count its rows",
  );
  refusals.throwIfAny();
  const query = compileQuery({ ...quality, rules: asked }, { ...props, partitionColumn });
  const bytes = Buffer.byteLength(JSON.stringify(query.sql));
  refusals.check(
    bytes <= MOST_QUERY_BYTES,
    "rulesFile",
    `must compile to a query of at most ${MOST_QUERY_BYTES} bytes, got ${bytes}; list fewer values`,
  );
  refusals.throwIfAny();
  return { quality, query };
}

function refuseProps(
  refusals: Refusals,
  props: DataQualityProps & { readonly partitionColumn: string },
): void {
  const { table, quarantineTable, partitionColumn } = props;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  refusals.noteUnfilled(placeholderMistakes({ table, quarantineTable, partitionColumn }, isKnown));
  const names: Readonly<Record<string, string | undefined>> = {
    "table.database": table.database,
    "table.name": table.name,
    "quarantineTable.database": quarantineTable?.database,
    "quarantineTable.name": quarantineTable?.name,
    partitionColumn,
  };
  for (const [field, name] of Object.entries(names)) {
    if (name !== undefined && isKnown(name)) refusals.note(field, catalogueNameMistake(name));
  }
}

/** Glue stores names in lower case. Queries quote them, so any other character is allowed. */
function catalogueNameMistake(name: string): string | undefined {
  const isOne = name.length >= 1 && name.length <= 255 && !/[A-Z\p{Cc}]/u.test(name);
  return isOne ? undefined : `must be 1 to 255 characters without capitals, got ${JSON.stringify(name)}`;
}

function readJudged(contractFile: string, refusals: Refusals): Judged {
  const contract = readJson("contractFile", contractFile, refusals);
  if (!contract.isRead) return {};
  const { judged, mistakes } = judgedBy(contract.document);
  refusals.noteAll(mistakes.map(inFile("contractFile")));
  return judged;
}

function readJson(field: string, path: string, refusals: Refusals): { isRead: boolean; document?: unknown } {
  const mistake = fileMistake(path);
  refusals.note(field, mistake);
  if (mistake !== undefined) return { isRead: false };
  const { document, mistakes } = readDocument(readFileSync(path, "utf8"));
  refusals.noteAll(mistakes.map(inFile(field)));
  return { isRead: mistakes.length === 0, document };
}

const inFile =
  (file: string) =>
  ([field, mistake]: Mistake): Mistake => [field === "" ? file : `${file}.${field}`, mistake];
