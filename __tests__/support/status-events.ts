import { type JsonObject } from "../../modules/etl-orchestrator/asl";
import { matches, transform } from "./event-rules";
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

/** The messages that an event leads to. */
export const messagesOf = (rules: readonly FailureRule[], event: JsonObject): JsonObject[] =>
  rules
    .filter(({ pattern }) => matches(pattern, event))
    .map(({ target: { input_transformer: made } }) => {
      const text = transform(made.input_paths, made.input_template, event);
      return JSON.parse(text) as JsonObject;
    });
