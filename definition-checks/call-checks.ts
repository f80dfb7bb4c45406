import {
  isJsonata,
  isObject,
  sentField,
  type Definition,
  type Json,
  type JsonObject,
  type State,
} from "./asl";
import { Findings, type AslCheckOptions, type Finding } from "./finding";
import { isExpression, syntaxOf } from "./jsonata-expressions";
import { noteArguments, noteRunParameters } from "./run-parameter-checks";
import { integrationMistake, integrationOf } from "./service-integrations";
import { callShape, LISTS } from "./service-shapes";
import { textsOf } from "./structure-checks";

/** Checks the calls that Tasks make, and their parameters. */

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: input or result of a task, state or execution. */
export const MOST_PAYLOAD_BYTES = 262_144;
/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MOST_SUBJECT_CHARACTERS = 100;

export function callFindings(
  name: string,
  state: State,
  machine: Pick<Definition, "TimeoutSeconds">,
  options: AslCheckOptions,
): Finding[] {
  const findings = new Findings(name);
  notePayload(findings, state);
  notePlaces(findings, state, options);
  if (state.Type !== "Task") return findings.all;
  const { Resource: resource } = state;
  if (typeof resource !== "string") {
    findings.find(
      "integration",
      "is a Task without Resource",
      "write the ARN of an integration or a function",
    );
    return findings.all;
  }
  noteResource(findings, resource, options);
  noteTimes(findings, resource, state, machine);
  const { call } = integrationOf(resource, options.isKnown);
  const sent = state[sentField(state)];
  noteParameters(findings, call, sent, sentField(state));
  if (isObject(sent)) noteValues(findings, call, sent, options);
  if (resource.endsWith(".waitForTaskToken")) noteToken(findings, sent, state, options);
  return findings.all;
}

function noteResource(findings: Findings, resource: string, { isKnown }: AslCheckOptions): void {
  const mistake = integrationMistake(resource, isKnown);
  if (mistake !== undefined) findings.find("integration", mistake.what, mistake.remedy);
  if (integrationOf(resource, isKnown).kind === "function" || /^arn:[^:]*:lambda:/.test(resource))
    findings.find(
      "function-arn",
      "calls a function by its ARN: that allows no version, and its metrics are separate from those of other calls",
      "write arn:<partition>:states:::lambda:invoke with FunctionName and Payload; its answer is at $.Payload",
    );
}

const WAITING = /\.(?:sync|sync:2|waitForTaskToken)$/;

function noteTimes(
  findings: Findings,
  resource: string,
  state: State,
  machine: Pick<Definition, "TimeoutSeconds">,
): void {
  const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = state;
  const waits = WAITING.test(resource) || integrationOf(resource).kind === "activity";
  if (waits && timeout === undefined && !("TimeoutSecondsPath" in state))
    findings.find(
      "timeout",
      "waits without TimeoutSeconds, so for up to 99999999 s",
      "write TimeoutSeconds above what it waits for",
    );
  if (typeof timeout !== "number") return;
  if (typeof heartbeat === "number" && heartbeat >= timeout)
    findings.find(
      "timeout-order",
      `HeartbeatSeconds ${heartbeat} is not below TimeoutSeconds ${timeout}`,
      "write a smaller HeartbeatSeconds",
    );
  if (typeof machine.TimeoutSeconds === "number" && timeout > machine.TimeoutSeconds)
    findings.find(
      "timeout-order",
      `TimeoutSeconds ${timeout} is above the machine's ${machine.TimeoutSeconds}, so the machine times out first and no Catch of the state runs`,
      "write a greater TimeoutSeconds for the machine",
    );
  const sent = state[sentField(state)];
  const minutes = isObject(sent) ? sent.Timeout : undefined;
  if (
    integrationOf(resource).call === "glue:startJobRun" &&
    typeof minutes === "number" &&
    timeout <= minutes * 60
  )
    findings.find(
      "timeout-order",
      `TimeoutSeconds ${timeout} is not above the job run's own ${minutes} minutes`,
      `write more than ${minutes * 60}: start-up and queueing come on top, and then Glue gives the reason`,
    );
}

const parameterName = (key: string) => key.replace(/\.\$$/, "");

/** The names of what a Task sends; `undefined` if the definition does not show them. */
const namesIn = (sent: Json | undefined): readonly string[] | undefined =>
  isObject(sent)
    ? Object.keys(sent).map(parameterName)
    : typeof sent === "string" && isExpression(sent)
      ? syntaxOf(sent).keys
      : undefined;

/** A Task without Parameters sends its whole input, which is not known here. */
function noteParameters(
  findings: Findings,
  call: string,
  sent: Json | undefined,
  field: "Arguments" | "Parameters",
): void {
  const shape = callShape(call);
  const given = namesIn(sent);
  if (shape === undefined || given === undefined) return;
  const known = [...shape.required, ...(shape.optional ?? [])];
  for (const missing of shape.required.filter((name) => !given.includes(name)))
    findings.find("parameter", `${call} is called without ${missing}`, `write ${missing} in its ${field}`);
  for (const name of shape.optional === undefined ? [] : given.filter((one) => !known.includes(one)))
    findings.find("parameter", `${call} has no parameter ${name}`, `write one of ${known.join(", ")}`);
}

