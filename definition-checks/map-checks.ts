import {
  everyState,
  innerMachines,
  isJsonata,
  isObject,
  type Json,
  type JsonObject,
  type State,
} from "./asl";
import { Findings, type AslCheckOptions, type Finding } from "./finding";
import { isExpression, syntaxOf } from "./jsonata-expressions";
import { integrationOf } from "./service-integrations";

/**
 * Checks Map states: their mode, what they read and write, how many items may fail, and what express children cannot do.
 *
 * Sources: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html,
 * https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html,
 * https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
 */

const ONLY_DISTRIBUTED = [
  ...[
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
  ],
  ...["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"],
];
const MOST_LABEL_CHARACTERS = 40;
/** A Map that succeeds although half of its items failed hides the failure. */
const HIDING_PERCENTAGE = 50;

export function mapFindings(name: string, state: State, options: AslCheckOptions): Finding[] {
  if (state.Type !== "Map") return [];
  const findings = new Findings(name);
  const processor = [state.ItemProcessor, state.Iterator].find(isObject);
  const config = isObject(processor?.ProcessorConfig) ? processor.ProcessorConfig : {};
  noteMode(findings, state, config, options);
  noteTolerance(findings, state, options);
  noteReader(findings, state, options);
  if (config.ExecutionType === "EXPRESS") noteExpress(findings, state);
  return findings.all;
}

function noteMode(findings: Findings, state: State, config: JsonObject, { isKnown }: AslCheckOptions): void {
  const find = (what: string, remedy: string) => findings.find("map-mode", what, remedy);
  const known = (value: Json | undefined) => typeof value !== "string" || (isKnown?.(value) ?? true);
  const { Mode: mode, ExecutionType: type } = config;
  if (!known(mode)) return;
  if (mode === "DISTRIBUTED") {
    if (type === undefined)
      find(
        "is DISTRIBUTED without ExecutionType, which AWS refuses",
        'write "ExecutionType": "STANDARD" beside the Mode; EXPRESS children end after 5 minutes and cannot wait for runs',
      );
    else if (known(type) && type !== "STANDARD" && type !== "EXPRESS")
      find(
        `has the ExecutionType ${JSON.stringify(type)}, which does not exist`,
        "write STANDARD or EXPRESS",
      );
    noteLabel(find, state.Label, known);
    return;
  }
  if (mode !== undefined && mode !== "INLINE")
    find(`has the Mode ${JSON.stringify(mode)}, which does not exist`, "write INLINE or DISTRIBUTED");
  else if (type !== undefined)
    find(
      "has an ExecutionType but is not DISTRIBUTED",
      'write "Mode": "DISTRIBUTED" beside it, or leave it out',
    );
  const idle = ONLY_DISTRIBUTED.filter((field) => field in state);
  if (idle.length > 0 && (mode === undefined || mode === "INLINE"))
    find(
      `has ${idle.join(", ")}, which only a distributed Map has`,
      'write "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"} into its ItemProcessor, or leave them out',
    );
}

