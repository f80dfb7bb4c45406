import { type Json, type JsonObject } from "../../../definition-checks/asl";
import { type EtlOrchestratorProps } from "../../../modules/etl-orchestrator/etl-orchestrator";
import { Step } from "../../../modules/etl-orchestrator/step";
import { type Answer, interpret, type Outcome, ServiceError } from "../../support/interpreter";
import { ACCOUNT, RecordingTopic, REGION, synthOrchestrator } from "../../support/orchestrator";
import { made } from "../../support/pipeline-run";

/** Steps that hold other steps, and steps that call functions, queries and any service, interpreted with scripted answers. */

const NAME = "etl-dev-report";
const LOAD = { functionName: "load", timeoutSeconds: 60 };

const machineOf = (steps: readonly Step[], rest: Partial<EtlOrchestratorProps> = {}) =>
  synthOrchestrator({
    name: NAME,
    pipeline: "report",
    steps,
    input: "any",
    notifications: new RecordingTopic(),
    account: ACCOUNT,
    region: REGION,
    ...rest,
  });

const run = (
  steps: readonly Step[],
  input: Json,
  answers: Readonly<Record<string, Answer>> = {},
  rest: Partial<EtlOrchestratorProps> = {},
): Promise<Outcome> => interpret({ definition: machineOf(steps, rest).definition(NAME), input, answers });

const results = ({ output }: Outcome): Json | undefined => (output as JsonObject | undefined)?.results;
const ending = ({ status, error, cause }: Outcome) => ({ status, error, cause });
const payloads = (outcome: Outcome) => made(outcome, "lambda:invoke").map(({ Payload }) => Payload);
const answered =
  (payload: Json): Answer =>
  () => ({ Payload: payload, StatusCode: 200 });

describe("invokeFunction", () => {
  test("its answer is the step's result, and its event the run", async () => {
    const outcome = await run(
      [Step.invokeFunction("Load", { function: LOAD })],
      { table: "orders" },
      { "lambda:invoke": answered({ rows: 3 }) },
    );
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(results(outcome)).toEqual({ load: { payload: { rows: 3 } } });
    expect(made(outcome, "lambda:invoke")).toEqual([
      { FunctionName: "load", Payload: { run: { id: "run-1", input: { table: "orders" } } } },
    ]);
  });

  test.each<[string, boolean, string, number]>([
    ["a throttled call is repeated", false, "Lambda.TooManyRequestsException", 7],
    ["a lost answer is not", false, "Lambda.SdkClientException", 1],
    ["unless the function is idempotent", true, "Lambda.SdkClientException", 6],
    ["an error of the function never", true, "ValueError", 1],
  ])("%s", async (_what, idempotent, error, calls) => {
    const fails: Answer = () => {
      throw new ServiceError(error);
    };
    const step = Step.invokeFunction("Load", { function: LOAD, payload: { day: "x" }, idempotent });
    const outcome = await run([step], {}, { "lambda:invoke": fails });
    expect(ending(outcome)).toMatchObject({ status: "FAILED", error });
    expect(payloads(outcome)).toEqual(Array.from({ length: calls }, () => ({ day: "x" })));
  });
});

