import { statesConsole } from "../core/console";
import { runbookLink, type RunbookPage } from "../core/runbook";
import { type Definition, type JsonObject } from "../../definition-checks/asl";
import { failErrors } from "../../definition-checks/asl-checks";
import { title, type TitleScope } from "./message-text";

/**
 * The rules that report executions that did not succeed. Four rules on the status event, disjoint and together
 * everything: exactly one message each. A rule of its own serves events without `error` or `cause` (a machine encrypted
 * with a customer key has them left out), because an input path that leads nowhere spoils the whole message. What the rules
 * hand on is worded and published by a `FailureMessenger`.
 */

/**
 * Errors of a definition or of data it cannot read: running the failed state again, as a redrive does, fails again
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
 * What a job raises when nothing was delivered for the run's dates, https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html:
 * a failed run arrives as States.TaskFailed, with its error message in the cause.
 */
const MISSING_DELIVERY = { error: "States.TaskFailed", wildcard: "*MissingDelivery: *" };

/** The errors a redrive cannot get past. */
export const errorsThatNeedANewExecution = (definition: Definition): string[] =>
  [...new Set([...failErrors(definition), ...REPEATING_ERRORS])].sort();

export interface FailureMessageScope extends TitleScope {
  readonly region: string;
  readonly partition: string;
  readonly stateMachineArn: string;
  /** What a new execution is started on. */
  readonly aliasArn: string;
  /** The address of the folder docs/runbook; without it pages are named by their path. */
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

/** How a rule's name ends. */
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

/** The same input again, taken from the failed execution, so that nothing has to be quoted for a shell. */
const startCommand = ({ region, aliasArn }: FailureMessageScope) =>
  `aws stepfunctions start-execution --region ${region} --state-machine-arn ${aliasArn} ` +
  `--input "$(aws stepfunctions describe-execution --region ${region} --execution-arn <execution> --query input --output text)"`;

const text = (value: string): string => JSON.stringify(value);

/** What a person reads below the cause. Without an address the page is named with the place where it lies. */
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
 * What a messenger is handed, as EventBridge takes it: JSON whose fields of the event stand bare, so that they arrive as JSON
 * values with their quotes and escapes ("Amazon EventBridge input transformation"). At most 8192 characters and 100 fields of
 * the event: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html
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
  // In lines, or `cdktf synth --hcl` loses the backslashes of the texts.
  return `{\n${fields.join(",\n")}\n}`;
}

const PATHS = { status: "$.detail.status", execution: "$.detail.executionArn" };
const PATHS_WITH_CAUSE = { ...PATHS, error: "$.detail.error", cause: "$.detail.cause" };

/** The rules of a machine, given the errors a redrive cannot get past. */
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
        "Mend what the cause names, then start a new execution; where the input was refused, correct it in --input.",
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
          // null is named beside anything-but, so that nothing hangs on what anything-but thinks of it.
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
        "Mend what the cause names, then redrive: it continues at the failed state with the definition of that execution. When the definition itself was mended, start a new execution.",
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
        "The event does not say the cause: read it behind the link, mend it, then redrive.",
        "without-cause",
        { withCause: false },
      ),
    },
  ];
}

/** How the name of the rule ends that speaks when a messenger fails. */
export const UNTOLD_RULE_SUFFIX = "-untold";

/**
 * The rule for a messenger that failed itself: straight to the topic, with all that the messenger was given. EventBridge sets no
 * subject and reads no JSON, so its message is plain.
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