function noteLabel(
  find: (what: string, remedy: string) => void,
  label: Json | undefined,
  known: (value: Json | undefined) => boolean,
): void {
  if (typeof label !== "string" || !known(label)) return;
  if (label === "" || label.length > MOST_LABEL_CHARACTERS || /[\s?*<>{}[\]:;,\\|^~$#%&`"/]/.test(label))
    find(
      `has the Label ${JSON.stringify(label)}, which AWS refuses`,
      `write 1 to ${MOST_LABEL_CHARACTERS} characters without spaces, wildcards, brackets and the like`,
    );
}

/** A number, of a literal or of an expression that is a literal. */
const numberOf = (value: Json | undefined): Json | undefined =>
  typeof value === "string" && isExpression(value) ? syntaxOf(value).number : value;

function noteTolerance(findings: Findings, state: State, { isKnown = () => true }: AslCheckOptions): void {
  const find = (what: string, remedy: string) => findings.find("map-tolerance", what, remedy);
  const judged = (field: string): number | undefined => {
    const given = state[field];
    const value = isJsonata(state) ? numberOf(given) : given;
    if (value === undefined || (typeof value === "string" && !isKnown(value))) return undefined;
    const isPercentage = field.endsWith("Percentage");
    const isRight =
      typeof value === "number" && value >= 0 && (isPercentage ? value <= 100 : Number.isInteger(value));
    if (isRight) return value;
    find(
      `its ${field} is ${JSON.stringify(given)}`,
      isPercentage ? "write a number from 0 to 100" : "write a whole number from 0",
    );
    return undefined;
  };
  const percentage = judged("ToleratedFailurePercentage");
  const count = judged("ToleratedFailureCount");
  // If both are given, the Map fails as soon as one of them is exceeded.
  const hasCount = "ToleratedFailureCount" in state || "ToleratedFailureCountPath" in state;
  if (percentage !== undefined && percentage >= HIDING_PERCENTAGE && !hasCount)
    find(
      `tolerates that ${percentage} % of its items fail, and then succeeds`,
      "write the share that may fail in a good run, e.g. 5, or a ToleratedFailureCount beside it",
    );
  const items = itemsOf(state);
  const hasPercentage = "ToleratedFailurePercentage" in state || "ToleratedFailurePercentagePath" in state;
  if (count !== undefined && count > 0 && items !== undefined && count >= items && !hasPercentage)
    find(
      `tolerates ${count} failures among at most ${items} items, so all of them may fail, and then succeeds`,
      "write a smaller ToleratedFailureCount",
    );
}

/** The most items that a Map can have, if that is written in it. */
function itemsOf(state: State): number | undefined {
  const { ItemReader: reader, Items: items } = state;
  if (Array.isArray(items)) return items.length;
  const config = isObject(reader) && isObject(reader.ReaderConfig) ? reader.ReaderConfig : {};
  const most = numberOf(config.MaxItems);
  return typeof most === "number" && most > 0 ? most : undefined;
}

const READERS = ["s3:getObject", "s3:listObjectsV2"];
const INPUT_TYPES = ["CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"];

function noteReader(findings: Findings, state: State, { isKnown = () => true }: AslCheckOptions): void {
  const find = (what: string, remedy: string) => findings.find("map-mode", what, remedy);
  const { ItemReader: reader, ResultWriter: writer } = state;
  const call = (part: JsonObject) =>
    typeof part.Resource === "string" && isKnown(part.Resource)
      ? part.Resource.replace(/^arn:[^:]+:states:::/, "")
      : undefined;
  if (isObject(writer) && ![undefined, "s3:putObject"].includes(call(writer)))
    find(`its ResultWriter calls ${call(writer)}`, "write arn:<partition>:states:::s3:putObject");
  if (!isObject(reader)) return;
  const reads = call(reader);
  if (reads !== undefined && !READERS.includes(reads))
    find(
      `its ItemReader calls ${reads}`,
      `write one of ${READERS.map((one) => `states:::${one}`).join(", ")}`,
    );
  const config = isObject(reader.ReaderConfig) ? reader.ReaderConfig : {};
  const { InputType: type, CSVHeaderLocation: location } = config;
  if (type !== undefined && !(typeof type === "string" && (INPUT_TYPES.includes(type) || !isKnown(type))))
    find(
      `its ItemReader has the InputType ${JSON.stringify(type)}`,
      `write one of ${INPUT_TYPES.join(", ")}`,
    );
  if (reads === "s3:getObject" && type === undefined)
    find("its ItemReader reads an object without InputType", `write one of ${INPUT_TYPES.join(", ")}`);
  if (location === "GIVEN" && !("CSVHeaders" in config))
    find("its CSVHeaderLocation is GIVEN without CSVHeaders", "write the headers, or FIRST_ROW");
}

const WAITING = /\.(?:sync|sync:2|waitForTaskToken)$/;

/** Express executions make calls and do not wait for what these start. */
function noteExpress(findings: Findings, state: State): void {
  for (const { name, state: inner } of innerMachines(state).flatMap(everyState)) {
    const resource = typeof inner.Resource === "string" ? inner.Resource : "";
    const { kind, call, pattern } = integrationOf(resource);
    const waits = inner.Type === "Task" && (WAITING.test(resource) || kind === "activity");
    if (waits)
      findings.find(
        "express-child",
        `has EXPRESS children, but ${name} waits: ${kind === "activity" ? "an activity" : call + pattern} needs a standard execution`,
        'write "ExecutionType": "STANDARD"',
      );
    const config = [inner.ItemProcessor, inner.Iterator].find(isObject)?.ProcessorConfig;
    if (inner.Type === "Map" && isObject(config) && config.Mode === "DISTRIBUTED")
      findings.find(
        "express-child",
        `has EXPRESS children, but ${name} is a distributed Map, which needs a standard execution`,
        'write "ExecutionType": "STANDARD"',
      );
  }
}