describe("choose", () => {
  const steps = [
    Step.invokeFunction("Count", { function: LOAD }),
    Step.choose("HasRows", {
      branches: [
        {
          when: { Variable: "$.results.count.payload.rows", NumericGreaterThan: 100 },
          steps: [
            Step.invokeFunction("LoadMuch", { function: LOAD, payload: { how: "much" } }),
            Step.invokeFunction("Tidy", { function: LOAD, payload: { how: "tidy" } }),
          ],
        },
        {
          when: { Variable: "$.results.count.payload.rows", NumericGreaterThan: 0 },
          steps: [Step.invokeFunction("LoadLittle", { function: LOAD, payload: { how: "little" } })],
        },
        { when: { Variable: "$.results.count.payload.rows", NumericEquals: 0 }, steps: [] },
      ],
      otherwise: [
        Step.fail("Stop", {
          error: "NegativeCount",
          cause: "States.Format('counted {} rows', $.results.count.payload.rows)",
        }),
      ],
    }),
    Step.invokeFunction("Finish", { function: LOAD, payload: { how: "finish" } }),
  ];
  const counting = (rows: number): Record<string, Answer> => ({ "lambda:invoke": answered({ rows }) });

  test.each([
    [101, ["much", "tidy", "finish"]],
    [1, ["little", "finish"]],
    [0, ["finish"]],
  ])("%d rows", async (rows, how) => {
    const outcome = await run(steps, {}, counting(rows));
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(
      payloads(outcome)
        .slice(1)
        .map((payload) => (payload as JsonObject).how),
    ).toEqual(how);
  });

  test("no rule is true", async () => {
    const outcome = await run(steps, {}, counting(-1));
    expect(ending(outcome)).toEqual({ status: "FAILED", error: "NegativeCount", cause: "counted -1 rows" });
    expect(made(outcome, "lambda:invoke")).toHaveLength(1);
  });

  test("the last step of a flow leads to its end, and a way may be chosen inside of a way", async () => {
    const rule = (value: number) => ({ Variable: "$.run.input.n", NumericEquals: value });
    const inner = Step.choose("Inner", {
      branches: [
        { when: rule(2), steps: [Step.invokeFunction("Two", { function: LOAD, payload: { n: 2 } })] },
      ],
      otherwise: [],
    });
    const outer = Step.choose("Outer", { branches: [{ when: rule(1), steps: [] }], otherwise: [inner] });
    for (const [n, calls] of [
      [1, []],
      [2, [{ n: 2 }]],
      [3, []],
    ] as const) {
      const outcome = await run([outer], { n }, { "lambda:invoke": answered({}) });
      expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
      expect(payloads(outcome)).toEqual(calls);
    }
  });
});

describe("parallel", () => {
  // A queue's right needs its ARN, which the call does not name.
  const statements = [
    {
      effect: "Allow" as const,
      actions: ["sqs:SendMessage"],
      resources: ["arn:aws:sqs:eu-west-1:000000000000:q"],
    },
  ];
  const steps = [
    Step.invokeFunction("First", { function: LOAD, payload: { from: "first" } }),
    Step.parallel("Both", {
      branches: {
        ios: [
          Step.invokeFunction("LoadIos", { function: LOAD, payload: { from: "ios" } }),
          Step.invokeFunction("CountIos", {
            function: LOAD,
            payload: { "rows.$": "$.results.loadIos.payload", "first.$": "$.results.first.payload" },
          }),
        ],
        android: [
          Step.task("Mark", {
            call: "sqs:sendMessage",
            parameters: { QueueUrl: "q", MessageBody: "android" },
            timeoutSeconds: 9,
            retry: [
              { ErrorEquals: ["SQS.RequestThrottledException", "SQS.SdkClientException"], MaxAttempts: 2 },
            ],
            statements,
          }),
        ],
      },
    }),
    Step.invokeFunction("Last", {
      function: LOAD,
      payload: { "rows.$": "$.results.both.ios.countIos.payload" },
    }),
  ];
  const sends = { "sqs:sendMessage": () => ({}) };

  test("its results lie by branch and step; a branch sees what came before, and no branch sees the other", async () => {
    const echo: Answer = ({ parameters }) => ({ Payload: parameters.Payload as Json });
    const outcome = await run(steps, {}, { "lambda:invoke": echo, ...sends });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    const counted = { rows: { from: "ios" }, first: { from: "first" } };
    expect(results(outcome)).toEqual({
      first: { payload: { from: "first" } },
      both: {
        ios: { loadIos: { payload: { from: "ios" } }, countIos: { payload: counted } },
        android: {},
      },
      last: { payload: { rows: counted } },
    });
  });

  test("a branch that fails fails the run with its error", async () => {
    const fails: Answer = ({ parameters }) => {
      if (JSON.stringify(parameters.Payload).includes('"ios"'))
        throw new ServiceError("ValueError", "no day");
      return { Payload: {} };
    };
    const outcome = await run(steps, {}, { "lambda:invoke": fails, ...sends });
    expect(ending(outcome)).toMatchObject({ status: "FAILED", error: "ValueError", cause: "no day" });
  });
});

