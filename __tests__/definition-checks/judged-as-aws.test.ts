import {
  asDefinition,
  checkDefinition,
  formatFinding,
  type CheckName,
} from "../../definition-checks/asl-checks";
import { lintDefinition, type LintOptions } from "../../definition-checks/definition-lint";

/** Definitions that AWS takes must pass the lint, and those that it refuses, or runs otherwise than meant, must not. */

const BUSY: Readonly<Record<string, string>> = {
  athena: "Athena.TooManyRequestsException",
  glue: "Glue.ThrottlingException",
};
const DONE = { Type: "Succeed" };
const FAIL = { Type: "Fail", Error: "E", Cause: "c" };
const call = (resource: string, rest: object = {}) => ({
  Type: "Task",
  Resource: `arn:aws:states:::${resource}`,
  Retry: [{ ErrorEquals: [BUSY[resource.split(":").at(-2) ?? ""] ?? "States.TaskFailed"] }],
  TimeoutSeconds: 600,
  End: true,
  ...rest,
});
const goTo = (Next: string) => ({ End: undefined, Next });
const keep = { ResultPath: null };

const machine = (states: object, rest: object = {}) =>
  JSON.stringify({ StartAt: Object.keys(states)[0], TimeoutSeconds: 3_600, States: states, ...rest });
const inJsonata = (states: object) => machine(states, { QueryLanguage: "JSONata" });

type Wrong = readonly [what: string, text: string, check: CheckName, says: RegExp, options?: LintOptions];
type Right = readonly [what: string, text: string, options?: LintOptions];

/** The checks without the language's schema, which takes most of the lint's time. */
const judge = (text: string, options: LintOptions = {}) =>
  checkDefinition(asDefinition(JSON.parse(text)), { ...options, takesJsonata: true });

function table(wrong: readonly Wrong[], right: readonly Right[], find = judge) {
  // Rows by name: a test function that names more parameters than a row has would wait for a callback.
  test.each(wrong.map((row) => [row[0], row] as const))(
    "%s is found",
    (_name, [, text, check, says, options]) => {
      const found = find(text, options);
      expect(found.map((finding) => [finding.check, formatFinding(finding)])).toContainEqual([
        check,
        expect.stringMatching(says),
      ]);
      expect(new Set(found.map((finding) => finding.check))).toEqual(new Set([check]));
    },
  );
  test.each(right.map((row) => [row[0], row] as const))("%s passes", (_name, [, text, options]) => {
    expect(lintDefinition(text, options).map(formatFinding)).toEqual([]);
  });
}

