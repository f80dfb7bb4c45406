import {
  compose,
  LAST_STATE,
  render,
  type RenderOptions,
} from "../../../modules/etl-orchestrator/state-machine-definition";
import { Step } from "../../../modules/etl-orchestrator/step";

const text = (template: object, values: object, options?: RenderOptions) =>
  render("thing", template as never, values as never, options);

describe("render", () => {
  test("fills strings and keys; a string that is one placeholder takes the type of its value", () => {
    const template = {
      "${Step}Done": {
        Seconds: "${Seconds}",
        Text: "after ${Seconds} s of ${Step}",
        Map: "${Map}",
        On: "${On}",
      },
      List: ["${Step}", 1, null, true],
    };
    const values = { Step: "Crawl", Seconds: 30, Map: { a: [1] }, On: false };
    expect(text(template, values)).toEqual({
      CrawlDone: { Seconds: 30, Text: "after 30 s of Crawl", Map: { a: [1] }, On: false },
      List: ["Crawl", 1, null, true],
    });
  });

  test("a value is never read for placeholders", () => {
    expect(text({ a: "${A}", b: "x${A}" }, { A: "${B}" })).toEqual({ a: "${B}", b: "x${B}" });
  });

  test("every mistake is reported at once", () => {
    const template = {
      a: "${Missing}",
      b: "x ${Other} y",
      c: "${lower}",
      d: "${aws_x.y.arn}",
      e: "v${Object}",
    };
    expect(() => text(template, { Unused: 1, Object: {} })).toThrow(
      'thing: placeholder ${Missing} in "${Missing}" has no value; ' +
        'placeholder ${Other} in "x ${Other} y" has no value; ' +
        '"${lower}" holds a "${" that does not begin a placeholder in UpperCamel; ' +
        '"${aws_x.y.arn}" holds a "${" that does not begin a placeholder in UpperCamel; ' +
        'placeholder ${Object} in "v${Object}" is part of a text, but its value is an object or a list; ' +
        "value Unused is used by no placeholder",
    );
  });

  test("offered values may stay unused, and own values win over them", () => {
    expect(text({ a: "${A}" }, { A: 1 }, { offered: { A: 2, B: 3 } })).toEqual({ a: 1 });
  });

  test("a token of the synthesiser is left alone, a placeholder beside it is not", () => {
    const token = "${TfToken[TOKEN.7]}";
    const isKnown = (value: string) => !value.includes("TfToken");
    expect(text({ a: token, b: `x${token}` }, {}, { isKnown })).toEqual({ a: token, b: `x${token}` });
    expect(text({ a: "${Arn}" }, { Arn: token }, { isKnown })).toEqual({ a: token });
    expect(() => text({ a: `${token} \${Missing}` }, {}, { isKnown })).toThrow("placeholder ${Missing}");
  });
});

describe("compose", () => {
  const fragment = (next = "${Next}") => ({
    StartAt: "${Step}",
    States: { "${Step}": { Type: "Pass", Next: next } },
  });
  const step = (name: string, next?: string, goesTo?: Step["goesTo"]): Step => ({
    name,
    fragment: fragment(next),
    values: {},
    boundSeconds: 1,
    goesTo,
    mistakes: [],
  });
  const flow = (...steps: Step[]) => compose({ comment: "c", timeoutSeconds: 60, steps, offered: {} });

  test("leads each step to the next and the last to a Succeed state", () => {
    expect(flow(step("A"), step("B"))).toEqual({
      Comment: "c",
      StartAt: "A",
      TimeoutSeconds: 60,
      States: {
        A: { Type: "Pass", Next: "B" },
        B: { Type: "Pass", Next: LAST_STATE },
        [LAST_STATE]: { Type: "Succeed" },
      },
    });
  });

  test("a way that names no step leads to the last one; a named one to that step", () => {
    const ways = (target?: string) =>
      flow(step("A", "${Way}", { Way: target }), step("B"), step("C"), step("D")).States.A?.Next;
    expect(ways()).toBe("D");
    expect(ways("C")).toBe("C");
    expect(flow(step("A", "${Way}", { Way: undefined })).States.A?.Next).toBe(LAST_STATE);
  });

  test("every mistake is reported at once", () => {
    const steps = [step("A", "${Way}", { Way: "Before" }), step("B", "${Oops}"), step("A"), step(LAST_STATE)];
    expect(() => flow(...steps)).toThrow(
      "state machine definition: step A goes to Before, which is not a later step; " +
        'step B: placeholder ${Oops} in "${Oops}" has no value; the step name A is used twice; ' +
        "the state name A of step A is used twice; " +
        `the state name ${LAST_STATE} of step ${LAST_STATE} is used twice`,
    );
  });
});

describe("steps", () => {
  const mistakes = (step: Step) => step.mistakes.map(({ field, message }) => `${field} ${message}`);

  test("say what the caller got wrong", () => {
    expect(mistakes(Step.crawl("crawl raw", { crawlerName: "c", deadlineMinutes: 0 }))).toEqual([
      'name must be a word in UpperCamel of at most 40 letters and digits, got "crawl raw"',
      "deadlineMinutes must be a whole number from 1 to 1440, got 0",
    ]);
    const runArguments = { "--mode": "daily", empty: "" };
    expect(mistakes(Step.runJob("RunJob", { jobName: "j", timeoutMinutes: 1.5, runArguments }))).toEqual([
      "timeoutMinutes must be a whole number from 1 to 10079, got 1.5",
      'runArguments must have names of letters, digits and underscores, without dashes, got "--mode"',
      "runArguments must not be empty, because Glue refuses empty arguments, got an empty empty",
    ]);
    const ofGlue = { conf: "spark.a=b", additional_python_modules: "x", mode: "daily" };
    expect(
      mistakes(Step.runJob("RunJob", { jobName: "j", timeoutMinutes: 1, runArguments: ofGlue })),
    ).toEqual([
      "runArguments.conf must not be given with a run, because it would replace the job's own; set it on the job",
      "runArguments.additional_python_modules is not an argument of Glue, whose own is 'additional-python-modules'; set that on " +
        "the job, or use another name",
    ]);
  });

  test("the time-out of a run job step is above the job's, its arguments are paths or texts", () => {
    const { values } = Step.runJob("RunJob", {
      jobName: "j",
      timeoutMinutes: 60,
      runArguments: { run_id: "$.run.id", format: "json" },
    });
    expect(values).toEqual({
      JobName: "j",
      Arguments: { "--run_id.$": "$.run.id", "--format": "json" },
      TimeoutSeconds: 60 * 60 + 15 * 60,
    });
  });

  test("a crawl's deadline becomes polls, its time-outs lie above the deadline, child below parent", () => {
    const { values } = Step.crawl("Crawl", { crawlerName: "c", deadlineMinutes: 10 });
    expect(values).toEqual({ CrawlerName: "c", MaxPolls: 20, TimeoutSeconds: 750 + 600 + 300 });
  });
});