describe("forEach", () => {
  const load = Step.invokeFunction("Load", { function: LOAD, payload: { "table.$": "$.item" } });
  const each = (rest: object) =>
    Step.forEach("Each", { items: "$.run.input.tables", mostItems: 3, steps: [load], ...rest });
  const failingFor = (...tables: readonly string[]): Record<string, Answer> => ({
    "lambda:invoke": ({ parameters }) => {
      const { table } = parameters.Payload as { table: string };
      if (tables.includes(table)) throw new ServiceError("ValueError", `no ${table}`);
      return { Payload: { rows: table.length } };
    },
  });
  const done = (item: string, kept?: number) => ({
    item,
    status: "SUCCEEDED",
    ...(kept === undefined ? {} : { kept }),
  });
  const failure = (item: string) => ({ item, error: "ValueError", cause: `no ${item}` });
  const failed = (item: string) => ({ item, status: "FAILED", failure: failure(item) });

  test("one outcome per item, in order, with what is kept", async () => {
    const step = each({ keep: "$.results.load.payload.rows", maxConcurrency: 2 });
    const outcome = await run([step], { tables: ["a", "bb", "ccc"] }, failingFor());
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(results(outcome)).toEqual({
      each: { items: [done("a", 1), done("bb", 2), done("ccc", 3)], failed: 0 },
    });
  });

  test("a list in the flow itself, and an empty one in the run", async () => {
    const step = Step.forEach("Each", { items: ["x", "y"], steps: [load] });
    const outcome = await run([step], {}, failingFor());
    expect(results(outcome)).toEqual({ each: { items: [done("x"), done("y")], failed: 0 } });
    const empty = await run([each({})], { tables: [] }, failingFor());
    expect(results(empty)).toEqual({ each: { items: [], failed: 0 } });
  });

  test("more items than the bound fail before the first one", async () => {
    const outcome = await run([each({})], { tables: ["a", "b", "c", "d"] }, failingFor());
    expect(ending(outcome)).toEqual({
      status: "FAILED",
      error: "TooManyItems",
      cause: "step Each takes at most 3 items, got 4",
    });
    expect(outcome.calls).toEqual([]);
  });

  test("without tolerance the first failure is the run's", async () => {
    const outcome = await run([each({})], { tables: ["a", "b"] }, failingFor("b"));
    expect(ending(outcome)).toMatchObject({ status: "FAILED", error: "ValueError", cause: "no b" });
  });

  test("tolerated failures are counted and named", async () => {
    const step = each({ toleratedFailures: 1, keep: "$.results.load.payload.rows" });
    const outcome = await run([step], { tables: ["a", "b", "c"] }, failingFor("b"));
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(results(outcome)).toEqual({
      each: { items: [done("a", 1), failed("b"), done("c", 1)], failed: 1 },
    });
  });

  test("one failure too many fails the run, after all items", async () => {
    const outcome = await run(
      [each({ toleratedFailures: 1 })],
      { tables: ["a", "b", "c"] },
      failingFor("a", "c"),
    );
    expect(ending(outcome)).toEqual({
      status: "FAILED",
      error: "TooManyItemsFailed",
      cause: `2 items of step Each failed, 1 may fail: ${JSON.stringify([failure("a"), failure("c")])}`,
    });
    expect(payloads(outcome)).toHaveLength(3);
  });
});

