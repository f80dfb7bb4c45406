import { type StateMachine as LocalStateMachine, type StateMachineDefinition } from "aws-local-stepfunctions";
import { everyState, type Definition, type Json, type JsonObject } from "../../definition-checks/asl";
import { integrationOf } from "../../definition-checks/service-integrations";

/** Runs a synthesised definition with scripted answers, without waiting. */

interface Resolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

// The interpreter asks for Node 22 only for this function.
const promises = Promise as unknown as { withResolvers?: <T>() => Resolvers<T> };
promises.withResolvers ??= <T>(): Resolvers<T> => {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

/** A service's refusal: the name is what Retry and Catch match, the message becomes the cause. */
export class ServiceError extends Error {
  constructor(
    override readonly name: string,
    message = `${name} was scripted`,
  ) {
    super(message);
  }
}

export interface Call {
  readonly state: string;
  /** `glue:startJobRun.sync`, `aws-sdk:glue:getCrawler` … */
  readonly integration: string;
  readonly parameters: JsonObject;
}

export type Answer = (call: Call) => Json;

export interface Outcome {
  readonly status: "SUCCEEDED" | "FAILED";
  readonly error?: string;
  readonly cause?: string;
  readonly output?: Json;
  /** The states entered, in order. */
  readonly path: readonly string[];
  /** Every service call, repeated ones included, nested executions' too. */
  readonly calls: readonly Call[];
}

export interface Interpretation {
  readonly definition: Definition;
  readonly input: Json;
  /** The execution's name. */
  readonly name?: string;
  readonly stateMachineArn?: string;
  /** The answers of each integration; one without an answer fails the execution. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Definitions by the ARN of their machine, for nested executions. */
  readonly machines?: Readonly<Record<string, Definition>>;
}

const text = (value: Json | undefined): string => {
  if (typeof value !== "string") throw new TypeError(`expected text, got ${JSON.stringify(value)}`);
  return value;
};

async function nested(call: Call, outer: Interpretation, calls: Call[]): Promise<Json> {
  const arn = text(call.parameters.StateMachineArn);
  const definition = outer.machines?.[arn];
  if (definition === undefined)
    throw new ServiceError("StepFunctions.StateMachineDoesNotExistException", arn);
  const name = `nested-${calls.length}`;
  const executionArn = `${arn.replace(":stateMachine:", ":execution:")}:${name}`;
  const inner = await interpret({
    ...outer,
    definition,
    name,
    stateMachineArn: arn,
    input: call.parameters.Input ?? {},
  });
  calls.push(...inner.calls);
  // As AWS tells it: a nested failure is States.TaskFailed, its cause the description of the execution.
  if (inner.status === "FAILED")
    throw new ServiceError(
      "States.TaskFailed",
      JSON.stringify({
        Cause: inner.cause,
        Error: inner.error,
        ExecutionArn: executionArn,
        StateMachineArn: arn,
        Status: "FAILED",
      }),
    );
  return {
    ExecutionArn: executionArn,
    Output: inner.output ?? {},
    StateMachineArn: arn,
    Status: "SUCCEEDED",
  };
}

/** Without waiting, a loop that never ends would spin for ever. */
const MOST_CALLS = 500;

/** Follows one execution to its end. */
export async function interpret(interpretation: Interpretation): Promise<Outcome> {
  const { definition, input, answers, name = "run-1" } = interpretation;
  const arn =
    interpretation.stateMachineArn ?? "arn:aws:states:us-east-1:000000000000:stateMachine:under-test";
  const { StateMachine } = await import("aws-local-stepfunctions");
  const calls: Call[] = [];
  const states = everyState(definition).map(({ name: state, state: fields }) => [state, fields] as const);
  const handlers = states
    .filter(([, state]) => state.Type === "Task")
    .map(([state, { Resource }]) => {
      const { call, pattern } = integrationOf(text(Resource));
      const integration = call + pattern;
      return [
        state,
        async (parameters: Json): Promise<Json> => {
          const made: Call = { state, integration, parameters: parameters as JsonObject };
          calls.push(made);
          if (calls.length > MOST_CALLS)
            throw new ServiceError("TooManyCalls", `${calls.length} calls, no end`);
          const answer = answers[integration];
          if (answer !== undefined) return Promise.resolve(answer(made));
          if (integration === "states:startExecution.sync:2") return nested(made, interpretation, calls);
          throw new ServiceError("Unscripted", integration);
        },
      ] as const;
    });
  const zero = (type: string) =>
    Object.fromEntries(states.filter(([, s]) => s.Type === type).map(([s]) => [s, 0]));

  // asl-validator has a test of its own; here it would cost a tenth of a second each time.
  const machine: LocalStateMachine = new StateMachine(definition as unknown as StateMachineDefinition, {
    validationOptions: { noValidate: true },
  });
  const execution = machine.run(input as never, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(handlers) as never,
      waitTimeOverrides: zero("Wait"),
      retryIntervalOverrides: zero("Task"),
    },
    context: {
      Execution: {
        Id: `${arn.replace(":stateMachine:", ":execution:")}:${name}`,
        Name: name,
        Input: input as never,
        StartTime: "2010-12-01T06:00:00.000Z",
      },
      // One for all states: the interpreter itself has none.
      State: { EnteredTime: "2010-12-01T06:00:01.000Z", Name: "a state", RetryCount: 0 },
      StateMachine: { Id: arn, Name: arn.split(":").pop() },
    },
  });
  const path: string[] = [];
  const failure: { error?: string; cause?: string } = {};
  const followed = (async () => {
    for await (const event of execution.eventLogs) {
      if (event.type === "StateEntered") path.push(event.state.name);
      if (event.type === "ExecutionFailed") {
        failure.error = event.Error;
        failure.cause = String(event.Cause);
      }
    }
  })();
  try {
    const output = (await execution.result) as Json;
    await followed;
    return { status: "SUCCEEDED", output, path, calls };
  } catch {
    await followed;
    return { status: "FAILED", ...failure, path, calls };
  }
}