function noteValues(
  findings: Findings,
  call: string,
  parameters: JsonObject,
  options: AslCheckOptions,
): void {
  const { isKnown = () => true } = options;
  if (/(?:^|:)glue:startJobRun$/.test(call)) {
    noteRunParameters(findings, parameters, options);
    noteArguments(findings, parameters.Arguments, options);
  }
  const { Subject: subject } = parameters;
  if (call === "sns:publish" && typeof subject === "string" && isKnown(subject) && !isExpression(subject))
    if (subject === "" || subject.length > MOST_SUBJECT_CHARACTERS || !/^[\x20-\x7e]+$/.test(subject))
      findings.find(
        "subject",
        `its Subject of ${subject.length} characters is refused by SNS`,
        `write 1 to ${MOST_SUBJECT_CHARACTERS} ASCII characters on one line`,
      );
  const named = Object.entries(parameters).find(([key]) => parameterName(key) === "Name");
  const startsExecution = call === "states:startExecution" || call === "aws-sdk:sfn:startExecution";
  if (startsExecution && named !== undefined && !/States\.UUID\(\)|\$uuid\(/.test(JSON.stringify(named[1])))
    findings.find(
      "execution-name",
      "names the execution it starts: a name stays taken for 90 days, so a redrive or a second run of the day is refused",
      "leave Name out, or let it end in States.UUID(), in JSONata $uuid()",
    );
}

/** Parameters that carry the token to whoever answers. */
const TOKEN_CARRIERS = ["Entries", "Input", "Message", "MessageBody", "Overrides", "Payload"];

/** A callback answers with the task's token, so somebody must get it. */
function noteToken(
  findings: Findings,
  sent: Json | undefined,
  state: State,
  { isKnown = () => true }: AslCheckOptions,
): void {
  const texts = textsOf(sent);
  const isMeant = (text: string) =>
    isJsonata(state)
      ? isExpression(text) && /\$states\.context(?:\.Task(?:\.Token)?)?(?![\w.])/.test(text)
      : /\$\$(?:\.Task(?:\.Token)?)?(?![\w.])/.test(text);
  const read = isJsonata(state) ? texts.filter(isExpression) : pathTextsOf(sent);
  const whole = isObject(sent) ? TOKEN_CARRIERS.map((name) => sent[name]) : [sent];
  // A placeholder may stand for a path, or for an object with the token.
  const open = [...read, ...whole].some((text) => typeof text === "string" && !isKnown(text));
  if (open || read.some(isMeant)) return;
  const token = isJsonata(state) ? "{% $states.context.Task.Token %}" : "$$.Task.Token";
  const asText = texts
    .filter((text) => !read.includes(text))
    .find((text) => /\$\$\.Task\.Token(?!\w)|\$states\.context\.Task\.Token(?!\w)/.test(text));
  findings.find(
    "task-token",
    asText === undefined
      ? "waits for a task token that it does not send, so nobody can answer before the time-out"
      : `sends ${JSON.stringify(asText)} as a plain text instead of the task token`,
    `write ${isJsonata(state) ? `"token": "${token}"` : `"token.$": "${token}"`} into its ${sentField(state)}`,
  );
}

/** The paths and intrinsics of a payload template. */
function pathTextsOf(value: Json | undefined): string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(pathTextsOf);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key.endsWith(".$") && typeof inner === "string" ? [inner] : pathTextsOf(inner),
  );
}

/** Reports data that exceeds the payload limit, and answers that grow with the data. */
function notePayload(findings: Findings, state: State): void {
  for (const field of ["Parameters", "Result", "ResultSelector", "Arguments", "Output", "Assign"]) {
    const bytes = state[field] === undefined ? 0 : Buffer.byteLength(JSON.stringify(state[field]));
    if (bytes > MOST_PAYLOAD_BYTES)
      findings.find(
        "payload-size",
        `its ${field} has ${bytes} bytes, and a state takes ${MOST_PAYLOAD_BYTES}`,
        "put it in S3 and pass its key",
      );
  }
  if (state.Type !== "Task" || typeof state.Resource !== "string") return;
  const { call } = integrationOf(state.Resource);
  const bound = LISTS[call];
  if (bound === undefined || state.ResultPath === null) return;
  const bounds = namesIn(state[sentField(state)]);
  const selects = isJsonata(state) ? "Output" : "ResultSelector";
  const isJudged = isObject(state[sentField(state)]) || !isJsonata(state) || bounds !== undefined;
  if (isJudged && !(bounds ?? []).includes(bound) && !(selects in state))
    findings.find(
      "payload-size",
      `keeps the whole answer of ${call}, which fails above ${MOST_PAYLOAD_BYTES} bytes as States.DataLimitExceeded`,
      `write ${bound}, or take what is needed with ${selects}; a long list belongs to a Map with ItemReader`,
    );
}

const ARN = /\barn:[^:\s]+:[a-z0-9-]+:([^:\s]*):([^:\s]*):[^\s]/;

/** Checks ARNs: account ids have twelve digits, and a template names no account and no region. */
function notePlaces(
  findings: Findings,
  state: State,
  { isTemplate = false, isKnown = () => true }: AslCheckOptions,
): void {
  const seen = new Set<string>();
  const resource = textsOf(state.Resource);
  for (const text of [...resource, ...textsOf(state[sentField(state)])]) {
    const [arn, region = "", account = ""] = ARN.exec(text) ?? [];
    if (arn === undefined || !isKnown(text)) continue;
    if (
      /^\d+$/.test(account) &&
      account.length !== 12 &&
      !resource.includes(text) &&
      !seen.has(`account ${account}`)
    ) {
      seen.add(`account ${account}`);
      findings.find(
        "account-id",
        `names the account ${account}, which has ${account.length} digits`,
        "write account ids with 12 digits",
      );
    }
    const place = [region, account].filter((part) => /^[a-z0-9-]+$/.test(part)).join(" ");
    if (!isTemplate || place === "" || seen.has(place)) continue;
    seen.add(place);
    findings.find(
      "place",
      `names ${place}, so it works in one account or region only`,
      "write placeholders such as ${Region} and ${Account} there, and fill them from the stack",
    );
  }
}
