import {
  EtlOrchestrator,
  type EtlOrchestratorProps,
} from "../../../modules/etl-orchestrator/etl-orchestrator";
import { Step } from "../../../modules/etl-orchestrator/step";
import { books, eventsProps, eventsSteps, QUERY, synthOrchestrator } from "../../support/orchestrator";

describe("refusals", () => {
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
        "the steps before it write $.results.judge, $.results.count, $.results.sum, $.results.tell",
    ],
    [
      "two checks of the books",
      { steps: [Step.checkBooks("Sum", { books }), Step.checkBooks("SumAgain", { books })] },
      "'steps.SumAgain' (checkBooks) is the second checkBooks step, after 'Sum'; a flow may have one: remove one",
    ],
    [
      "an empty delivery sent backwards",
      {
        steps: [
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
