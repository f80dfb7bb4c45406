import { type Definition } from "../../definition-checks/asl";
import {
  asDefinition,
  checkDefinition,
  failErrors,
  formatFinding,
  type AslCheckOptions,
} from "../../definition-checks/asl-checks";

/** A sound call: what a test is not about is right. */
const task = (resource: string, rest: object = { End: true }) => ({
  Type: "Task",
  Resource: `arn:aws:states:::${resource}`,
  Retry: [{ ErrorEquals: [resource.startsWith("glue:") ? "Glue.ThrottlingException" : "States.TaskFailed"] }],
  ...rest,
});
const machine = (states: object, StartAt = Object.keys(states)[0]): Definition =>
  ({ StartAt, TimeoutSeconds: 86_400, States: states }) as unknown as Definition;
const findings = (states: object, options?: AslCheckOptions) =>
  checkDefinition(machine(states), options).map(formatFinding);
const JOB = "glue:startJobRun.sync";
const NAMED = (...errors: string[]) => ({ ErrorEquals: errors });
const FAIL = { Type: "Fail", Error: "E", Cause: "c" };
const DONE = { Type: "Succeed" };

test("a sound definition has no findings", () => {
  expect(
    findings({
      Run: task(JOB, { TimeoutSeconds: 60, ResultPath: null, Next: "Is" }),
      Is: {
        Type: "Choice",
        Choices: [{ Variable: "$.mode", StringEquals: "x", Next: "Done" }],
        Default: "Bad",
      },
      Bad: FAIL,
      Done: DONE,
    }),
  ).toEqual([]);
});

describe("structure", () => {
  const pass = { Type: "Pass", End: true };
  test.each<[string, object, string[]]>([
    [
      "dangling Next",
      { A: { Type: "Pass", Next: "B" } },
      ["state A: goes to B, which is not a state", "never reaches an end"],
    ],
    ["unreachable", { A: pass, B: pass }, ["state B: cannot be reached"]],
    [
      "no terminal",
      { A: { Type: "Pass", Next: "B" }, B: { Type: "Wait", Seconds: 1, Next: "A" } },
      ["never reaches an end", "never reaches an end"],
    ],
    ["neither Next nor End", { A: { Type: "Pass" } }, ["never reaches an end", "has neither Next nor End"]],
    ["both Next and End", { A: { Type: "Pass", End: true, Next: "B" }, B: pass }, ["has both Next and End"]],
    ["unknown type", { A: { Type: "Tusk", End: true } }, ["its type is Tusk"]],
    ["long name", { ["A".repeat(81)]: pass }, ["its name has 81 characters"]],
    ["Assign", { A: { ...pass, Assign: { x: 1 } } }, ["uses Assign"]],
    [
      "JSONata",
      { A: { ...pass, QueryLanguage: "JSONata" } },
      ["uses JSONata, from which the orchestrator derives no rights"],
    ],
    [
      "Choice without Default",
      { A: { Type: "Choice", Choices: [{ Variable: "$.x", IsNull: true, Next: "B" }] }, B: pass },
      ["is a Choice without Default"],
    ],
    ["Fail without words", { A: { Type: "Fail" } }, ["is a Fail without Error", "is a Fail without Cause"]],
    [
      "SDK integrations do not wait",
      { A: task("aws-sdk:glue:startCrawler.sync", { TimeoutSeconds: 9, End: true }) },
      ["SDK integrations have no .sync", "retries States.TaskFailed"],
    ],
    [
      "an unknown pattern",
      {
        A: task("sns:publish.sync", {
          TimeoutSeconds: 9,
          Retry: [NAMED("SNS.ThrottledException")],
          End: true,
        }),
      },
      ["the integration sns:publish has no pattern .sync"],
    ],
    [
      "heartbeat",
      {
        A: task("lambda:invoke.waitForTaskToken", {
          Parameters: { FunctionName: "f", Payload: { "token.$": "$$.Task.Token" } },
          TimeoutSeconds: 9,
          HeartbeatSeconds: 9,
          End: true,
        }),
      },
      ["HeartbeatSeconds 9 is not below TimeoutSeconds 9"],
    ],
    [
      "JSONata in a Choice",
      { A: { Type: "Choice", Choices: [{ Condition: "{% $x %}", Next: "B" }], Default: "B" }, B: pass },
      ["the JSONata field Condition", "a JSONata expression"],
    ],
    ["no Resource", { A: { Type: "Task", End: true } }, ["is a Task without Resource"]],
    [
      "inside a Parallel",
      {
        A: {
          Type: "Parallel",
          ResultPath: null,
          Branches: [machine({ B: { Type: "Pass", Next: "C" } })],
          End: true,
        },
      },
      ["goes to C, which is not a state", "never reaches an end"],
    ],
  ])("%s", (_what, states, expected) => {
    const found = findings(states);
    expect(found).toHaveLength(expected.length);
    expected.forEach((text, index) => expect(found[index]).toContain(text));
  });

  test("a machine in JSONata is reported once", () => {
    const jsonata = {
      ...machine({ A: { ...pass, Output: "{% $states.input %}" } }),
      QueryLanguage: "JSONata",
    };
    expect(checkDefinition(jsonata).map(({ check }) => check)).toEqual(["query-language"]);
  });

  test("a machine has an end in time, and is not too big", () => {
    const endless = { ...machine({ A: pass }), TimeoutSeconds: undefined };
    expect(checkDefinition(endless).map(({ check }) => check)).toEqual(["machine-timeout"]);
    expect(checkDefinition(endless, { isFragment: true })).toEqual([]);
    const big = machine({ A: { ...pass, Comment: "x".repeat(1_048_576) } });
    expect(checkDefinition(big).map(({ check }) => check)).toEqual(["definition-size"]);
  });

  test("StartAt must name a state", () => {
    expect(checkDefinition(machine({ A: pass }, "Z")).map(formatFinding)).toEqual([
      "the definition: StartAt names Z, which is not a state (name one of A)",
    ]);
  });

  test("something that is not a definition is refused", () => {
    expect(() => asDefinition({ States: {} })).toThrow("needs StartAt and States");
    expect(() => asDefinition({ StartAt: "A", States: { A: 1 } })).toThrow("a state that is not an object");
  });
});

