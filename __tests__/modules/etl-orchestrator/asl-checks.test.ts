import { type Definition } from "../../../modules/etl-orchestrator/asl";
import {
  asDefinition,
  checkDefinition,
  failErrors,
  formatFinding,
  type AslCheckOptions,
} from "../../../modules/etl-orchestrator/asl-checks";

const task = (resource: string, rest: object = { End: true }) => ({
  Type: "Task",
  Resource: `arn:aws:states:::${resource}`,
  ...rest,
});
const machine = (states: object, StartAt = Object.keys(states)[0]): Definition =>
  ({ StartAt, States: states }) as unknown as Definition;
const findings = (states: object, options?: AslCheckOptions) =>
  checkDefinition(machine(states), options).map(formatFinding);
const JOB = "glue:startJobRun.sync";
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

/** What the first document gets wrong, each in the fewest states that show it. */
describe("the mistakes of the first document", () => {
  test.each([
    [
      "a crawler integration that does not exist",
      { Crawl: task("glue:startCrawler.sync", { TimeoutSeconds: 60, End: true }) },
      "state Crawl: the integration glue:startCrawler.sync does not exist (write aws-sdk:glue:startCrawler and poll until it is done (a crawl: Step.crawl))",
    ],
    [
      "an input lost to a Task without ResultPath",
      {
        Crawl: task("aws-sdk:glue:startCrawler", { Next: "Run" }),
        Run: task(JOB, {
          TimeoutSeconds: 60,
          Parameters: { Arguments: { "--source_path.$": "$.sourcePath" } },
          End: true,
        }),
      },
      'state Run: reads $.sourcePath, which Crawl replaced (give Crawl a "ResultPath" (null, or $.results.<step>), or write "ResultPath": "$" there if it is meant)',
    ],
    [
      "an error caught into a success",
      {
        Run: task(JOB, {
          TimeoutSeconds: 60,
          Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }],
          End: true,
        }),
        Tell: task("sns:publish"),
      },
      "state Run: an error caught here goes to Tell and ends in success at Tell (end that way in a Fail state, or do not catch: a failed Task can be redriven)",
    ],
    [
      "a failed check that ends in success",
      {
        Passed: {
          Type: "Choice",
          Choices: [{ Variable: "$.score", NumericGreaterThanEquals: 95, Next: "Done" }],
          Default: "NotifyQualityIssue",
        },
        Done: DONE,
        NotifyQualityIssue: task("sns:publish"),
      },
      "state NotifyQualityIssue: is named like a failure and ends in success at NotifyQualityIssue (end that way in a Fail state, or list the state in 'successAfterFailure')",
    ],
    [
      "a job run that is repeated whatever it failed of",
      { Run: task(JOB, { TimeoutSeconds: 60, Retry: [{ ErrorEquals: ["States.TaskFailed"] }], End: true }) },
      "state Run: retries States.TaskFailed, so a run that failed for a reason is run and paid again (retry only what never started (Step.runJob does), or list the state in 'retriesEveryError')",
    ],
    [
      "a job run that may take three years",
      { Run: task(JOB) },
      "state Run: waits without TimeoutSeconds, which is 99999999 s (write TimeoutSeconds above what it waits for)",
    ],
    [
      "a function in an account of nine digits",
      { Check: { Type: "Task", Resource: "arn:aws:lambda:us-east-1:123456789:function:f", End: true } },
      "state Check: the resource arn:aws:lambda:us-east-1:123456789:function:f is neither a service integration nor the ARN of a function or an activity (write arn:<partition>:states:::<service>:<call>, and account ids with 12 digits)",
    ],
  ])("%s", (_what, states, expected) => {
    expect(findings(states)).toEqual([expected]);
  });
});

describe("structure", () => {
  const pass = { Type: "Pass", End: true };
  test.each<[string, object, string[]]>([
    [
      "dangling Next",
      { A: { Type: "Pass", Next: "B" } },
      ["state A: goes to B, which is no state", "leads to no end"],
    ],
    ["unreachable", { A: pass, B: pass }, ["state B: cannot be reached"]],
    [
      "no terminal",
      { A: { Type: "Pass", Next: "B" }, B: { Type: "Wait", Seconds: 1, Next: "A" } },
      ["leads to no end", "leads to no end"],
    ],
    ["neither Next nor End", { A: { Type: "Pass" } }, ["leads to no end", "has neither Next nor End"]],
    ["both Next and End", { A: { Type: "Pass", End: true, Next: "B" }, B: pass }, ["has both Next and End"]],
    ["unknown type", { A: { Type: "Tusk", End: true } }, ["its type is Tusk"]],
    ["long name", { ["A".repeat(81)]: pass }, ["its name has 81 characters"]],
    ["Assign", { A: { ...pass, Assign: { x: 1 } } }, ["uses Assign"]],
    ["JSONata", { A: { ...pass, QueryLanguage: "JSONata" } }, ["uses another query language"]],
    [
      "Choice without Default",
      { A: { Type: "Choice", Choices: [{ Variable: "$.x", IsNull: true, Next: "B" }] }, B: pass },
      ["is a Choice without Default"],
    ],
    ["Fail without words", { A: { Type: "Fail" } }, ["is a Fail without Error", "is a Fail without Cause"]],
    [
      "SDK integrations do not wait",
      { A: task("aws-sdk:glue:startCrawler.sync", { TimeoutSeconds: 9, End: true }) },
      ["SDK integrations know no .sync"],
    ],
    [
      "an unknown pattern",
      { A: task("sns:publish.sync", { TimeoutSeconds: 9, End: true }) },
      ["the integration sns:publish knows no pattern .sync"],
    ],
    [
      "heartbeat",
      { A: task("lambda:invoke.waitForTaskToken", { TimeoutSeconds: 9, HeartbeatSeconds: 9, End: true }) },
      ["HeartbeatSeconds 9 is not below TimeoutSeconds 9"],
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
      ["goes to C, which is no state", "leads to no end"],
    ],
  ])("%s", (_what, states, expected) => {
    const found = findings(states);
    expect(found).toHaveLength(expected.length);
    expected.forEach((text, index) => expect(found[index]).toContain(text));
  });

  test("StartAt must name a state", () => {
    expect(checkDefinition(machine({ A: pass }, "Z")).map(formatFinding)).toEqual([
      "the definition: StartAt names Z, which is no state (name one of A)",
    ]);
  });

  test("something that is no definition is refused", () => {
    expect(() => asDefinition({ States: {} })).toThrow("needs StartAt and States");
    expect(() => asDefinition({ StartAt: "A", States: { A: 1 } })).toThrow("a state that is no object");
  });
});

describe("retriers", () => {
  const retry = (...rules: object[]) => findings({ A: task("sns:publish", { Retry: rules, End: true }) });
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
        Retry: [{ ErrorEquals: ["States.ALL"], MaxAttempts: 0 }],
        End: true,
      }),
    };
    expect(findings(never)).toEqual([]);
  });
});

describe("failing paths", () => {
  const busy = (next: string) => ({
    Start: task("aws-sdk:glue:startCrawler", {
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
  const call = (rest: object) => task("aws-sdk:glue:getCrawler", { Next: "R", ...rest });

  test.each<[string, object, string[]]>([
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
      "after a catch without ResultPath",
      {
        T: call({ ResultPath: null, Catch: [{ ErrorEquals: ["E"], Next: "F" }] }),
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

test("the errors of Fail states, each once", () => {
  const states = { A: { Type: "Pass", Next: "F" }, F: FAIL, G: { ...FAIL, Error: "B" }, H: FAIL };
  expect(failErrors(machine(states))).toEqual(["B", "E"]);
});
