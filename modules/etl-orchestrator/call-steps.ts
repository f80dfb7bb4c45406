import { isObject, type JsonObject } from "../../definition-checks/asl";
import { serviceOf, transientErrors } from "../../definition-checks/service-errors";
import { type PolicyStatement } from "../iam/policy-statement";
import { makeStep, type FlowStep, type StepMistake, wholeBetween } from "./step-data";

/** Props of `Step.invokeFunction`. `function` takes an `EtlFunction`. */
export interface InvokeFunctionStepProps {
  /** The function; its time-out in seconds, 1 to 900. The step's time-out is 60 s longer. */
  readonly function: { readonly functionName: string; readonly timeoutSeconds: number };
  /**
   * The function's event. A key that ends in `.$` takes a path or an intrinsic function.
   * @default { "run.$": "$.run" }
   */
  readonly payload?: JsonObject;
  /**
   * `true`: a call is repeated also if the function may have worked already, because its service failed or its answer was lost. Say so only
   * if a second call with the same event changes nothing.
   * @default false: only a call that was throttled is repeated
   */
  readonly idempotent?: boolean;
}

/** A type of an answer's column: `number` becomes a JSON number. */
export type AnswerType = "text" | "number";

/** Props of `Step.query`. */
export interface QueryStepProps {
  /** One statement; question marks take `parameters`. */
  readonly sql: string;
  /** The workgroup that runs it. Grant the orchestrator's role what the statement reads and writes, and the workgroup's results. */
  readonly workgroup: { readonly workgroupName: string };
  /**
   * The database of tables that are named without one.
   * @default - names have their database
   */
  readonly database?: string;
  /**
   * Values for the question marks in order. A text that starts with `$.` is a path to a text without single quotes; one that starts with
   * `States.` is an intrinsic function, as `States.Format('{}', $.results.count.payload.rows)` for a number. Every other text is a value.
   * @default - none
   */
  readonly parameters?: readonly (string | number)[];
  /**
   * Columns of the first row to keep at `$.results.<step>.<column>`, in the statement's order. A query without a row, or with a null in one
   * of them, fails as `QueryAnswerMissing`.
   * @default - nothing is read: only the query's id is kept
   */
  readonly answer?: Readonly<Record<string, AnswerType>>;
}

/** Props of `Step.task`. */
export interface TaskStepProps {
  /** The integration without its prefix: `dynamodb:putItem`, `aws-sdk:glue:getTable`, `batch:submitJob.sync`. */
  readonly call: string;
  /** The call's Parameters. A key that ends in `.$` takes a path or an intrinsic function. */
  readonly parameters: JsonObject;
  /** The longest duration in seconds, 1 to 31,536,000 (a year). */
  readonly timeoutSeconds: number;
  /**
   * The part of the answer to keep, as a ResultSelector: `{ "status.$": "$.Status" }`.
   * @default - nothing is kept
   */
  readonly result?: JsonObject;
  /**
   * Retriers, as in the Amazon States Language.
   * @default - the transient errors of the service if the call only reads (its name begins with get, describe, list, head, query or scan)
   */
  readonly retry?: readonly JsonObject[];
  /**
   * Rights that the call needs, where they cannot be derived.
   * @default - derived; a call whose rights cannot be derived is refused
   */
  readonly statements?: readonly PolicyStatement[];
}

const MOST_FUNCTION_SECONDS = 900;
const FUNCTION_START_SECONDS = 60;
const MOST_TASK_SECONDS = 31_536_000;
/** Athena's own limit for a query is 30 minutes, https://docs.aws.amazon.com/athena/latest/ug/service-limits.html; queueing comes on top. */
export const QUERY_SECONDS = 45 * 60;
const READ_SECONDS = 60;

const retrier = (errors: readonly string[], seconds = 2, attempts = 5): JsonObject => ({
  ErrorEquals: [...errors],
  IntervalSeconds: seconds,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: attempts,
  JitterStrategy: "FULL",
});
/** The longest wait of a retrier above. */
const RETRY_SECONDS = 5 * 60;

/** A throttled call did not start the function: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html. */
const NOT_STARTED = ["Lambda.TooManyRequestsException"];

export function invokeFunction(name: string, props: InvokeFunctionStepProps): FlowStep {
  const { function: target, payload = { "run.$": "$.run" }, idempotent = false } = props;
  const timeoutSeconds = target.timeoutSeconds + FUNCTION_START_SECONDS;
  const others = transientErrors("Lambda").filter((error) => !NOT_STARTED.includes(error));
  const retry = [retrier(NOT_STARTED, 5, 6), ...(idempotent ? [retrier(others)] : [])];
  const attempts = idempotent ? 1 + 5 : 1;
  return makeStep(
    {
      name,
      kind: "invokeFunction",
      fragment: {
        StartAt: "${Step}",
        States: {
          "${Step}": {
            Type: "Task",
            Resource: "arn:${Partition}:states:::lambda:invoke",
            Parameters: { FunctionName: "${FunctionName}", Payload: "${Payload}" },
            ResultSelector: { "payload.$": "$.Payload" },
            ResultPath: "$.results.${Result}",
            TimeoutSeconds: "${TimeoutSeconds}",
            Retry: "${Retry}",
            Next: "${Next}",
          },
        },
      },
      values: {
        FunctionName: target.functionName,
        Payload: payload,
        TimeoutSeconds: timeoutSeconds,
        Retry: retry,
      },
      boundSeconds: timeoutSeconds * attempts + RETRY_SECONDS,
      reads: [JSON.stringify(payload)],
    },
    wholeBetween("function.timeoutSeconds", target.timeoutSeconds, 1, MOST_FUNCTION_SECONDS),
  );
}

