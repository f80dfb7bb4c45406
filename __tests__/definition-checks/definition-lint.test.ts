import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatFinding } from "../../definition-checks/asl-checks";
import { lintDefinition } from "../../definition-checks/definition-lint";
import { lintCommand } from "../../definition-checks/lint-command";

const job = (rest: object = {}) => ({
  Type: "Task",
  Resource: "arn:${Partition}:states:::glue:startJobRun.sync",
  Parameters: { JobName: "${JobName}", Arguments: "${Arguments}" },
  TimeoutSeconds: "${Timeout}",
  ResultPath: "$.results.${Result}",
  Retry: [{ ErrorEquals: ["Glue.ThrottlingException"], IntervalSeconds: "${Interval}" }],
  Next: "${Next}",
  ...rest,
});
const part = (states: object) => JSON.stringify({ StartAt: "${Step}", States: states });
const lint = (states: object, options = {}) => lintDefinition(part(states), options).map(formatFinding);

describe("placeholders", () => {
  test("may be numbers, objects, names, paths and where a part goes on", () => {
    expect(lint({ "${Step}": job() })).toEqual([]);
  });

  test("stand in findings as they stand in the file", () => {
    const states = {
      "${Step}": job({ ResultPath: undefined, Next: "${Step}Read" }),
      "${Step}Read": { Type: "Pass", Parameters: { "a.$": "$.results.${Books}.rows" }, Next: "${Next}" },
    };
    expect(lint(states)).toEqual([
      'state ${Step}Read: reads $.results.${Books}.rows, which ${Step} replaced (give ${Step} a "ResultPath" (null, or $.results.<step>), or write "ResultPath": "$" there if that is intended)',
    ]);
  });

  test("of two fields are two fields", () => {
    const states = (path: string) => ({
      "${Step}": { Type: "Pass", Result: {}, ResultPath: "$.results.${Mine}", Next: "${Step}Clear" },
      "${Step}Clear": { Type: "Pass", Parameters: { "a.$": "$.results.${Mine}" }, Next: "${Step}Read" },
      "${Step}Read": { Type: "Pass", Parameters: { "b.$": path }, Next: "${Next}" },
    });
    expect(lint(states("$.a"))).toEqual([]);
    expect(lint(states("$.${Other}"))).toEqual([
      expect.stringContaining("reads $.${Other}, which ${Step}Clear"),
    ]);
  });

  test("of CloudFormation are no account and no region", () => {
    const arn = "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:t";
    const tell = (TopicArn: string) => ({
      "${Step}": {
        Type: "Task",
        Resource: "arn:aws:states:::sns:publish",
        Parameters: { TopicArn, Message: "m" },
        Retry: [{ ErrorEquals: ["States.TaskFailed"] }],
        Next: "${Next}",
      },
    });
    expect(lint(tell(arn))).toEqual([]);
    expect(lint(tell("arn:aws:sns:eu-west-1:111122223333:t"))).toEqual([
      expect.stringContaining("names eu-west-1 111122223333"),
    ]);
  });

  test("that are called a failure are one", () => {
    const caught = (Next: string) =>
      lint({
        "${Step}": job({
          Catch: [{ ErrorEquals: ["Glue.EntityNotFoundException"], ResultPath: null, Next }],
        }),
      });
    expect(caught("${WhenFailed}")).toEqual([]);
    expect(caught("${Otherwise}")).toEqual([expect.stringContaining("ends in success at ${Otherwise}")]);
  });

  test("are allowed by their names", () => {
    const states = { "${Step}Failed": { Type: "Pass", Next: "${Next}" } };
    const text = JSON.stringify({ StartAt: "${Step}Failed", States: states });
    expect(lintDefinition(text)).toHaveLength(1);
    expect(lintDefinition(text, { allow: { "${Step}Failed": ["named-failure"] } })).toEqual([]);
    expect(lintDefinition(text, { successAfterFailure: ["${Step}Failed"] })).toEqual([]);
  });
});

test("only a whole machine needs a time-out", () => {
  const whole = JSON.stringify({ StartAt: "A", States: { A: { Type: "Succeed" } } });
  expect(lintDefinition(whole).map(({ check }) => check)).toEqual(["machine-timeout"]);
});

test.each([
  ["no JSON", '{"StartAt": ${Start}}', /is not valid JSON: .*placeholders stand inside quotes/],
  ["no definition", "{}", /is not a state machine definition: it needs StartAt and States/],
  [
    "a misspelt field",
    part({ "${Step}": job({ Paramters: {} }) }),
    /state \$\{Step\}: does not match the schema of the Amazon States Language/,
  ],
  [
    "a broken path",
    part({ "${Step}": job({ ResultPath: "$..a" }) }),
    /does not match the schema of the Amazon States Language: \/States\/\$\{Step\}\/ResultPath/,
  ],
  [
    "a Wait for nothing",
    part({ "${Step}": { Type: "Wait", Next: "${Next}" } }),
    /schema of the Amazon States Language/,
  ],
])("%s is a finding", (_what, text, expected) => {
  expect(lintDefinition(text).map(formatFinding)).toEqual([expect.stringMatching(expected)]);
});