describe("JSONata", () => {
  const pass = (Output: unknown, rest: object = {}) =>
    inJsonata({ P: { Type: "Pass", Output, End: true, ...rest } });
  const job = (rest: object = {}) => call("glue:startJobRun.sync", { Arguments: { JobName: "j" }, ...rest });
  const check: CheckName = "jsonata-expression";

  table(
    [
      ["a field without an object", pass({ v: "{% phone %}" }), check, /reads phone.*\$states\.input\.phone/],
      ["a path without an object", pass("{% order.id %}"), check, /reads order,/],
      ["the root", pass("{% $.a %}"), check, /reads \$, .*write \$states\.input/],
      ["the document", pass("{% $$.a %}"), check, /reads \$\$,/],
      ["a wildcard", pass("{% *.a %}"), check, /reads \*,/],
      ["a field in an argument", pass("{% $sum(prices) %}"), check, /reads prices,/],
      ["a half expression", pass("{% 1 + %}"), check, /is not valid JSONata: Unexpected end/],
      ["no expression", pass("{% %}"), check, /is not valid JSONata/],
      ["an operator of a later version", pass("{% $states.input.a ?? 1 %}"), check, /has no operator \?\?/],
      [
        "an expression that is not closed",
        pass({ a: "{% $states.input.a" }),
        check,
        /only in part an expression/,
      ],
      ["an expression inside a text", pass({ a: "day={% $states.input.a %}" }), check, /only in part/],
      ["an unassigned variable", pass("{% $days %}"), check, /uses \$days, .*"Assign"/],
      ["an unknown function", pass("{% $sqr(2) %}"), check, /uses \$sqr/],
      ["eval", pass("{% $eval('1') %}"), check, /calls \$eval.*\$parse/],
      [
        "a member that does not exist",
        pass("{% $states.inputs.a %}"),
        check,
        /\$states\.inputs, which does not/,
      ],
      [
        "an error outside of a Catch",
        pass("{% $states.errorOutput %}"),
        check,
        /only Output and Assign of a Catch/,
      ],
      ["a result without a call", pass("{% $states.result %}"), check, /reads \$states\.result/],
      [
        "a result in Arguments",
        inJsonata({ J: job({ Arguments: { JobName: "{% $states.result.name %}" } }) }),
        check,
        /Arguments: .*reads \$states\.result/,
      ],
      [
        "a result in a Catch",
        inJsonata({
          J: job({
            Catch: [
              { ErrorEquals: ["Glue.EntityNotFoundException"], Output: "{% $states.result %}", Next: "F" },
            ],
          }),
          F: FAIL,
        }),
        check,
        /reads \$states\.result/,
      ],
      ...(["InputPath", "ResultPath", "OutputPath"] as const).map((field): Wrong => [
        `${field}`,
        inJsonata({ J: job({ [field]: "$" }) }),
        "jsonpath-field",
        new RegExp(`JSONPath field ${field} but uses JSONata`),
      ]),
      [
        "Parameters",
        inJsonata({ J: job({ Parameters: { JobName: "j" } }) }),
        "jsonpath-field",
        /Parameters but uses JSONata \(write Arguments/,
      ],
      [
        "ResultPath in a Catch of a single JSONata state",
        machine({
          J: job({
            QueryLanguage: "JSONata",
            Catch: [{ ErrorEquals: ["Glue.EntityNotFoundException"], ResultPath: "$.e", Next: "F" }],
          }),
          F: FAIL,
        }),
        "jsonpath-field",
        /JSONPath field ResultPath/,
      ],
      ["a name with .$", pass({ "a.$": "$.a" }), "jsonpath-field", /names a value "a\.\$"/],
      [
        "a Choice with Variable",
        inJsonata({
          C: { Type: "Choice", Choices: [{ Variable: "$.a", IsNull: true, Next: "D" }], Default: "D" },
          D: DONE,
        }),
        "jsonpath-field",
        /Variable but uses JSONata \(write Condition/,
      ],
      [
        "a JSONPath state in a JSONata machine",
        inJsonata({ P: { Type: "Pass", QueryLanguage: "JSONPath", End: true } }),
        "query-language",
        /uses JSONPath in a machine of JSONata/,
      ],
      [
        "a number as a job argument",
        inJsonata({
          J: job({ Arguments: { JobName: "j", Arguments: { "--n": "{% $states.input.n + 1 %}" } } }),
        }),
        "glue-argument",
        /--n is \{% .* %\}, a number, .*\$string/,
      ],
      [
        "a text as a number",
        inJsonata({
          J: job({ Arguments: { JobName: "j", NumberOfWorkers: "{% '5' %}", WorkerType: "G.1X" } }),
        }),
        "run-parameter",
        /NumberOfWorkers is \{% '5' %\}, a text/,
      ],
      [
        "a parameter that is missing",
        inJsonata({ J: job({ Arguments: "{% {'Timeout': 5} %}" }) }),
        "parameter",
        /without JobName \(write JobName in its Arguments/,
      ],
    ],
    [
      ["empty texts", pass({ a: "", b: [""], c: { d: "" } }, { Assign: { token: "" } })],
      ["texts of several lines, and lists in lists", pass({ a: "x\ny", b: [["x"], [1, [null]]] })],
      ["an expression of several lines", pass("{% (\n $x := 1;\n $x + 1\n) %}")],
      ["an expression without spaces", pass("{%$states.input%}")],
      ["a plain Output", pass(1)],
      ["fields of an item", pass("{% $states.input.orders[price > 5].{'id': id, 'p': $.price} %}")],
      ["a sorted list", pass("{% $states.input.orders^(>price).id %}")],
      ["a grouped list", pass("{% $states.input.orders{kind: $sum(price)} %}")],
      ["a transform", pass("{% $states.input ~> |orders|{'sum': price * amount}| %}")],
      [
        "functions of functions",
        pass("{% $map($states.input.a, function($v, $i) { $v.b & $string($i) }) %}"),
      ],
      ["bound variables of a path", pass("{% $states.input.a@$x.b#$i.{'x': $x.id, 'i': $i} %}")],
      [
        "functions of Step Functions",
        pass("{% $partition($range(1, $parse('9'), 1), 2) ~> $append([$uuid(), $hash('a', 'MD5')]) %}"),
      ],
      ["texts with marks in them", pass("{% 'a ?? b' & \"?:\" %}")],
      ["the context", pass("{% $states.context.Execution.Name %}")],
      [
        "an assigned variable, and Arguments as one expression",
        inJsonata({
          Set: { Type: "Pass", Assign: { more: false, from: "" }, Next: "J" },
          J: job({
            Arguments: "{% $more ? {'JobName': 'a'} : {'JobName': 'b', 'Arguments': {'--from': $from}} %}",
          }),
        }),
      ],
      [
        "a single JSONata state",
        machine({
          J: job({ QueryLanguage: "JSONata", Output: "{% $states.input %}", End: undefined, Next: "P" }),
          P: { Type: "Pass", Parameters: { "a.$": "$.a" }, End: true },
        }),
      ],
      [
        "Choice, Wait, Fail and Succeed",
        inJsonata({
          C: {
            Type: "Choice",
            Choices: [
              {
                Condition: "{% $states.input.n > 1 %}",
                Output: { x: 1 },
                Assign: { y: "{% 1 %}" },
                Next: "W",
              },
            ],
            Default: "F",
          },
          W: { Type: "Wait", Seconds: "{% $states.input.s %}", Next: "D" },
          D: { Type: "Succeed", Output: "{% $y %}" },
          F: { Type: "Fail", Error: "{% $states.input.e %}", Cause: "{% 'c' & $states.input.c %}" },
        }),
      ],
      [
        "a Catch with Output and Assign, and one with neither",
        inJsonata({
          J: job({
            Catch: [
              {
                ErrorEquals: ["Glue.EntityNotFoundException"],
                Output: "{% $merge([$states.input, {'e': $states.errorOutput}]) %}",
                Assign: { err: "{% $states.errorOutput.Error %}" },
                Next: "F",
              },
              { ErrorEquals: ["Glue.InvalidInputException"], Next: "F" },
            ],
          }),
          F: { Type: "Fail", Error: "{% $err %}", Cause: "c" },
        }),
      ],
      [
        "a Map with expressions",
        inJsonata({
          M: {
            Type: "Map",
            Items: "{% $states.input.tables %}",
            MaxConcurrency: "{% $states.input.n %}",
            ItemSelector: { t: "{% $states.context.Map.Item.Value %}" },
            ItemProcessor: {
              StartAt: "J",
              States: { J: job({ TimeoutSeconds: "{% $states.input.seconds %}" }) },
            },
            End: true,
          },
        }),
      ],
      [
        "an input that only expressions read",
        inJsonata({
          J: job({ Arguments: { JobName: "j", Arguments: { "--day": "{% $states.input.day %}" } } }),
        }),
        { input: { day: "2010-12-01" } },
      ],
    ],
    lintDefinition,
  );
});

describe("a Map", () => {
  const JOB = call("glue:startJobRun.sync", { Parameters: { JobName: "j" }, ...keep });
  const FUNCTION = call("lambda:invoke", { Parameters: { FunctionName: "f" } });
  const STANDARD = { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" };
  const EXPRESS = { Mode: "DISTRIBUTED", ExecutionType: "EXPRESS" };
  const map = (rest: object, config?: object, inner: object = { T: JOB }, field = "ItemProcessor") =>
    machine({
      M: {
        Type: "Map",
        ...keep,
        [field]: { ProcessorConfig: config, StartAt: Object.keys(inner)[0], States: inner },
        End: true,
        ...rest,
      },
    });
  const reader = (ReaderConfig: object, resource = "s3:getObject") => ({
    ItemReader: {
      Resource: `arn:aws:states:::${resource}`,
      ReaderConfig,
      Parameters: { Bucket: "b", Key: "k" },
    },
  });
  const tolerance: CheckName = "map-tolerance";

  table(
    [
      ["99 %", map({ ToleratedFailurePercentage: 99 }, STANDARD), tolerance, /tolerates that 99 %/],
      [
        "half of the items",
        map({ ToleratedFailurePercentage: 50 }, STANDARD),
        tolerance,
        /tolerates that 50 %/,
      ],
      [
        "100 % of an old Iterator",
        map({ ToleratedFailurePercentage: 100 }, STANDARD, { T: JOB }, "Iterator"),
        tolerance,
        /100 %/,
      ],
      ["more than all", map({ ToleratedFailurePercentage: 101 }, STANDARD), tolerance, /from 0 to 100/],
      [
        "a share as a text",
        map({ ToleratedFailurePercentage: "5" }, STANDARD),
        tolerance,
        /is "5" \(write a number/,
      ],
      ["a count below 0", map({ ToleratedFailureCount: -1 }, STANDARD), tolerance, /whole number from 0/],
      ["half a failure", map({ ToleratedFailureCount: 1.5 }, STANDARD), tolerance, /whole number from 0/],
      [
        "a count of all items",
        map({ ...reader({ InputType: "JSON", MaxItems: 10 }), ToleratedFailureCount: 10 }, STANDARD),
        tolerance,
        /10 failures among at most 10 items/,
      ],
      ["no ExecutionType", map({}, { Mode: "DISTRIBUTED" }), "map-mode", /DISTRIBUTED without ExecutionType/],
      [
        "an unknown ExecutionType",
        map({}, { Mode: "DISTRIBUTED", ExecutionType: "FAST" }),
        "map-mode",
        /"FAST", which does not exist/,
      ],
      [
        "an unknown Mode",
        map({}, { Mode: "distributed", ExecutionType: "STANDARD" }),
        "map-mode",
        /Mode "distributed"/,
      ],
      [
        "an inline Map with an ExecutionType",
        map({}, { Mode: "INLINE", ExecutionType: "STANDARD" }),
        "map-mode",
        /is not DISTRIBUTED/,
      ],
      ...(["Label", "ItemBatcher", "ResultWriter", "ToleratedFailureCount"] as const).map((field): Wrong => [
        `${field} of an inline Map`,
        map({
          [field]: {
            Label: "l",
            ItemBatcher: { MaxItemsPerBatch: 2 },
            ResultWriter: { Resource: "arn:aws:states:::s3:putObject" },
            ToleratedFailureCount: 1,
          }[field],
        }),
        "map-mode",
        new RegExp(`has ${field}, which only a distributed Map has`),
      ]),
      [
        "a reader of an inline Map",
        map(reader({ InputType: "JSON" }), { Mode: "INLINE" }),
        "map-mode",
        /has ItemReader, which only/,
      ],
      ["a long label", map({ Label: "l".repeat(41) }, STANDARD), "map-mode", /has the Label/],
      ["an unknown input type", map(reader({ InputType: "XML" }), STANDARD), "map-mode", /InputType "XML"/],
      ["an object of no type", map(reader({}), STANDARD), "map-mode", /without InputType/],
      [
        "a reader of another service",
        map(reader({ InputType: "JSON" }, "dynamodb:query"), STANDARD),
        "map-mode",
        /calls dynamodb:query/,
      ],
      [
        "headers that are not given",
        map(reader({ InputType: "CSV", CSVHeaderLocation: "GIVEN" }), STANDARD),
        "map-mode",
        /without CSVHeaders/,
      ],
      ["a child that waits for a run", map({}, EXPRESS), "express-child", /T waits: glue:startJobRun\.sync/],
      [
        "a child that waits for an answer",
        map({}, EXPRESS, {
          T: call("sqs:sendMessage.waitForTaskToken", {
            Parameters: { QueueUrl: "q", MessageBody: { "t.$": "$$.Task.Token" } },
          }),
        }),
        "express-child",
        /T waits: sqs:sendMessage\.waitForTaskToken/,
      ],
      [
        "a child that waits in a Parallel",
        map({}, EXPRESS, {
          P: { Type: "Parallel", Branches: [{ StartAt: "T", States: { T: JOB } }], ...keep, End: true },
        }),
        "express-child",
        /T waits/,
      ],
    ],
    [
      ["a small share", map({ ToleratedFailurePercentage: 5 }, STANDARD)],
      ["a share with a fraction", map({ ToleratedFailurePercentage: 2.5 }, STANDARD)],
      ["a share by path", map({ ToleratedFailurePercentagePath: "$.share" }, STANDARD)],
      [
        "a share beside a count, which bounds it",
        map({ ToleratedFailurePercentage: 100, ToleratedFailureCount: 3 }, STANDARD),
      ],
      [
        "a count below the items",
        map({ ...reader({ InputType: "JSON", MaxItems: 10 }), ToleratedFailureCount: 9 }, STANDARD),
      ],
      ["the old Iterator", map({}, STANDARD, { T: JOB }, "Iterator")],
      ["express children that only call", map({}, EXPRESS, { T: FUNCTION })],
      ["no ProcessorConfig", map({ MaxConcurrency: 5 })],
      ["an inline Map", map({ MaxConcurrencyPath: "$.n" }, { Mode: "INLINE" })],
      ["a list of objects", map(reader({}, "s3:listObjectsV2"), STANDARD)],
      [
        "a list of files that are read",
        map(reader({ InputType: "JSONL", Transformation: "LOAD_AND_FLATTEN" }, "s3:listObjectsV2"), STANDARD),
      ],
      ...["CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"].map((InputType): Right => [
        `a reader of ${InputType}`,
        map(reader({ InputType }), STANDARD),
      ]),
    ],
  );
});

describe("what is started is awaited", () => {
  const start = (resource: string, Parameters: object, rest: object = {}) =>
    call(resource, { Parameters, ResultPath: "$.w", ...goTo("Wait"), ...rest });
  const wait = { Type: "Wait", Seconds: 60, Next: "Get" };
  const is = (Variable: string, StringEquals: string, Next: string) => ({ Variable, StringEquals, Next });
  const workflow = (Choices: object[], Default = "F") =>
    machine({
      W: start("aws-sdk:glue:startWorkflowRun", { Name: "w" }),
      Wait: wait,
      Get: call("aws-sdk:glue:getWorkflowRun", {
        Parameters: { Name: "w", "RunId.$": "$.w.RunId" },
        ResultPath: "$.g",
        ...goTo("C"),
      }),
      C: { Type: "Choice", Choices, Default },
      Done: DONE,
      F: FAIL,
    });
  const run = (status: string, next: string) => is("$.g.Run.Status", status, next);
  const good = {
    And: [
      { Variable: "$.g.Run.Status", StringEquals: "COMPLETED" },
      { Variable: "$.g.Run.Statistics.FailedActions", NumericEquals: 0 },
    ],
    Next: "Done",
  };
  const running = [run("RUNNING", "Wait"), run("STOPPING", "Wait")];
  const statement = (Choices: object[], Default = "F", resource = "executeStatement") =>
    machine({
      S: start(
        `aws-sdk:redshiftdata:${resource}`,
        resource === "executeStatement" ? { Sql: "s" } : { Sqls: ["s"] },
      ),
      Wait: wait,
      Get: call("aws-sdk:redshiftdata:describeStatement", {
        Parameters: { "Id.$": "$.w.Id" },
        ResultPath: "$.g",
        ...goTo("C"),
      }),
      C: { Type: "Choice", Choices, Default },
      Done: DONE,
      F: FAIL,
    });
  const sql = (status: string, next: string) => is("$.g.Status", status, next);
  const open = ["SUBMITTED", "PICKED", "STARTED"].map((status) => sql(status, "Wait"));

  table(
    [
      [
        "a workflow",
        machine({ W: call("aws-sdk:glue:startWorkflowRun", { Parameters: { Name: "w" } }) }),
        "async-start",
        /a run of a Glue workflow/,
      ],
      [
        "a workflow with .sync",
        machine({
          W: call("aws-sdk:glue:startWorkflowRun.sync", {
            Parameters: { Name: "w" },
            ...keep,
          }),
        }),
        "integration",
        /SDK integrations have no \.sync/,
      ],
      ["COMPLETED", workflow([run("COMPLETED", "Done"), ...running]), "workflow-verdict", /COMPLETED too/],
      [
        "a status of jobs",
        workflow([good, run("SUCCEEDED", "Done"), ...running]),
        "status-value",
        /SUCCEEDED, a value that it never has/,
      ],
      [
        "STOPPING as an end",
        workflow([good, run("RUNNING", "Wait")]),
        "status-unfinished",
        /treats STOPPING/,
      ],
      [
        "everything else as running",
        workflow([good, run("ERROR", "F")], "Wait"),
        "status-failed",
        /keeps waiting for .* ended as STOPPED/,
      ],
      [
        "a statement",
        machine({ S: call("aws-sdk:redshiftdata:executeStatement", { Parameters: { Sql: "s" } }) }),
        "async-start",
        /starts a statement/,
      ],
      [
        "several statements",
        machine({ S: call("aws-sdk:redshiftdata:batchExecuteStatement", { Parameters: { Sqls: ["s"] } }) }),
        "async-start",
        /starts a statement/,
      ],
      [
        "in JSONata",
        inJsonata({ S: call("aws-sdk:redshiftdata:executeStatement", { Arguments: { Sql: "s" } }) }),
        "async-start",
        /starts a statement/,
      ],
      [
        "a status of queries",
        statement([sql("FINISHED", "Done"), sql("SUCCEEDED", "Done"), ...open]),
        "status-value",
        /SUCCEEDED.*FINISHED/,
      ],
      [
        "PICKED as an end",
        statement([sql("FINISHED", "Done"), sql("SUBMITTED", "Wait"), sql("STARTED", "Wait")]),
        "status-unfinished",
        /treats PICKED/,
      ],
      [
        "ABORTED as a success",
        statement([sql("ABORTED", "Done"), sql("FINISHED", "Done"), ...open]),
        "status-failed",
        /ended as ABORTED end in success/,
      ],
      [
        "a fixed wait",
        machine({
          W: start("aws-sdk:glue:startWorkflowRun", { Name: "w" }),
          Wait: { ...wait, Next: "Done" },
          Done: DONE,
        }),
        "blind-wait",
        /never asks how it ended/,
      ],
    ],
    [
      ["a workflow with its failed actions", workflow([good, ...running])],
      ["a statement that is asked for", statement([sql("FINISHED", "Done"), ...open])],
      [
        "a batch of statements that is asked for",
        statement([sql("FINISHED", "Done"), ...open], "F", "batchExecuteStatement"),
      ],
      [
        "a wait before a function that asks",
        machine({
          W: start("aws-sdk:glue:startWorkflowRun", { Name: "w" }),
          Wait: wait,
          Get: call("lambda:invoke", { Parameters: { FunctionName: "f" } }),
        }),
      ],
    ],
  );
});

describe("a callback sends its token", () => {
  const waits = (resource: string, Parameters: object | undefined, rest: object = {}) =>
    machine({ T: call(`${resource}.waitForTaskToken`, { Parameters, ...rest }) });
  const invoke = (Payload: unknown) => waits("lambda:invoke", { FunctionName: "${Name}", Payload });
  const token = { "token.$": "$$.Task.Token" };
  const asExpression = { token: "{% $states.context.Task.Token %}" };
  const jsonata = (Arguments: unknown) =>
    inJsonata({ T: call("lambda:invoke.waitForTaskToken", { Arguments }) });
  const check: CheckName = "task-token";
  const says = /waits for a task token that it does not send/;

  table(
    [
      ["a function", invoke({ t: "x" }), check, says],
      ["the token as a text", invoke({ token: "$$.Task.Token" }), check, /as a plain text.*"token\.\$"/],
      ["another part of the context", invoke({ "t.$": "$$.Task.TokenX" }), check, says],
      ["a queue", waits("sqs:sendMessage", { QueueUrl: "q", "MessageBody.$": "$" }), check, says],
      ["a topic", waits("sns:publish", { TopicArn: "t", Message: "m" }), check, says],
      ["an event", waits("events:putEvents", { Entries: [{ Detail: {} }] }), check, says],
      ["a machine", waits("states:startExecution", { StateMachineArn: "m", Input: {} }), check, says],
      ["an SDK call", waits("aws-sdk:sqs:sendMessage", { QueueUrl: "q", MessageBody: "m" }), check, says],
      ["a task of ECS", waits("ecs:runTask", { TaskDefinition: "t" }), check, says],
      ["no parameters", waits("lambda:invoke", undefined), check, says],
      [
        "in JSONata",
        jsonata({ FunctionName: "${Name}", Payload: { t: "{% $states.input.t %}" } }),
        check,
        says,
      ],
      [
        "in JSONata, as a text",
        jsonata({ FunctionName: "f", Payload: { t: "$states.context.Task.Token" } }),
        check,
        /as a plain text/,
      ],
    ],
    [
      ["a function with it", invoke(token)],
      ["an intrinsic with it", invoke({ "t.$": "States.Format('{}', $$.Task.Token)" })],
      ["the whole context", invoke({ "context.$": "$$" })],
      ["a payload that is filled later", invoke("${Payload}")],
      ["a queue with it", waits("sqs:sendMessage", { QueueUrl: "q", MessageBody: { a: { b: token } } })],
      ["an event with it", waits("events:putEvents", { Entries: [{ Detail: token }] })],
      [
        "a task of ECS with it",
        waits("ecs:runTask", {
          Overrides: {
            ContainerOverrides: [{ Environment: [{ Name: "TOKEN", "Value.$": "$$.Task.Token" }] }],
          },
        }),
      ],
      ["in JSONata with it", jsonata({ FunctionName: "f", Payload: asExpression })],
      [
        "one expression with it",
        jsonata("{% {'FunctionName': 'f', 'Payload': {'t': $states.context.Task.Token}} %}"),
      ],
      ["no callback", machine({ T: call("lambda:invoke", { Parameters: { FunctionName: "f" } }) })],
    ],
  );
});

describe("optional members of an answer", () => {
  const value = (row: number, column: number) => `$.r.ResultSet.Rows[${row}].Data[${column}].VarCharValue`;
  const query = (sql: string, next: object, resource = "athena:getQueryResults") =>
    machine({
      Q: call("athena:startQueryExecution.sync", {
        Parameters: { QueryString: sql },
        ResultPath: "$.q",
        ...goTo("R"),
      }),
      R: call(resource, {
        Parameters: { "QueryExecutionId.$": "$.q.QueryExecution.QueryExecutionId", MaxResults: 2 },
        ResultPath: "$.r",
        ...goTo("C"),
      }),
      ...next,
    });
  const choose = (...Choices: object[]) => ({ C: { Type: "Choice", Choices, Default: "D" }, D: DONE });
  const reads = (row: number, column: number) =>
    choose({ Variable: value(row, column), StringEquals: "0", Next: "D" });
  const guarded = (guard: string) =>
    choose({
      And: [
        { Variable: guard, IsPresent: true },
        { Variable: value(1, 0), StringEquals: "0" },
      ],
      Next: "D",
    });
  const check: CheckName = "optional-member";
  const sum = "select sum(cost) from x";
  const asked = (resource: string, parameters: object, path: string) =>
    machine({
      A: call(resource, { Parameters: parameters, ResultPath: "$.a", ...goTo("P") }),
      P: { Type: "Pass", Parameters: { "x.$": path }, End: true },
    });

  table(
    [
      [
        "a sum",
        query(sum, reads(1, 0)),
        check,
        /Rows\[1\]\.Data\[0\]\.VarCharValue .* where the value is NULL/,
      ],
      [
        "a sum of the SDK's call",
        query(sum, reads(1, 0), "aws-sdk:athena:getQueryResults"),
        check,
        /VarCharValue/,
      ],
      ["a sum beside a count", query("select count(*), max(d) from x", reads(1, 1)), check, /Data\[1\]/],
      [
        "a count of groups, of which there may be no row",
        query("select count(*) from x group by d", reads(1, 0)),
        check,
        /Data\[0\]/,
      ],
      [
        "a value behind a test of its row",
        query(sum, guarded("$.r.ResultSet.Rows[1]")),
        check,
        /VarCharValue/,
      ],
      [
        "a value in an intrinsic",
        query(sum, {
          C: { Type: "Pass", Parameters: { "n.$": `States.StringToJson(${value(1, 0)})` }, End: true },
        }),
        check,
        /VarCharValue/,
      ],
      ["a query that is filled later", query("${Sql}", reads(1, 0)), check, /VarCharValue/],
      [
        "objects of a list",
        asked("aws-sdk:s3:listObjectsV2", { Bucket: "b", MaxKeys: 9 }, "$.a.Contents[0].Key"),
        check,
        /reads Contents .* without objects/,
      ],
      [
        "the next page",
        asked("aws-sdk:s3:listObjectsV2", { Bucket: "b", MaxKeys: 9 }, "$.a.NextContinuationToken"),
        check,
        /the last page has none/,
      ],
      [
        "the error of a workflow",
        asked("aws-sdk:glue:getWorkflowRun", { Name: "w", RunId: "r" }, "$.a.Run.ErrorMessage"),
        check,
        /Run\.ErrorMessage/,
      ],
      [
        "the error of a statement",
        asked("aws-sdk:redshiftdata:describeStatement", { Id: "i" }, "$.a.Error"),
        check,
        /did not fail/,
      ],
      [
        "a value of a statement",
        asked("aws-sdk:redshiftdata:getStatementResult", { Id: "i" }, "$.a.Records[0][1].LongValue"),
        check,
        /NULL has IsNull/,
      ],
      [
        "the error of a query that succeeded",
        asked(
          "athena:startQueryExecution.sync",
          { QueryString: "s" },
          "$.a.QueryExecution.Status.AthenaError",
        ),
        check,
        /AthenaError/,
      ],
      [
        "the error of a run that succeeded",
        asked("glue:startJobRun.sync", { JobName: "j" }, "$.a.ErrorMessage"),
        check,
        /ErrorMessage/,
      ],
    ],
    [
      ["a sum behind its test", query(sum, guarded(value(1, 0)))],
      ["a count", query("select count(*) from x where d = 'a, b'", reads(1, 0))],
      ["a count beside others", query("select max(d), count(distinct a) as n from x", reads(1, 1))],
      ["the header", query(sum, reads(0, 0))],
      ["the whole answer", asked("aws-sdk:glue:getWorkflowRun", { Name: "w", RunId: "r" }, "$.a.Run")],
      [
        "the number of objects",
        asked("aws-sdk:s3:listObjectsV2", { Bucket: "b", MaxKeys: 9 }, "$.a.KeyCount"),
      ],
    ],
  );
});

describe("the parameters of a run", () => {
  const run = (parameters: object, resource = "glue:startJobRun.sync") =>
    machine({ J: call(resource, { Parameters: { JobName: "j", ...parameters }, ...keep }) });
  const given = (name: string, value: unknown = "v") => run({ Arguments: { [name]: value } });
  const workers = { WorkerType: "G.1X", NumberOfWorkers: 5 };
  const check: CheckName = "run-parameter";

  table(
    [
      [
        "MaxCapacity with workers",
        run({ ...workers, MaxCapacity: 10 }),
        check,
        /MaxCapacity together with WorkerType and NumberOfWorkers/,
      ],
      [
        "MaxCapacity with a path of workers",
        run({ "NumberOfWorkers.$": "$.n", MaxCapacity: 10 }),
        check,
        /together with NumberOfWorkers/,
      ],
      [
        "AllocatedCapacity with a worker type",
        run({ WorkerType: "G.1X", AllocatedCapacity: 10 }),
        check,
        /AllocatedCapacity together/,
      ],
      [
        "both capacities",
        run({ MaxCapacity: 10, AllocatedCapacity: 10 }),
        check,
        /both AllocatedCapacity and MaxCapacity/,
      ],
      [
        "a text for workers",
        run({ ...workers, NumberOfWorkers: "5" }),
        check,
        /is the text "5", .*write 5 without quotes/,
      ],
      ["a text for minutes", run({ Timeout: "60" }), check, /Timeout is the text "60"/],
      ["a text for the truth", run({ JobRunQueuingEnabled: "true" }), check, /write true without quotes/],
      [
        "an intrinsic that gives a text",
        run({ "NumberOfWorkers.$": "States.Format('{}', $.n)" }),
        check,
        /a text, but Glue takes a whole number/,
      ],
      [
        "half a worker",
        run({ ...workers, NumberOfWorkers: 2.5 }),
        check,
        /is 2\.5, but Glue takes a whole number/,
      ],
      ["a number for a name", run({ SecurityConfiguration: 5 }), check, /is 5, but Glue takes a text/],
      ["a list for a number", run({ Timeout: [60] }), check, /is \[60\]/],
      ["G.3X", run({ ...workers, WorkerType: "G.3X" }), check, /"G\.3X" does not exist .*G\.4X/],
      ["G1X", run({ ...workers, WorkerType: "G1X" }), check, /"G1X"/],
      [
        "one worker",
        run({ ...workers, NumberOfWorkers: 1 }),
        check,
        /NumberOfWorkers is 1 \(write 2 or more/,
      ],
      [
        "FLEX with queueing",
        run({ ExecutionClass: "FLEX", JobRunQueuingEnabled: true }),
        check,
        /FLEX run with JobRunQueuingEnabled/,
      ],
      [
        "FLEX with large workers",
        run({ ExecutionClass: "FLEX", ...workers, WorkerType: "G.4X" }),
        check,
        /FLEX run with G\.4X/,
      ],
      ["an unknown class", run({ ExecutionClass: "flex" }), check, /"flex" does not exist/],
      ["a capacity of 1.5", run({ MaxCapacity: 1.5 }), check, /MaxCapacity is 1\.5/],
      ["a capacity of 0", run({ MaxCapacity: 0 }), check, /MaxCapacity is 0/],
      ["an allocated capacity of 1", run({ AllocatedCapacity: 1 }), check, /AllocatedCapacity is 1/],
      ["no minutes", run({ Timeout: 0 }), check, /Timeout is 0 minutes/],
      [
        "a delay as a text",
        run({ NotificationProperty: { NotifyDelayAfter: "5" } }),
        check,
        /NotifyDelayAfter is a text/,
      ],
      [
        "a text of the input",
        run({ WorkerType: "G.1X", "NumberOfWorkers.$": "$.n" }),
        check,
        /is the input's n, which is a text/,
        { input: { n: "5" } },
      ],
      ["no hyphens", given("day"), "glue-argument", /day has no two hyphens.*write --day/],
      ["one hyphen", given("-day"), "glue-argument", /write --day/],
      ["no hyphens before a path", given("day.$", "$.day"), "glue-argument", /write --day/],
      ...["JOB_NAME", "debug", "mode"].map((name): Wrong => [
        `--${name}`,
        given(`--${name}`),
        "glue-argument",
        /which Glue sets itself/,
      ]),
      ["a misspelt argument", given("--enable_metrics"), "glue-argument", /write --enable-metrics/],
      ["a truth as an argument", given("--flag", true), "glue-argument", /the boolean true/],
      ["null as an argument", given("--flag", null), "glue-argument", /is null/],
      ["a list as an argument", given("--flag", ["a"]), "glue-argument", /an object or a list/],
    ],
    [
      ["workers", run(workers)],
      ["workers by path", run({ "NumberOfWorkers.$": "$.n", WorkerType: "G.1X" })],
      ["workers as placeholders", run({ NumberOfWorkers: "${Workers}", WorkerType: "${Type}" })],
      [
        "a number out of a text",
        run({ "NumberOfWorkers.$": "States.StringToJson($.n)", WorkerType: "G.1X" }),
      ],
      ["a number of workers alone, of the job's own type", run({ NumberOfWorkers: 10 })],
      ["MaxCapacity of a Python shell job", run({ MaxCapacity: 0.0625 })],
      ["MaxCapacity of a Spark job", run({ MaxCapacity: 10 })],
      ["AllocatedCapacity", run({ AllocatedCapacity: 10 })],
      ["memory workers", run({ ...workers, WorkerType: "R.2X" })],
      ["one worker of a Ray job", run({ WorkerType: "Z.2X", NumberOfWorkers: 1 })],
      ["FLEX", run({ ExecutionClass: "FLEX", ...workers, JobRunQueuingEnabled: false })],
      ["queueing", run({ ExecutionClass: "STANDARD", JobRunQueuingEnabled: true })],
      [
        "Glue's own arguments",
        run({
          Arguments: {
            "--conf": "a=b",
            "--extra-py-files": "s3://b/k",
            "--job-bookmark-option": "job-bookmark-disable",
          },
        }),
      ],
      ["arguments by path", run({ "Arguments.$": "$.arguments" })],
      ["a number of the input", run({ WorkerType: "G.1X", "NumberOfWorkers.$": "$.n" }), { input: { n: 5 } }],
    ],
  );
});