describe("retriers", () => {
  /** On a state that calls no service, so that any error may come. */
  const retry = (...rules: object[]) =>
    findings({
      A: {
        Type: "Parallel",
        Branches: [machine({ B: { Type: "Pass", End: true } })],
        Retry: rules,
        End: true,
      },
    });
  test.each<[string, object[], string]>([
    ["BackoffRate", [{ ErrorEquals: ["E"], BackoffRate: 0.5 }], "BackoffRate 0.5 is below 1"],
    [
      "JitterStrategy",
      [{ ErrorEquals: ["E"], JitterStrategy: "Full" }],
      'JitterStrategy "Full" does not exist',
    ],
    [
      "MaxDelaySeconds",
      [{ ErrorEquals: ["E"], IntervalSeconds: 9, MaxDelaySeconds: 9 }],
      "MaxDelaySeconds 9 is not above",
    ],
    ["States.ALL not alone", [{ ErrorEquals: ["States.ALL", "E"] }], "States.ALL in Retry is not alone"],
    [
      "States.ALL not last",
      [{ ErrorEquals: ["States.ALL"] }, { ErrorEquals: ["E"] }],
      "States.ALL in Retry is not last",
    ],
  ])("%s", (_what, rules, expected) => {
    expect(retry(...rules)).toEqual([expect.stringContaining(expected)]);
  });

  test("time-outs and all the rest may follow all errors", () => {
    expect(retry(NAMED("States.TaskFailed"), NAMED("States.Timeout"), NAMED("States.ALL"))).toEqual([]);
  });

  test("States.ALL alone and last is fine where repeating does no harm", () => {
    expect(retry({ ErrorEquals: ["E"] }, { ErrorEquals: ["States.ALL"] })).toEqual([]);
  });

  test("a job run may retry everything only where its author says so", () => {
    const states = {
      Run: task(JOB, { TimeoutSeconds: 9, Retry: [{ ErrorEquals: ["States.ALL"] }], End: true }),
    };
    expect(findings(states)).toHaveLength(1);
    expect(findings(states, { retriesEveryError: ["Run"] })).toEqual([]);
    const never = {
      Run: task(JOB, {
        TimeoutSeconds: 9,
        Retry: [NAMED("Glue.ThrottlingException"), { ErrorEquals: ["States.ALL"], MaxAttempts: 0 }],
        End: true,
      }),
    };
    expect(findings(never)).toEqual([]);
  });
});