describe("the command", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "lint-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const run = (...args: string[]) => {
    let text = "";
    const code = lintCommand(args, (piece) => (text += piece));
    return { code, text: text.replaceAll(`${folder}/`, "") };
  };
  const sound = () => file("sound.asl.json", part({ "${Step}": job() }));
  const broken = () =>
    file("broken.asl.json", part({ "${Step}": job({ TimeoutSeconds: undefined, Retry: undefined }) }));

  test("says so when there is nothing", () => {
    expect(run(sound())).toEqual({ code: 0, text: "1 definition, nothing found\n" });
  });

  test("says file, state, check, what and remedy within 80 columns", () => {
    const { code, text } = run(broken(), sound());
    expect(code).toBe(1);
    expect(text).toBe(`broken.asl.json
  \${Step}  [timeout]
    waits without TimeoutSeconds, so for up to 99999999 s
    remedy: write TimeoutSeconds above what it waits for
  \${Step}  [retry-missing]
    has no Retry for throttling and other transient errors
    remedy: retry Glue.ConcurrentRunsExceededException,
      Glue.ResourceNumberLimitExceededException, Glue.InternalServiceException,
      Glue.OperationTimeoutException, Glue.ThrottlingException

2 findings in 1 of 2 files
`);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("breaks no column, however much there is to say", () => {
    const text = readFileSync(join(__dirname, "seed-definitions", "document-000.asl.json"), "utf8");
    const lines = run(file("long.asl.json", text)).text.split("\n");
    expect(lines.length).toBeGreaterThan(90);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test("says the same as JSON", () => {
    const path = broken();
    const { code, text } = run("--json", path, sound());
    expect(code).toBe(1);
    expect(JSON.parse(text)).toEqual([
      {
        file: "broken.asl.json",
        check: "timeout",
        state: "${Step}",
        what: "waits without TimeoutSeconds, so for up to 99999999 s",
        remedy: "write TimeoutSeconds above what it waits for",
      },
      expect.objectContaining({ file: "broken.asl.json", check: "retry-missing" }),
    ]);
    expect(run("--json", sound())).toEqual({ code: 0, text: "[]\n" });
  });

  test("lets be what is allowed, check by check", () => {
    const path = broken();
    expect(run("--allow", "timeout:${Step}", path).text).toContain("1 finding in 1 of 1 file");
    expect(run("--allow", "timeout:${Step}", "--allow", "retry-missing:${Step}", path).code).toBe(0);
  });

  test("holds a definition against its input", () => {
    const input = file("input.json", '{"runDate": "2010-12-01"}');
    const { code, text } = run("--input", input, sound());
    expect(code).toBe(1);
    expect(text).toContain(
      "  the definition  [unused-input]\n    no state reads $.runDate of the declared input\n",
    );
  });

  test.each<[string, string[], RegExp]>([
    ["no file", [], /^name at least one file\n/],
    ["a file that is not there", ["none.asl.json"], /^none\.asl\.json cannot be read \(ENOENT\)\n/],
    ["an unknown option", ["--fix"], /^Unknown option '--fix'/],
    [
      "an allowance without a state",
      ["--allow", "timeout", "x"],
      /^--allow must be <check:state>, got timeout\n/,
    ],
    [
      "an unknown check",
      ["--allow", "time:x", "x"],
      /^--allow: 'time' is not a check; the checks are json, schema,/,
    ],
    ["an input that is not there", ["--input", "none.json", "x"], /^none\.json cannot be read/],
  ])("%s is a wrong command", (_what, args, expected) => {
    const { code, text } = run(...args);
    expect(code).toBe(2);
    expect(text).toMatch(expected);
    expect(text).toMatch(/\(see cdktf-aws-etl lint --help\)\n$/);
  });

  test.each([
    ["{", /is not valid JSON/],
    ["[]", /must hold a JSON object/],
  ])("an input %s is a wrong command", (content, expected) => {
    const { code, text } = run("--input", file("input.json", content), sound());
    expect([code, text]).toEqual([2, expect.stringMatching(expected)]);
  });

  test("helps", () => {
    const { code, text } = run("--help");
    expect([code, text]).toEqual([0, expect.stringMatching(/^Usage: cdktf-aws-etl lint/)]);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("is there for users, from any folder", () => {
    const bin = join(__dirname, "..", "..", "bin", "cdktf-aws-etl.cjs");
    sound();
    const text = execFileSync(process.execPath, [bin, "lint", "sound.asl.json"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(text).toBe("1 definition, nothing found\n");
    broken();
    expect(spawnSync(process.execPath, [bin, "lint", "broken.asl.json"], { cwd: folder }).status).toBe(1);
    expect(spawnSync(process.execPath, [bin, "lnt"], { cwd: folder }).status).toBe(2);
  }, 60_000);
});
