import { Step } from "../../../modules/etl-orchestrator/step";
import { type Outcome } from "../../support/interpreter";
import {
  books,
  eventsProps,
  type SynthesisedOrchestrator,
  synthOrchestrator,
} from "../../support/orchestrator";
import { body, DAILY, made, published, runPipeline, summary } from "../../support/pipeline-run";

/** A flow over several sources: each must balance by itself, and is in the message; what is missing is a metric. */

const SOURCES = ["tills", "web_shop"];
const steps = () =>
  eventsProps().steps!.map((step) => {
    if (step.name === "CheckBooks")
      return Step.checkBooks("CheckBooks", { books, emptyGoesTo: "ReleaseLock", sources: SOURCES });
    if (step.name === "RecordMetrics") return Step.recordMetrics("RecordMetrics", { hasSources: true });
    return step.name === "Notify" ? Step.notify("Notify", { hasSources: true }) : step;
  });

let synthesised: SynthesisedOrchestrator;
beforeAll(() => (synthesised = synthOrchestrator({ ...eventsProps(), steps: steps() })));

const figures = (read: number, written: number, duplicates: number, quarantined: number) => ({
  ...{ read, written, duplicates, quarantined },
});
const TILLS = figures(60, 55, 4, 1);
const WEB = figures(40, 35, 3, 2);
const WORDS = "tills: read 60 …; missing: web_shop on 2010-12-01";
const of = (sources: object, more: object = {}) =>
  summary({ sources, missingCount: 1, sourcesText: WORDS, ...more });
const run = (told: unknown): Promise<Outcome> =>
  runPipeline(synthesised, DAILY, { "aws-sdk:s3:getObject": body(told) });
const ending = ({ status, error, cause }: Outcome) => ({ status, error, cause });

test("the message has the figures of each source, and the metrics count what is missing", async () => {
  const outcome = await run(of({ tills: TILLS, web_shop: WEB }));
  expect(outcome.status).toBe("SUCCEEDED");
  expect((published(outcome)[0] as { text: string }).text.split("\n\n").slice(1, 3)).toEqual([
    "Run dates 2010-12-01 to 2010-12-01: read 100 = written 90 + duplicates 7 + quarantined 3.",
    `${WORDS}.`,
  ]);
  const [put] = made(outcome, "aws-sdk:cloudwatch:putMetricData") as unknown as { MetricData: object[] }[];
  expect(put!.MetricData.at(-1)).toEqual({
    MetricName: "SourcesMissing",
    Dimensions: [{ Name: "StateMachineName", Value: "etl-dev-events" }],
    Value: 1,
    Unit: "Count",
  });
});

test.each([
  [
    "the first",
    { tills: { ...TILLS, written: 54 }, web_shop: { ...WEB, written: 36 } },
    "tills: read 60 rows, but written 54 + duplicates 4 + quarantined 1 = 59",
  ],
  [
    "the last",
    { tills: TILLS, web_shop: { ...WEB, duplicates: 4 } },
    "web_shop: read 40 rows, but written 35 + duplicates 4 + quarantined 2 = 41",
  ],
])("books whose sums balance, and those of %s source do not", async (_, sources, cause) => {
  const outcome = await run(of(sources));
  expect(ending(outcome)).toEqual({
    status: "FAILED",
    error: "BooksDoNotBalance",
    cause: `of source ${cause}`,
  });
  expect(published(outcome)).toEqual([]);
});

test.each([
  ["without a source", { tills: TILLS }],
  ["with a text for a count", { tills: TILLS, web_shop: { ...WEB, read: "40" } }],
])("books %s cannot be read", async (_, sources) => {
  expect(ending(await run(of(sources)))).toMatchObject({ status: "FAILED", error: "BooksUnreadable" });
});

test("an empty run of several sources has a message too", async () => {
  const none = figures(0, 0, 0, 0);
  const outcome = await run(of({ tills: none, web_shop: none }, { outcome: "EMPTY", ...none }));
  expect(outcome.status).toBe("SUCCEEDED");
  expect((published(outcome)[0] as { text: string }).text).toContain(WORDS);
});
