import { statesConsole } from "../core/console";
import { runbookLink, type RunbookPage } from "../core/runbook";
import { type Definition, type JsonObject } from "../../definition-checks/asl";
import { failErrors } from "../../definition-checks/asl-checks";
import { title, type TitleScope } from "./message-text";

/**
 * Errors that a redrive would only raise again, because it runs the failed state again with the same definition and data
 * ("Error names" and "Redriving executions" of the Step Functions Developer Guide).
 */
const REPEATING_ERRORS = [
  "States.DataLimitExceeded",
  "States.IntrinsicFailure",
  "States.NoChoiceMatched",
  "States.ParameterPathFailure",
  "States.ResultPathMatchFailure",
  "States.Runtime",
];

/**
 * The failure of a job if nothing was delivered for the run's dates. A failed run arrives as States.TaskFailed, with its error message in
 * the cause: https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
 */
const MISSING_DELIVERY = { error: "States.TaskFailed", wildcard: "*MissingDelivery: *" };

/** The errors that a redrive would only raise again. */
export const errorsThatNeedANewExecution = (definition: Definition): string[] =>
  [...new Set([...failErrors(definition), ...REPEATING_ERRORS])].sort();

export interface FailureMessageScope extends TitleScope {
  readonly region: string;
  readonly partition: string;
  readonly stateMachineArn: string;
  /** The alias on which a new execution is started. */
  readonly aliasArn: string;
  /** The address of the folder docs/runbook; without it messages give the pages' paths. */
  readonly runbookUrl?: string;
}

export interface FailureRule {
  /** UpperCamel; part of construct ids. */
  readonly id: "Missing" | "NewExecution" | "Redrive" | "WithoutCause";
  /** Appended to the machine's name. */
  readonly suffix: string;
  readonly description: string;
  readonly pattern: JsonObject;
  readonly inputPaths: Readonly<Record<string, string>>;
  readonly inputTemplate: string;
}

/** The suffixes of the rules' names. */
export const FAILURE_RULE_SUFFIXES = {
  missing: "-missing",
  newExecution: "-failed-new",
  redrive: "-failed",
  withoutCause: "-failed-bare",
};

const consoleLink = ({ partition, region }: Pick<FailureMessageScope, "partition" | "region">) =>
  statesConsole(partition, region, "executions/details/<execution>");

const redriveCommand = ({ region }: FailureMessageScope) =>
  `aws stepfunctions redrive-execution --region ${region} --execution-arn <execution>`;

/** Starts a new execution with the failed one's input, which the command reads from AWS to avoid quoting it for a shell. */
const startCommand = ({ region, aliasArn }: FailureMessageScope) =>
  `aws stepfunctions start-execution --region ${region} --state-machine-arn ${aliasArn} ` +
  `--input "$(aws stepfunctions describe-execution --region ${region} --execution-arn <execution> --query input --output text)"`;

const text = (value: string): string => JSON.stringify(value);

/** The lines below the cause. Without an address of the runbook the page's path and repository are given. */
function linesOf(scope: FailureMessageScope, command: string, advice: string, runbook: RunbookPage): string {
  const page = runbookLink(scope.runbookUrl, runbook);
  const place = scope.runbookUrl === undefined ? ", in the repository that deployed this pipeline" : "";
  return [
    `Run: ${consoleLink(scope)}`,
    `To do: ${advice}`,
    `Command:\n${command}`,
    `Runbook: ${page}${place}`,
  ].join("\n\n");
}

/**
 * The input of a messenger as EventBridge's input template. Fields of the event stand without quotes, so that they arrive as JSON values
 * ("Amazon EventBridge input transformation"). At most 8192 characters and 100 fields of the event:
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html
 */
function template(
  scope: FailureMessageScope,
  command: string,
  advice: string,
  runbook: RunbookPage,
  { withCause = true, outcome = undefined as string | undefined } = {},
): string {
  const message = [
    `"pipeline": ${text(scope.pipeline)}`,
    `"environment": ${scope.environment === undefined ? "null" : text(scope.environment)}`,
    `"status": <status>`,
    `"outcome": ${text(outcome ?? "FAILED")}`,
    `"execution": <execution>`,
    ...(withCause ? [`"error": <error>`, `"cause": <cause>`] : [`"error": null`, `"cause": null`]),
    `"console": ${text(consoleLink(scope))}`,
    `"advice": ${text(advice)}`,
    `"command": ${text(command)}`,
    `"runbook": ${text(runbookLink(scope.runbookUrl, runbook))}`,
  ];
  const fields = [
    `"subject": ${text(`${title(scope)}: ${outcome ?? "<status>"}`)}`,
    `"lines": ${text(linesOf(scope, command, advice, runbook))}`,
    `"message": {\n${message.join(",\n")}\n}`,
  ];
  // Multi-line: `cdktf synth --hcl` drops backslashes from one-line strings.
  return `{\n${fields.join(",\n")}\n}`;
}

const PATHS = { status: "$.detail.status", execution: "$.detail.executionArn" };
const PATHS_WITH_CAUSE = { ...PATHS, error: "$.detail.error", cause: "$.detail.cause" };