describe("failing paths", () => {
  const busy = (next: string) => ({
    Start: task("aws-sdk:glue:updateCrawler", {
      ResultPath: null,
      Catch: [{ ErrorEquals: ["Glue.CrawlerRunningException"], ResultPath: null, Next: "Wait" }],
      Next: "Done",
    }),
    Wait: { Type: "Wait", Seconds: 1, Next: next },
    Done: DONE,
  });

  test("trying again is no way around the failure; passing it by is", () => {
    expect(findings(busy("Start"))).toEqual([]);
    expect(findings(busy("Done"))).toEqual([expect.stringContaining("an error caught here goes to Wait")]);
    expect(findings(busy("Done"), { successAfterFailure: ["Wait"] })).toEqual([]);
  });

  test.each([
    ["NotifyFailure", true],
    ["HandleErrors", true],
    ["RejectRows", true],
    ["FailedCheck", true],
    ["FailoverRegion", false],
    ["TissueSample", false],
    ["TerrorList", false],
  ])("%s is named like a failure: %s", (name, isFailure) => {
    expect(findings({ [name]: { Type: "Pass", End: true } })).toHaveLength(isFailure ? 1 : 0);
  });
});

describe("lost input", () => {
  const lost = (states: object) =>
    findings(states).map((finding) => finding.replace(/ \(give.*/, "").replace("state ", ""));
  const reads = (path: string, rest: object = { End: true }) => ({
    Type: "Pass",
    Parameters: { "x.$": path },
    ...rest,
  });
  /** A call whose answer is not known. */
  const call = (rest: object) => task("aws-sdk:glue:listCrawlers", { Next: "R", ...rest });

  /** Two ways to R with data that differ below the top alone: of one of them `$.run` has no `mode`. */
  const twoWays = (R: object) => ({
    A: { Type: "Pass", Result: 1, ResultPath: "$.begun", Next: "C" },
    C: { Type: "Choice", Choices: [{ Variable: "$.x", IsNull: true, Next: "Part" }], Default: "Whole" },
    Whole: { Type: "Pass", Parameters: { "id.$": "$.id", "mode.$": "$.m" }, ResultPath: "$.run", Next: "R" },
    Part: { Type: "Pass", Parameters: { "id.$": "$.id" }, ResultPath: "$.run", Next: "R" },
    R,
  });

  test.each<[string, object, string[]]>([
    [
      "on one of two ways, below the top",
      twoWays(reads("$.run.mode")),
      ["R: reads $.run.mode, which Part replaced"],
    ],
    [
      "on one of two ways, inside a Parallel",
      twoWays({
        Type: "Parallel",
        ResultPath: null,
        Branches: [machine({ B: reads("$.run.mode") })],
        End: true,
      }),
      ["B: reads $.run.mode, which Part replaced"],
    ],
    ["null keeps the input", { T: call({ ResultPath: null }), R: reads("$.a") }, []],
    ["a place of its own keeps the input", { T: call({ ResultPath: "$.t" }), R: reads("$.a") }, []],
    ["an explicit $ is meant", { T: call({ ResultPath: "$" }), R: reads("$.a") }, []],
    ["nothing read, nothing lost", { T: call({}), R: { Type: "Pass", End: true } }, []],
    ["a whole result may be read", { T: call({}), R: reads("$") }, []],
    [
      "inside an intrinsic",
      { T: call({}), R: reads("States.Format('{} $.no', $.a)") },
      ["R: reads $.a, which T replaced"],
    ],
    ["the context is no input", { T: call({}), R: reads("States.Format('{}', $$.Execution.Name)") }, []],
    [
      "what a selector leaves is known",
      {
        T: call({ ResultSelector: { "a.$": "$.Crawler" } }),
        R: reads("$.a.Name", { ResultPath: "$.r", Next: "S" }),
        S: reads("$.b"),
      },
      ["S: reads $.b, which T replaced"],
    ],
    [
      "a Pass that builds its output anew",
      {
        P: { Type: "Pass", Parameters: { run: { "id.$": "$.id" } }, Next: "R" },
        R: reads("$.run.id", { ResultPath: "$.r", Next: "S" }),
        S: reads("$.run.mode"),
      },
      ["S: reads $.run.mode, which P replaced"],
    ],
    [
      "on one of two ways",
      {
        C: { Type: "Choice", Choices: [{ Variable: "$.x", IsNull: true, Next: "T" }], Default: "R" },
        T: call({}),
        R: reads("$.a"),
      },
      ["R: reads $.a, which T replaced"],
    ],
    [
      "after a catch that takes the place of everything",
      {
        T: call({ ResultPath: null, Catch: [{ ErrorEquals: ["Glue.E"], ResultPath: "$", Next: "F" }] }),
        R: { Type: "Pass", End: true },
        F: { Type: "Fail", Error: "E", CausePath: "$.run.id" },
      },
      ["F: reads $.run.id, which T replaced"],
    ],
    [
      "in a Choice, a Wait and an InputPath",
      {
        T: call({ Next: "C" }),
        C: {
          Type: "Choice",
          Choices: [{ Variable: "$.a", StringEqualsPath: "$.b", Next: "W" }],
          Default: "W",
        },
        W: { Type: "Wait", SecondsPath: "$.c", Next: "P" },
        P: { Type: "Pass", InputPath: "$.d", End: true },
      },
      [
        "C: reads $.a, which T replaced",
        "C: reads $.b, which T replaced",
        "W: reads $.c, which T replaced",
        "P: reads $.d, which T replaced",
      ],
    ],
    [
      "what a Choice tests for is optional",
      {
        T: call({ Next: "C" }),
        C: {
          Type: "Choice",
          Choices: [
            {
              And: [
                { Variable: "$.a", IsPresent: true },
                { Variable: "$.a.b", IsNull: true },
              ],
              Next: "R",
            },
          ],
          Default: "R",
        },
        R: { Type: "Pass", End: true },
      },
      [],
    ],
    [
      "a loop is followed to its end",
      {
        T: call({ ResultPath: "$.now", Next: "C" }),
        C: { Type: "Choice", Choices: [{ Variable: "$.now.x", IsNull: true, Next: "W" }], Default: "R" },
        W: { Type: "Wait", Seconds: 1, Next: "T" },
        R: reads("$.a"),
      },
      [],
    ],
    [
      "inside a Parallel",
      {
        T: call({}),
        R: { Type: "Parallel", ResultPath: null, Branches: [machine({ B: reads("$.a") })], End: true },
      },
      ["B: reads $.a, which T replaced"],
    ],
  ])("%s", (_what, states, expected) => {
    expect(lost(states).sort()).toEqual([...expected].sort());
  });
});

describe("the status of what was started", () => {
  const state = (StringEquals: string) => ({ Variable: "$.now.Crawler.State", StringEquals });
  const ended = [
    { Variable: "$.now.Crawler.LastCrawl.Status", IsPresent: true },
    { Variable: "$.now.Crawler.LastCrawl.Status", StringEquals: "SUCCEEDED" },
  ];
  const judged = (...rules: object[]) =>
    findings({
      Start: task("aws-sdk:glue:startCrawler", { Parameters: { Name: "c" }, ResultPath: null, Next: "Wait" }),
      Wait: { Type: "Wait", Seconds: 30, Next: "Look" },
      Look: task("aws-sdk:glue:getCrawler", {
        Parameters: { Name: "c" },
        ResultPath: "$.now",
        Next: "Judge",
      }),
      Judge: { Type: "Choice", Choices: rules, Default: "Failed" },
      Done: DONE,
      Failed: FAIL,
    });

  test.each<[string, object[], string[]]>([
    [
      "not ended is waited for",
      [
        { Not: state("READY"), Next: "Wait" },
        { And: ended, Next: "Done" },
      ],
      [],
    ],
    [
      "ended is waited for, and nothing else",
      [
        { And: ended, Next: "Done" },
        { ...state("READY"), Next: "Wait" },
      ],
      ["treats RUNNING, STOPPING as an end"],
    ],
    [
      "one of two, said as not the other",
      [
        { Not: state("STOPPING"), Next: "Wait" },
        { And: ended, Next: "Done" },
      ],
      ["treats STOPPING as an end"],
    ],
    [
      "both, said as one or the other",
      [
        { Or: [state("RUNNING"), state("STOPPING")], Next: "Wait" },
        { And: ended, Next: "Done" },
      ],
      [],
    ],
    [
      "both at once, which never holds",
      [
        { And: [state("RUNNING"), state("STOPPING")], Next: "Wait" },
        { And: ended, Next: "Done" },
      ],
      ["treats RUNNING, STOPPING as an end"],
    ],
    [
      "a rule that takes it before the one that waits",
      [
        { And: ended, Next: "Done" },
        { Variable: "$.now.Crawler.State", StringMatches: "R*NING", Next: "Failed" },
        { Not: state("READY"), Next: "Wait" },
      ],
      ["treats RUNNING as an end"],
    ],
  ])("%s", (_what, rules, expected) => {
    const found = judged(...rules);
    expect(found).toHaveLength(expected.length);
    expected.forEach((text, index) => expect(found[index]).toContain(text));
  });

  test("of what somebody else started is information", () => {
    const described = (rest: object) => ({
      ...rest,
      Look: task("aws-sdk:sfn:describeExecution", {
        Parameters: { ExecutionArn: "a" },
        ResultPath: "$.other",
        Retry: [NAMED("Sfn.ThrottlingException")],
        Next: "Is",
      }),
      Is: {
        Type: "Choice",
        Choices: [{ Variable: "$.other.Status", StringEquals: "RUNNING", Next: "Done" }],
        Default: "Done",
      },
      Done: DONE,
    });
    expect(findings(described({}))).toEqual([]);
    const started = task("states:startExecution", {
      Parameters: { StateMachineArn: "m" },
      ResultPath: null,
      Next: "Wait",
    });
    const own = described({ Start: started, Wait: { Type: "Wait", Seconds: 1, Next: "Look" } });
    expect(findings(own)).toEqual([
      expect.stringContaining("treats RUNNING, PENDING_REDRIVE as an end"),
      expect.stringContaining("that ended as FAILED, TIMED_OUT, ABORTED end in success"),
    ]);
  });
});

test("a test that comes later does not help a selector that fails at once", () => {
  const states = {
    Look: task("aws-sdk:glue:getCrawler", {
      Parameters: { Name: "c" },
      ResultSelector: { "last.$": "$.Crawler.LastCrawl" },
      ResultPath: "$.now",
      Retry: [NAMED("Glue.ThrottlingException")],
      Next: "Is",
    }),
    Is: {
      Type: "Choice",
      Choices: [{ Variable: "$.now.last.Status", IsPresent: true, Next: "Done" }],
      Default: "Done",
    },
    Done: DONE,
  };
  expect(findings(states)).toEqual([expect.stringContaining("state Look: reads Crawler.LastCrawl")]);
});

test("the errors of Fail states, each once", () => {
  const states = { A: { Type: "Pass", Next: "F" }, F: FAIL, G: { ...FAIL, Error: "B" }, H: FAIL };
  expect(failErrors(machine(states))).toEqual(["B", "E"]);
});

describe("what is allowed", () => {
  const issue = (Comment?: string) => ({ TellIssue: { Type: "Pass", End: true, Comment } });

  test("by a Comment, which must name a check that finds something", () => {
    expect(findings(issue())).toHaveLength(1);
    expect(findings(issue("allow(named-failure): it warns, and the run goes on"))).toEqual([]);
    expect(findings({ Tell: { ...issue("allow(named-failure)").TellIssue } })).toEqual([
      "state Tell: its Comment allows named-failure, which finds nothing here (take the allowance out)",
    ]);
    expect(findings(issue("allow(named-failure) allow(everything)"))).toEqual([
      "state TellIssue: its Comment allows everything, which is not a check (take the allowance out)",
    ]);
  });

  test("by a list, with or without a Comment", () => {
    const options = { successAfterFailure: ["TellIssue"] };
    expect(findings(issue(), options)).toEqual([]);
    expect(findings(issue("allow(named-failure)"), options)).toEqual([]);
    expect(findings(issue(), { allow: { TellIssue: ["named-failure"] } })).toEqual([]);
    expect(findings(issue(), { allow: { TellIssue: ["redrive"] } })).toHaveLength(1);
  });

  test("for the machine, in its own Comment", () => {
    const endless = { StartAt: "A", Comment: "allow(machine-timeout)", States: { A: DONE } };
    expect(checkDefinition(endless)).toEqual([]);
  });
});