/** A statement that only reads may be started twice. */
const readsOnly = (sql: string): boolean =>
  /^\s*(?:select|with|show|describe|explain|values|table)\b/i.test(
    sql.replace(/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, ""),
  );

const isDynamic = (value: string | number): value is string =>
  typeof value === "string" && /^(?:\$|States)\./.test(value);

/**
 * The values for question marks: a literal in SQL, or an expression that makes one.
 * Source: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements-querying.html
 */
const sqlLiteral = (value: string | number): string =>
  typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
const sqlExpression = (value: string): string =>
  value.startsWith("$.") ? String.raw`States.Format('\'{}\'', ${value})` : value;

/** Values that are made when the query starts stand in a state of their own: interpreters disagree on escapes in nested functions. */
const parameterState = (parameters: readonly (string | number)[]): JsonObject => ({
  Type: "Pass",
  Parameters: Object.fromEntries(
    parameters.map((value, index) =>
      isDynamic(value) ? [`p${index}.$`, sqlExpression(value)] : [`p${index}`, sqlLiteral(value)],
    ),
  ),
  ResultPath: "$.results.${Result}",
  Next: "${Step}Run",
});

const listed = (length: number): string =>
  `States.Array(${Array.from({ length }, (_, index) => `$.results.\${Result}.p${index}`).join(", ")})`;

export function query(name: string, props: QueryStepProps): FlowStep {
  const { sql, workgroup, database, parameters = [], answer } = props;
  const throttled = "Athena.TooManyRequestsException";
  const repeatable = readsOnly(sql) ? transientErrors("Athena") : [throttled];
  const columns = Object.entries(answer ?? {});
  const asks = columns.length > 0;
  const dynamic = parameters.some(isDynamic);
  return makeStep(
    {
      name,
      kind: "query",
      fragment: {
        StartAt: "${Step}",
        States: {
          ...(dynamic ? { "${Step}": parameterState(parameters) } : {}),
          [dynamic ? "${Step}Run" : "${Step}"]: {
            ...(readsOnly(sql)
              ? {}
              : {
                  Comment:
                    "Only a throttled start is repeated: after another error the statement may be at work",
                }),
            Type: "Task",
            Resource: "arn:${Partition}:states:::athena:startQueryExecution.sync",
            Parameters: {
              QueryString: "${Sql}",
              WorkGroup: "${Workgroup}",
              ...(database === undefined ? {} : { QueryExecutionContext: { Database: "${Database}" } }),
              ...(parameters.length === 0
                ? {}
                : dynamic
                  ? { "ExecutionParameters.$": listed(parameters.length) }
                  : { ExecutionParameters: "${Parameters}" }),
            },
            ResultSelector: { "queryExecutionId.$": "$.QueryExecution.QueryExecutionId" },
            ResultPath: "$.results.${Result}",
            TimeoutSeconds: QUERY_SECONDS,
            Retry: [retrier(repeatable, 5)],
            Next: asks ? "${Step}Read" : "${Next}",
          },
          ...(asks ? readStates(columns) : {}),
        },
      },
      values: {
        Sql: sql,
        Workgroup: workgroup.workgroupName,
        ...(database === undefined ? {} : { Database: database }),
        ...(parameters.length === 0 || dynamic ? {} : { Parameters: parameters.map(sqlLiteral) }),
      },
      boundSeconds: QUERY_SECONDS + RETRY_SECONDS + (asks ? READ_SECONDS + RETRY_SECONDS : 0),
      reads: parameters.map(String),
    },
    queryMistakes(props),
  );
}

