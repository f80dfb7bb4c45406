import { open, type Notification } from "../../local/notifications";
import { type Json, type JsonObject } from "../../definition-checks/asl";
import { matches, transform } from "./event-rules";
import { type Answer, interpret, type Outcome } from "./interpreter";
import { MACHINE_ARN, type SynthesisedOrchestrator } from "./orchestrator";

/** Status events of executions, and what the synthesised rules make of them. */

export const EXECUTION = `${MACHINE_ARN.replace(":stateMachine:", ":execution:")}:8f1d2c3b`;

/** The event as Step Functions sends it; see "Step Functions events" in the EventBridge Events Reference. */
export const statusEvent = (detail: JsonObject): JsonObject => ({
  version: "0",
  id: "315c1398-40ff-a850-213b-158f73e60175",
  "detail-type": "Step Functions Execution Status Change",
  source: "aws.states",
  account: "000000000000",
  time: "2010-12-02T06:12:21Z",
  region: "us-east-1",
  resources: [EXECUTION],
  detail: {
    executionArn: EXECUTION,
    stateMachineArn: MACHINE_ARN,
    name: "8f1d2c3b",
    startDate: 1291269600000,
    stopDate: 1291270341000,
    input: '{"runDate":"2010-12-01"}',
    inputDetails: { included: true },
    output: null,
    outputDetails: null,
    stateMachineVersionArn: `${MACHINE_ARN}:3`,
    stateMachineAliasArn: `${MACHINE_ARN}:live`,
    redriveCount: 0,
    redriveDate: null,
    redriveStatus: "REDRIVABLE",
    redriveStatusReason: null,
    error: null,
    cause: null,
    ...detail,
  },
});

export interface FailureRule {
  readonly name: string;
  readonly pattern: JsonObject;
  readonly target: {
    arn: string;
    role_arn?: string;
    input_transformer: { input_paths: Record<string, string>; input_template: string };
  };
}

export const failureRules = ({ all }: SynthesisedOrchestrator): FailureRule[] =>
  Object.entries(all("aws_cloudwatch_event_rule")).map(([key, rule]) => ({
    name: rule.name as string,
    pattern: JSON.parse(rule.event_pattern as string) as JsonObject,
    target: Object.values(all("aws_cloudwatch_event_target")).find(
      (target) => target.rule === `\${aws_cloudwatch_event_rule.${key}.name}`,
    ) as never,
  }));

/** The input of the target of each rule that an event matches. */
export const handedOn = (rules: readonly FailureRule[], event: JsonObject): string[] =>
  rules
    .filter(({ pattern }) => matches(pattern, event))
    .map(({ target: { input_transformer: made } }) =>
      transform(made.input_paths, made.input_template, event),
    );

/** The name of the orchestrator's own messenger. */
export const MESSENGER = "etl-dev-events-fail";

/** One execution of the messenger. */
export async function runMessenger(
  synthesised: SynthesisedOrchestrator,
  input: Json,
  publish: Answer = () => ({ MessageId: "m-1" }),
): Promise<Outcome> {
  // The interpreter takes every backslash out of what a function gives; AWS takes out those of a template's text, and here
  // there are none of them.
  const drop = (text: string, taken: string | RegExp, put: string): string => text.split(taken).join(put);
  const spy = jest.spyOn(String.prototype, "replaceAll").mockImplementation(function (
    this: string,
    taken: string | RegExp,
    put: unknown,
  ) {
    return taken === "\\" && put === "" ? this.toString() : drop(this.toString(), taken, String(put));
  });
  try {
    const definition = synthesised.definition(MESSENGER);
    return await interpret({ definition, input, answers: { "sns:publish": publish } });
  } finally {
    spy.mockRestore();
  }
}

/** The messages that a subscriber receives of an event: what the rules hand on, as the messenger publishes it. */
export async function messagesOf(
  synthesised: SynthesisedOrchestrator,
  event: JsonObject,
): Promise<(Notification & { readonly message: JsonObject })[]> {
  const messages = [];
  for (const input of handedOn(failureRules(synthesised), event)) {
    const { calls } = await runMessenger(synthesised, JSON.parse(input) as Json);
    messages.push(...calls.map(({ parameters }) => asReceived(parameters)));
  }
  return messages;
}

/** A call of SNS as a subscriber sees it. */
export const asReceived = ({ Subject, Message }: JsonObject) =>
  open(JSON.stringify({ Subject, Message })) as Notification & { readonly message: JsonObject };