describe("steps in steps in steps", () => {
  // A list in a branch, a choice for each item, a list in one of its ways.
  const call = (name: string, item = "$.item") =>
    Step.invokeFunction(name, { function: LOAD, payload: { step: name, "item.$": item } });
  const steps = [
    Step.parallel("Both", {
      branches: {
        lists: [
          Step.forEach("Tables", {
            items: "$.run.input.tables",
            mostItems: 5,
            maxConcurrency: 2,
            toleratedFailures: 1,
            steps: [
              Step.choose("IsWide", {
                branches: [
                  {
                    when: { Variable: "$.item.parts[0]", IsPresent: true },
                    steps: [
                      Step.forEach("Parts", {
                        items: "$.item.parts",
                        mostItems: 3,
                        steps: [call("LoadPart")],
                      }),
                    ],
                  },
                ],
                otherwise: [
                  call("LoadWhole"),
                  Step.choose("IsBroken", {
                    branches: [
                      {
                        when: { Variable: "$.results.loadWhole.payload.ok", BooleanEquals: false },
                        steps: [Step.fail("Broken", { error: "BrokenTable", cause: "$.item.name" })],
                      },
                    ],
                    otherwise: [],
                  }),
                ],
              }),
            ],
          }),
        ],
        other: [call("Other", "$.run.input.tables[0].name")],
      },
    }),
  ];
  const answer: Answer = ({ parameters }) => {
    const { step, item } = parameters.Payload as { step: string; item: { name?: string } };
    return { Payload: { ok: !(step === "LoadWhole" && item.name === "bad") } };
  };

  test("each item goes its own way, and its failure stays its own", async () => {
    const tables: JsonObject[] = [{ name: "good" }, { name: "wide", parts: ["p", "q"] }, { name: "bad" }];
    const outcome = await run(steps, { tables }, { "lambda:invoke": answer });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    const [good, wide, bad] = tables as [JsonObject, JsonObject, JsonObject];
    expect(results(outcome)).toEqual({
      both: {
        lists: {
          tables: {
            items: [
              { item: good, status: "SUCCEEDED" },
              { item: wide, status: "SUCCEEDED" },
              {
                item: bad,
                status: "FAILED",
                failure: { item: bad, error: "BrokenTable", cause: "bad" },
              },
            ],
            failed: 1,
          },
        },
        other: { other: { payload: { ok: true } } },
      },
    });
    const made = payloads(outcome).map((payload) => (payload as { step: string }).step);
    expect(made.sort()).toEqual(["LoadPart", "LoadPart", "LoadWhole", "LoadWhole", "Other"]);
  });

  test("all of their rights and bounds are the machine's", () => {
    const { statements, definition } = machineOf(steps);
    expect(JSON.stringify(statements(NAME))).toContain("lambda:InvokeFunction");
    // Three parts of an item, one after the other, for five tables two at a time; each call 120 s and 300 s of retries.
    expect(definition(NAME).TimeoutSeconds).toBe(60 + 3 * (3 * 420 + 60) + 60);
  });
});

