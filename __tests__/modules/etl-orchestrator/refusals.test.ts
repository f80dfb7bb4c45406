import {
  EtlOrchestrator,
  type EtlOrchestratorProps,
} from "../../../modules/etl-orchestrator/etl-orchestrator";
import { Step } from "../../../modules/etl-orchestrator/step";
import { books, eventsProps, eventsSteps, QUERY, synthOrchestrator } from "../../support/orchestrator";

describe("refusals", () => {
  const load = Step.invokeFunction("Load", { function: { functionName: "load", timeoutSeconds: 60 } });
  const refusal = (props: Partial<EtlOrchestratorProps>) => () =>
    synthOrchestrator({ ...eventsProps(), ...props });

  test("all at once", () => {
    const steps = [
      Step.crawl("crawlRaw", { crawlerName: "c", deadlineMinutes: 0 }),
      Step.runJob("RunJob", { jobName: "j", timeoutMinutes: 60 }),
    ];
    expect(
      refusal({
        region: "us",
        name: "etl dev",
        pipeline: " ",
        account: "123456789",
        steps,
        logRetentionDays: 8,
        timeoutMinutes: 60,
      }),
    ).toThrow(
      "EtlOrchestrator 'etl-dev/Orchestrator': " +
        "'account' must be an AWS account id of 12 digits, got \"123456789\"; " +
        "'region' must be an AWS region such as eu-west-1, got \"us\"; " +
        "'name' must be 1 to 51 letters, digits, hyphens or underscores, got \"etl dev\" (7); " +
        "'pipeline' must not be empty; " +
        "'logRetentionDays' must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, got 8; " +
        "'timeoutMinutes' must be a whole number from 135 (the bound of the longest step) to 525600, got 60; " +
        "'steps.crawlRaw.name' must be a word in UpperCamel of at most 40 letters and digits, got \"crawlRaw\"; " +
        "'steps.crawlRaw.deadlineMinutes' must be a whole number from 1 to 1440, got 0",
    );
  });

  test.each<[string, Partial<EtlOrchestratorProps>, string]>([
    ["a long name", { name: "e".repeat(52) }, `got "${"e".repeat(52)}" (52)`],
    [
      "neither steps nor definition",
      { steps: undefined },
      "'steps' or 'definition' must be given, but not both, got neither",
    ],
    [
      "both",
      { definition: { template: {} } },
      "'steps' or 'definition' must be given, but not both, got both",
    ],
    ["no steps", { steps: [] }, "'steps' must not be empty"],
    [
      "a name to be filled in",
      { name: "${Name}" },
      "'name' still holds a placeholder, got \"${Name}\"; fill it in",
    ],
    [
      "a job to be filled in",
      { steps: [Step.runJob("RunJob", { jobName: "<job>", timeoutMinutes: 5 })] },
      "'steps.RunJob.JobName' still holds a placeholder, got \"<job>\"; fill it in",
    ],
    ["a fraction of a minute", { timeoutMinutes: 300.5 }, "got 300.5"],
    [
      "steps of one name",
      { steps: [...eventsSteps(), ...eventsSteps()] },
      "'steps' the step name CrawlRaw is used twice",
    ],
    [
      "a notification of books that nobody checked",
      { steps: [Step.notify("Tell")] },
      "'steps.Tell' (notify) needs the books of a checkBooks step 'CheckBooks' before it; " +
        "add Step.checkBooks(\"CheckBooks\", …) before 'Tell', or leave 'Tell' out",
    ],
    [
      "each step that needs them",
      {
        steps: [
          Step.checkQuality("Judge", { query: QUERY, workgroup: { workgroupName: "w" }, output: books }),
          Step.recordMetrics("Count"),
          load,
          Step.checkBooks("Sum", { books, emptyGoesTo: "Tell" }),
          Step.notify("Tell"),
          Step.runJob("Again", {
            jobName: "j",
            timeoutMinutes: 5,
            runArguments: { sum: "$.results.sum.summary.read", other: "$.results.fetch.id" },
          }),
        ],
      },
      "EtlOrchestrator 'etl-dev/Orchestrator': " +
        "'steps.Judge' (checkQuality) needs the books of a checkBooks step 'CheckBooks' before it; put 'Sum' before 'Judge'; " +
        "'steps.Count' (recordMetrics) needs the books of a checkBooks step 'CheckBooks' before it; put 'Sum' before 'Count'; " +
        "'steps.Tell' (notify) needs the books of a checkBooks step 'CheckBooks' before it; there is 'Sum': set books: \"Sum\"; " +
        "'steps.Again' (runJob) reads $.results.fetch, but no step before 'Again' writes it; " +
        "the steps before it write $.results.load, $.results.sum, $.results.tell",
    ],
    [
      "two checks of the books",
      { steps: [load, Step.checkBooks("Sum", { books }), Step.checkBooks("SumAgain", { books })] },
      "'steps.SumAgain' (checkBooks) is the second checkBooks step, after 'Sum'; a flow may have one: remove one",
    ],
    [
      "an empty delivery sent backwards",
      {
        steps: [
          load,
          Step.notify("Tell", { books: "CheckBooks" }),
          Step.checkBooks("CheckBooks", { books, emptyGoesTo: "Tell" }),
        ],
      },
      "put 'CheckBooks' before 'Tell'; " +
        "'steps.CheckBooks' (checkBooks) goes to 'Tell', but no step after 'CheckBooks' has that name; 'CheckBooks' is the last step",
    ],
  ])("%s", (_what, props, message) => {
    expect(refusal(props)).toThrow(message);
  });

  describe("steps that hold steps, and steps of one's own", () => {
    const other = Step.invokeFunction("Other", { function: { functionName: "load", timeoutSeconds: 901 } });
    const rule = { Variable: "$.run.mode", StringEquals: "daily" };
    const stop = Step.fail("Stop", { error: "Stopped", cause: "no more" });
    const workgroup = { workgroupName: "w" };

    test.each<[string, Step[], string]>([
      [
        "a choice without a default, without branches, with a rule of another kind",
        [
          Step.choose("Which", { branches: [], otherwise: [] }),
          Step.choose("How", {
            branches: [{ when: { ...rule, Next: "Load" }, steps: [] }],
            otherwise: undefined as never,
          }),
          Step.choose("Why", {
            branches: [{ when: { Condition: "{% true %}" }, steps: [load] }],
            otherwise: [],
          }),
        ],
        "'steps.Which.branches' must not be empty; " +
          "'steps.How.otherwise' must be given: the steps if no rule is true, or [] to go on behind the choice; " +
          "'steps.How.branches[0].when' must have no Next: the branch's steps follow; " +
          "'steps.Why.branches[0].when' must be a comparison in JSONPath, such as { Variable, StringEquals }, got a Condition",
      ],
      [
        "branches that end nowhere",
        [
          Step.parallel("Both", { branches: { ios: [], Android: [load] } }),
          Step.parallel("One", { branches: { a: [other] } }),
        ],
        "'steps.Both.branches.ios' must have steps, got none; " +
          "'steps.Both.branches.Android' must be named by a word in lowerCamel of at most 20 letters and digits; " +
          "'steps.One.branches' must be two or more, got 1; steps of one need no parallel; " +
          "'steps.Other.function.timeoutSeconds' must be a whole number from 1 to 900, got 901",
      ],
      [
        "a Map over a list without a bound",
        [
          Step.forEach("Open", { items: "$.run.tables", steps: [load] }),
          Step.forEach("Long", {
            items: "tables",
            mostItems: 5,
            steps: [],
            maxConcurrency: 41,
            toleratedFailures: -1,
            keep: "rows",
          }),
          Step.forEach("Short", { items: [1, 2, 3], mostItems: 2, steps: [other] }),
          Step.forEach("None", { items: [], steps: [stop] }),
        ],
        "'steps.Open.mostItems' must be given, because the length of $.run.tables is not known at synth; a run with more items fails before the first; " +
          "'steps.Long.maxConcurrency' must be a whole number from 1 to 40, got 41; " +
          "'steps.Long.toleratedFailures' must be a whole number from 0 to 1000, got -1; " +
          "'steps.Long.items' must be a list or a path such as $.run.tables, got \"tables\"; " +
          "'steps.Long.steps' must not be empty; " +
          "'steps.Long.keep' must be a path such as $.results.load, got \"rows\"; " +
          "'steps.Short.mostItems' must not be less than the 3 items, got 2; " +
          "'steps.Other.function.timeoutSeconds' must be a whole number from 1 to 900, got 901; " +
          "'steps.None.items.length' must be a whole number from 1 to 1000, got 0",
      ],
      [
        "a list so long that its history would be too",
        [
          Step.forEach("Long", {
            items: "$.run.tables",
            mostItems: 1000,
            steps: ["A", "B", "C", "D"].map((name) => ({ ...load, name })),
          }),
        ],
        "'steps.Long.mostItems' would let a run record about 24000 events (1000 items of 4 states), and a history holds 25000; " +
          "take fewer items, or start one execution per item",
      ],
      [
        "a step behind an end",
        [
          Step.choose("Which", {
            branches: [{ when: rule, steps: [stop] }],
            otherwise: [{ ...stop, name: "Halt" }],
          }),
          load,
        ],
        "'steps.Load' comes after 'Which', which always ends the execution: remove one of them",
      ],
      [
        "a failure without a name or cause",
        [Step.fail("Stop", { error: "not a word", cause: " " })],
        "'steps.Stop.error' must be a word in UpperCamel of at most 80 letters and digits, got \"not a word\"; " +
          "'steps.Stop.cause' must not be empty",
      ],
      [
        "a query whose question marks and values do not match",
        [
          Step.query("Ask", {
            sql: "select '?' as a, b from t where c = ? -- ?",
            workgroup,
            parameters: ["x", 2],
            answer: { "count(*)": "number" },
          }),
          Step.query("Tell", { sql: " ", workgroup, answer: {} }),
        ],
        "'steps.Ask.parameters' must be 1, one for each question mark, got 2; " +
          "'steps.Ask.answer.count(*)' must be a name of letters, digits and underscores, and not queryExecutionId; give the column an alias; " +
          "'steps.Tell.sql' must not be empty; " +
          "'steps.Tell.answer' must name columns, or be left out",
      ],
      [
        "a call that is no call",
        [
          Step.task("Do", {
            call: "arn:aws:states:::sqs:sendMessage",
            parameters: "x" as never,
            timeoutSeconds: 0,
            statements: [],
          }),
        ],
        "'steps.Do.call' must be the integration without arn:…:states:::, such as dynamodb:putItem, got \"arn:aws:states:::sqs:sendMessage\"; " +
          "'steps.Do.timeoutSeconds' must be a whole number from 1 to 31536000, got 0; " +
          "'steps.Do.parameters' must be an object; " +
          "'steps.Do.statements' must not be empty: leave it out if the rights are derived",
      ],
      [
        "results of steps inside of others",
        [
          Step.parallel("Both", {
            branches: { a: [load], b: [Step.task("Do", { call: "x:y", parameters: {}, timeoutSeconds: 1 })] },
          }),
          Step.forEach("Each", {
            items: "$.results.both.a.load.payload",
            mostItems: 3,
            steps: [{ ...load, name: "LoadOne" }],
          }),
          Step.choose("Which", {
            branches: [{ when: rule, steps: [{ ...load, name: "LoadTwo" }] }],
            otherwise: [],
          }),
          Step.invokeFunction("Sum", {
            function: { functionName: "sum", timeoutSeconds: 60 },
            payload: {
              "a.$": "$.results.load.payload",
              "b.$": "$.results.loadOne.payload",
              "c.$": "$.results.loadTwo.payload",
            },
          }),
        ],
        "'steps.Sum' (invokeFunction) reads $.results.load, but no step before 'Sum' writes it; it is inside of 'Both': read $.results.both.<branch>.load; " +
          "'steps.Sum' (invokeFunction) reads $.results.loadOne, but no step before 'Sum' writes it; it is inside of 'Each': " +
          'keep it with keep: "$.results.loadOne…" and read $.results.each.items; ' +
          "'steps.Sum' (invokeFunction) reads $.results.loadTwo, but no step before 'Sum' writes it; it is inside of 'Which': " +
          "only one way of a choice is gone, so read it in the same way",
      ],
    ])("%s", (_what, steps, message) => {
      expect(refusal({ steps })).toThrow(message);
    });

    test.each<[string, Step[], string]>([
      [
        "names that are used twice",
        [load, Step.parallel("Both", { branches: { a: [load], b: [{ ...load, name: "C" }] } })],
        "the step name Load is used twice",
      ],
      [
        "a call whose rights are not known",
        [
          Step.task("Do", {
            call: "batch:submitJob.sync",
            parameters: { JobName: "a", JobQueue: "q", JobDefinition: "d" },
            timeoutSeconds: 9,
            retry: [{ ErrorEquals: ["Batch.BatchException"] }],
          }),
        ],
        "makes the call batch:submitJob.sync of state Do, whose rights cannot be derived; give them as 'statements' of Step.task",
      ],
      [
        "a call that does not exist",
        [Step.task("Do", { call: "glue:startCrawler.sync", parameters: {}, timeoutSeconds: 9 })],
        "state Do: ",
      ],
    ])("%s", (_what, steps, message) => {
      expect(refusal({ steps })).toThrow(message);
    });

    test("fields of the input", () => {
      const fields = {
        Bad: { type: "string" },
        id: { type: "string" },
        shop: { type: "string", oneOf: [], minimum: 1, default: 5 },
        limit: { type: "integer", oneOf: [1.5], matches: "*", minimum: 3, maximum: 1 },
        isDry: { type: "boolean", oneOf: ["x"] },
      } as const;
      expect(refusal({ steps: [stop], input: { fields } })).toThrow(
        "'input.fields.Bad' must be named by a word in lowerCamel of at most 30 letters and digits; " +
          "'input.fields.id' must not be named id, which is the execution's name; " +
          "'input.fields.shop.oneOf' must not be empty; " +
          "'input.fields.shop.minimum' is for numbers, got a field of type string; " +
          "'input.fields.shop.default' must be a value that the field accepts, got 5; " +
          "'input.fields.limit.matches' is for strings, got a field of type integer; " +
          "'input.fields.limit.oneOf' must hold values of type integer, got 1.5; " +
          "'input.fields.limit.minimum' must not be above maximum, got 3 and 1; " +
          "'input.fields.isDry.oneOf' is for strings and numbers, got a field of type boolean",
      );
      expect(refusal({ steps: [stop], input: { fields: {} } })).toThrow("'input.fields' must not be empty");
      const template = { StartAt: "A", States: { A: { Type: "Succeed" } } };
      expect(refusal({ steps: undefined, definition: { template }, input: "any" })).toThrow(
        "'input' belongs to 'steps': a definition of your own checks its input itself; leave it out",
      );
    });
  });

  test("nothing is made before everything is right", () => {
    expect.assertions(2);
    synthOrchestrator((stack) => {
      const broken = { ...eventsProps(), name: "" };
      expect(() => new EtlOrchestrator(stack, "Broken", broken)).toThrow("'name'");
      const inside = (stack.node.tryFindChild("Broken")?.node.children ?? []).map(({ node }) => node.id);
      expect(inside).toEqual([]);
      return eventsProps();
    });
  });
});