/**
 * The rules that report executions that did not succeed: exactly one of four rules matches each status event. Events without `error` or
 * `cause` (a machine encrypted with a customer key leaves them out) have a rule of their own, because a missing input path spoils the
 * whole message. A `FailureMessenger` words and publishes what the rules pass on.
 *
 * @param newExecutionErrors the errors that a redrive would only raise again
 */
export function failureRules(
  scope: FailureMessageScope,
  newExecutionErrors: readonly string[],
): FailureRule[] {
  const pattern = (detail: JsonObject): JsonObject => ({
    source: ["aws.states"],
    "detail-type": ["Step Functions Execution Status Change"],
    detail: { stateMachineArn: [scope.stateMachineArn], ...detail },
  });
  const present = [{ exists: true }];
  return [
    {
      id: "NewExecution",
      suffix: FAILURE_RULE_SUFFIXES.newExecution,
      description: `${scope.pipeline}: failures that a redrive would only repeat`,
      pattern: pattern({ status: ["FAILED"], error: newExecutionErrors, cause: present }),
      inputPaths: PATHS_WITH_CAUSE,
      inputTemplate: template(
        scope,
        startCommand(scope),
        "Fix the cause, then start a new execution with the command below. If the input was refused, correct it in --input.",
        "new-execution",
      ),
    },
    {
      id: "Missing",
      suffix: FAILURE_RULE_SUFFIXES.missing,
      description: `${scope.pipeline}: nothing was delivered for the run's dates`,
      pattern: pattern({
        status: ["FAILED"],
        error: [MISSING_DELIVERY.error],
        cause: [{ wildcard: MISSING_DELIVERY.wildcard }],
      }),
      inputPaths: PATHS_WITH_CAUSE,
      inputTemplate: template(
        scope,
        redriveCommand(scope),
        "Nothing was delivered for these dates. Ask the source; once the delivery has arrived, redrive.",
        "missing-delivery",
        { outcome: "MISSING" },
      ),
    },
    {
      id: "Redrive",
      suffix: FAILURE_RULE_SUFFIXES.redrive,
      description: `${scope.pipeline}: failures, time-outs and aborts that a redrive continues`,
      pattern: pattern({
        $or: [
          { status: ["TIMED_OUT", "ABORTED"], error: present, cause: present },
          // List null explicitly; anything-but's handling of null is unclear.
          {
            status: ["FAILED"],
            error: [null, { "anything-but": [...newExecutionErrors, MISSING_DELIVERY.error] }],
            cause: present,
          },
          {
            status: ["FAILED"],
            error: [MISSING_DELIVERY.error],
            cause: [null, { "anything-but": { wildcard: MISSING_DELIVERY.wildcard } }],
          },
        ],
      }),
      inputPaths: PATHS_WITH_CAUSE,
      inputTemplate: template(
        scope,
        redriveCommand(scope),
        "Fix the cause, then redrive: the execution continues at the failed state with its old definition. If you changed the definition, start a new execution instead.",
        "redrive",
      ),
    },
    {
      id: "WithoutCause",
      suffix: FAILURE_RULE_SUFFIXES.withoutCause,
      description: `${scope.pipeline}: failures whose event leaves out error or cause`,
      pattern: pattern({
        $or: [
          { status: ["FAILED", "TIMED_OUT", "ABORTED"], error: [{ exists: false }] },
          { status: ["FAILED", "TIMED_OUT", "ABORTED"], cause: [{ exists: false }] },
        ],
      }),
      inputPaths: PATHS,
      inputTemplate: template(
        scope,
        redriveCommand(scope),
        "The event does not contain the cause: open the link to read it, fix it, then redrive.",
        "without-cause",
        { withCause: false },
      ),
    },
  ];
}

/** The suffix of the rule that reports a failed messenger. */
export const UNTOLD_RULE_SUFFIX = "-untold";

/**
 * The rule that reports a failed messenger: it publishes the messenger's input to the topic. EventBridge can neither set a subject nor
 * read JSON, so the message is plain.
 */
export function untoldRule(scope: {
  readonly name: string;
  readonly stateMachineArn: string;
  readonly region: string;
  readonly partition: string;
}): Omit<FailureRule, "id"> {
  const advice =
    "An execution of a pipeline failed, and the message about it could not be written. " +
    "The field input holds what the message should have said.";
  const fields = [
    `"outcome": "FAILED"`,
    `"status": <status>`,
    `"advice": ${text(advice)}`,
    `"input": <input>`,
    `"execution": <execution>`,
    `"console": ${text(consoleLink(scope))}`,
  ];
  return {
    suffix: UNTOLD_RULE_SUFFIX,
    description: `${scope.name}: failures whose message could not be written`,
    pattern: {
      source: ["aws.states"],
      "detail-type": ["Step Functions Execution Status Change"],
      detail: { stateMachineArn: [scope.stateMachineArn], status: ["FAILED", "TIMED_OUT", "ABORTED"] },
    },
    inputPaths: { ...PATHS, input: "$.detail.input" },
    inputTemplate: `{\n${fields.join(",\n")}\n}`,
  };
}
