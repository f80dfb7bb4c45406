import { type Definition, type Json, type JsonObject } from "../../definition-checks/asl";
import { well } from "./crawler";
import { interpret, type Answer, type Outcome } from "./interpreter";
import { lockTable } from "./lock-table";
import { asReceived } from "./status-events";
import { CRAWL_MACHINE_ARN, MACHINE_ARN, type SynthesisedOrchestrator } from "./orchestrator";

/** One run of the events pipeline's synthesised definitions, parent and child, with scripted answers. */

export const RUN_ID = "run-1";
export const EXECUTION_ARN = `${MACHINE_ARN.replace(":stateMachine:", ":execution:")}:${RUN_ID}`;
export const DAILY = { runDate: "2010-12-01" };
export const STEPS = [
  "ValidateInput",
  "AcquireLock",
  "CrawlRaw",
  "RunJob",
  "CheckBooks",
  "CrawlProcessed",
  "CheckQuality",
  "ReleaseLock",
  "RecordMetrics",
  "Notify",
];

export const summary = (rest: object = {}) => ({
  pipeline: "events",
  runId: RUN_ID,
  outcome: "SUCCEEDED",
  read: 100,
  written: 90,
  duplicates: 7,
  quarantined: 3,
  quality: { verdict: "PASSED", score: 100, threshold: 80, failed: "" },
  drift: "",
  restated: { dates: [], read: 0, written: 0, duplicates: 0, quarantined: 0 },
  ...rest,
});

export const body =
  (books: unknown): Answer =>
  () => ({ Body: typeof books === "string" ? books : JSON.stringify(books) });

/** Athena's answer: the header, then the one row; a null has no VarCharValue. */
export const verdict =
  (...rows: readonly (readonly [string, string, string, string])[]): Answer =>
  () => ({
    ResultSet: {
      Rows: [["seen", "verdict", "score", "failed"], ...rows].map((row) => ({
        Data: row.map((VarCharValue) => ({ VarCharValue })),
      })),
    },
  });

export const answers = (own: Readonly<Record<string, Answer>> = {}): Record<string, Answer> => ({
  ...well(),
  ...lockTable().answers,
  "glue:startJobRun.sync": () => ({ Id: "jr_1", JobRunState: "SUCCEEDED" }),
  "aws-sdk:s3:getObject": body(summary()),
  "athena:startQueryExecution.sync": () => ({ QueryExecution: { QueryExecutionId: "q-1" } }),
  "athena:getQueryResults": verdict(["90", "PASSED", "100", ""]),
  "aws-sdk:cloudwatch:putMetricData": () => ({}),
  "sns:publish": () => ({ MessageId: "m-1" }),
  ...own,
});

export const runPipeline = (
  synthesised: SynthesisedOrchestrator,
  input: Json,
  own?: Readonly<Record<string, Answer>>,
): Promise<Outcome> => {
  const machine = (name: string): Definition => synthesised.definition(name);
  return interpret({
    definition: machine("etl-dev-events"),
    stateMachineArn: MACHINE_ARN,
    name: RUN_ID,
    input,
    answers: answers(own),
    machines: { [CRAWL_MACHINE_ARN]: machine("etl-dev-events-crawl") },
  });
};

export const stepsOf = ({ path }: Outcome): string[] => path.filter((state) => STEPS.includes(state));

/** The parameters of every call to an integration. */
export const made = ({ calls }: Outcome, integration: string): JsonObject[] =>
  calls.filter((call) => call.integration === integration).map(({ parameters }) => parameters);

export const published = (outcome: Outcome) => made(outcome, "sns:publish").map(asReceived);