describe("query", () => {
  const workgroup = { workgroupName: "etl-dev" };
  const asks = (...data: readonly (string | undefined)[]): Record<string, Answer> => ({
    "athena:startQueryExecution.sync": () => ({ QueryExecution: { QueryExecutionId: "q-1" } }),
    "athena:getQueryResults": () => ({
      ResultSet: {
        Rows: [
          { Data: [{ VarCharValue: "rows" }, { VarCharValue: "day" }] },
          ...(data.length === 0
            ? []
            : [
                {
                  Data: data.map((value): JsonObject => (value === undefined ? {} : { VarCharValue: value })),
                },
              ]),
        ],
      },
    }),
  });
  const step = Step.query("Ask", {
    sql: "select count(*) as rows, max(day) as day from t where shop = ? and day = ? and n > ?",
    workgroup,
    database: "shops",
    parameters: ["it's", "$.run.input.day", "States.Format('{}', $.run.input.n)"],
    answer: { rows: "number", day: "text" },
  });

  test("the first row's columns, as text or number", async () => {
    const outcome = await run([step], { day: "2026-11-30", n: 5 }, asks("12", "2026-11-30"));
    expect(results(outcome)).toEqual({ ask: { queryExecutionId: "q-1", rows: 12, day: "2026-11-30" } });
    expect(made(outcome, "athena:startQueryExecution.sync")).toEqual([
      expect.objectContaining({
        WorkGroup: "etl-dev",
        QueryExecutionContext: { Database: "shops" },
        ExecutionParameters: ["'it''s'", "'2026-11-30'", "5"],
      }),
    ]);
  });

  test.each([
    ["no row", []],
    ["a null", ["12", undefined]],
  ])("%s", async (_what, data) => {
    const outcome = await run([step], { day: "x", n: 1 }, asks(...data));
    expect(ending(outcome)).toEqual({
      status: "FAILED",
      error: "QueryAnswerMissing",
      cause: "query q-1 of step Ask gave no row, or a null in one of rows, day",
    });
  });

  test.each([
    ["select 1", 6],
    ["-- rows\nwith t as (select 1) select * from t", 6],
    ["insert into t select 1", 1],
    ["create table t as select 1", 1],
  ])("after a lost answer, a statement is started again only if it reads: %s", async (sql, starts) => {
    const lost: Answer = () => {
      throw new ServiceError("Athena.SdkClientException");
    };
    const outcome = await run(
      [Step.query("Ask", { sql, workgroup })],
      {},
      { "athena:startQueryExecution.sync": lost },
    );
    expect(outcome.status).toBe("FAILED");
    expect(made(outcome, "athena:startQueryExecution.sync")).toHaveLength(starts);
  });
});

describe("an input of its own", () => {
  const fields = {
    shop: { type: "string", oneOf: ["a", "b's"] },
    day: { type: "string", matches: "20*-*-*", default: "2026-01-01" },
    limit: { type: "integer", minimum: 1, maximum: 10, default: 5 },
    share: { type: "number", maximum: 0.5, default: 0.1 },
    isDry: { type: "boolean", default: false },
  } as const;
  const steps = [Step.invokeFunction("Load", { function: LOAD })];
  const given = async (input: Json) =>
    run(steps, input, { "lambda:invoke": answered({}) }, { input: { fields } });

  test("given fields and defaults are the run", async () => {
    expect(payloads(await given({ shop: "b's" }))).toEqual([
      { run: { id: "run-1", shop: "b's", day: "2026-01-01", limit: 5, share: 0.1, isDry: false } },
    ]);
    const all = { shop: "a", day: "2099-12-31", limit: 10, share: 0.5, isDry: true };
    expect(payloads(await given(all))).toEqual([{ run: { id: "run-1", ...all } }]);
  });

  const takes = "the input takes shop, day (optional), limit (optional), share (optional), isDry (optional)";
  test.each<[Json, string]>([
    [{}, "shop is missing: it must be one of a, b's, got {}"],
    [{ shop: "c" }, 'shop must be one of a, b\'s, got "c"'],
    [{ shop: 1 }, "shop must be one of a, b's, got 1"],
    [{ shop: "a", day: "1999-01-01" }, 'day must be a string, like 20*-*-*, got "1999-01-01"'],
    [{ shop: "a", limit: 0 }, "limit must be a whole number, at least 1, at most 10, got 0"],
    [{ shop: "a", limit: 2.5 }, "limit must be a whole number, at least 1, at most 10, got 2.5"],
    [{ shop: "a", limit: "2" }, 'limit must be a whole number, at least 1, at most 10, got "2"'],
    [{ shop: "a", share: 0.6 }, "share must be a number, at most 0.5, got 0.6"],
    [{ shop: "a", isDry: "no" }, 'isDry must be true or false, got "no"'],
    [{ shop: "a", isDry: null }, "isDry must be true or false, got null"],
    [{ shop: "a", shops: 1 }, `a field is unknown: ${takes}, got {"shop":"a","shops":1}`],
  ])("%j", async (input, cause) => {
    const outcome = await given(input);
    expect(ending(outcome)).toEqual({ status: "FAILED", error: "InvalidInput", cause });
    expect(outcome.calls).toEqual([]);
  });
});