/** Reads the first row. Its first row is the header, and a null has no VarCharValue. */
function readStates(columns: readonly (readonly [string, AnswerType])[]): JsonObject {
  const cell = (index: number) => `$.results.\${Result}.answer.rows[1].Data[${index}].VarCharValue`;
  const taken = columns.map(([column, type], index) => [
    `${column}.$`,
    type === "number" ? `States.StringToJson(${cell(index)})` : cell(index),
  ]);
  return {
    "${Step}Read": {
      Type: "Task",
      Resource: "arn:${Partition}:states:::athena:getQueryResults",
      Parameters: { "QueryExecutionId.$": "$.results.${Result}.queryExecutionId", MaxResults: 2 },
      ResultSelector: { "rows.$": "$.ResultSet.Rows" },
      ResultPath: "$.results.${Result}.answer",
      TimeoutSeconds: READ_SECONDS,
      Retry: [retrier(transientErrors("Athena"))],
      Next: "${Step}IsAnswered",
    },
    "${Step}IsAnswered": {
      Type: "Choice",
      Choices: [
        {
          And: columns.map((_, index) => ({ Variable: cell(index), IsPresent: true })),
          Next: "${Step}Take",
        },
      ],
      Default: "${Step}ReportMissing",
    },
    "${Step}Take": {
      Type: "Pass",
      Parameters: {
        "queryExecutionId.$": "$.results.${Result}.queryExecutionId",
        ...(Object.fromEntries(taken) as JsonObject),
      },
      ResultPath: "$.results.${Result}",
      Next: "${Next}",
    },
    "${Step}ReportMissing": {
      Type: "Pass",
      Parameters: {
        "cause.$": `States.Format('query {} of step \${Step} gave no row, or a null in one of ${columns.map(([column]) => column).join(", ")}', $.results.\${Result}.queryExecutionId)`,
      },
      ResultPath: "$.results.${Result}",
      Next: "${Step}AnswerMissing",
    },
    "${Step}AnswerMissing": {
      Type: "Fail",
      Error: "QueryAnswerMissing",
      CausePath: "$.results.${Result}.cause",
    },
  };
}

function queryMistakes({ sql, parameters = [], answer }: QueryStepProps): StepMistake[] {
  const marks =
    sql.replace(/'(?:''|[^'])*'|"(?:""|[^"])*"|--[^\n]*|\/\*[\s\S]*?\*\//g, "").match(/\?/g)?.length ?? 0;
  return [
    ...(sql.trim() === "" ? [{ field: "sql", message: "must not be empty" }] : []),
    ...(marks === parameters.length
      ? []
      : [
          {
            field: "parameters",
            message: `must be ${marks}, one for each question mark, got ${parameters.length}`,
          },
        ]),
    ...(answer !== undefined && Object.keys(answer).length === 0
      ? [{ field: "answer", message: "must name columns, or be left out" }]
      : []),
    ...Object.keys(answer ?? {})
      .filter((column) => !/^[A-Za-z][A-Za-z0-9_]*$/.test(column) || column === "queryExecutionId")
      .map((column) => ({
        field: `answer.${column}`,
        message:
          "must be a name of letters, digits and underscores, and not queryExecutionId; give the column an alias",
      })),
  ];
}

const READING = /^(?:get|describe|list|head|query|scan|batchGet)/;

export function task(name: string, props: TaskStepProps): FlowStep {
  const { call, parameters, timeoutSeconds, result, statements } = props;
  const resource = `arn:aws:states:::${call}`;
  const action = call.split(":").at(-1) ?? "";
  const transient = transientErrors(serviceOf(resource).prefix ?? "");
  const derived = READING.test(action) && transient.length > 0 ? [retrier(transient)] : [];
  const retry = props.retry ?? derived;
  return makeStep(
    {
      name,
      kind: "task",
      fragment: {
        StartAt: "${Step}",
        States: {
          "${Step}": {
            Type: "Task",
            Resource: "arn:${Partition}:states:::${Call}",
            Parameters: "${Parameters}",
            ...(result === undefined
              ? { ResultPath: null }
              : { ResultSelector: "${Selector}", ResultPath: "$.results.${Result}" }),
            TimeoutSeconds: "${TimeoutSeconds}",
            ...(retry.length === 0 ? {} : { Retry: "${Retry}" }),
            Next: "${Next}",
          },
        },
      },
      values: {
        Call: call,
        Parameters: parameters,
        TimeoutSeconds: timeoutSeconds,
        ...(result === undefined ? {} : { Selector: result }),
        ...(retry.length === 0 ? {} : { Retry: [...retry] }),
      },
      boundSeconds: timeoutSeconds + secondsOf(retry, timeoutSeconds),
      leavesNoResult: result === undefined,
      reads: [JSON.stringify(parameters)],
      statements,
    },
    [
      ...(/^arn:/.test(call)
        ? [
            {
              field: "call",
              message: `must be the integration without arn:…:states:::, such as dynamodb:putItem, got ${JSON.stringify(call)}`,
            },
          ]
        : []),
      ...wholeBetween("timeoutSeconds", timeoutSeconds, 1, MOST_TASK_SECONDS),
      ...(isObject(parameters) ? [] : [{ field: "parameters", message: "must be an object" }]),
      ...(statements?.length === 0
        ? [{ field: "statements", message: "must not be empty: leave it out if the rights are derived" }]
        : []),
    ],
  );
}

/** The longest duration of retries: every attempt up to its time-out, and the waits between. */
function secondsOf(retry: readonly JsonObject[], timeoutSeconds: number): number {
  return retry.reduce((sum, rule) => {
    const number = (key: string, other: number) => (typeof rule[key] === "number" ? rule[key] : other);
    const attempts = number("MaxAttempts", 3);
    const interval = number("IntervalSeconds", 1);
    const waits = Array.from({ length: attempts }, (_, index) =>
      Math.min(
        interval * number("BackoffRate", 2) ** index,
        number("MaxDelaySeconds", Number.MAX_SAFE_INTEGER),
      ),
    );
    return sum + attempts * timeoutSeconds + waits.reduce((total, wait) => total + wait, 0);
  }, 0);
}
