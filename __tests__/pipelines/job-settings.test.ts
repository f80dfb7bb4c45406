import { ENVIRONMENTS, type EnvironmentData } from "../../environments/registry";
import { type ContractPipelineSettings } from "../../pipelines/settings";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";

const withEvents = (change: object): Partial<EnvironmentData> => ({
  budget: { dpuHoursPerRun: 100_000 },
  pipelines: { ...ENVIRONMENTS.prod!.pipelines, events: { ...events(), ...change } },
});
const events = (): ContractPipelineSettings => ENVIRONMENTS.prod!.pipelines.events!;

function job(change: object): Record<string, unknown> {
  const { resource } = synthEnvironment(settingsOf("prod", withEvents(change)));
  return Object.values(resource.aws_glue_job!).find(({ name }) => name === "etl-prod-events-transform")!;
}

test("the class and the queueing of a pipeline's job are its settings", () => {
  expect(job({})).toMatchObject({ execution_class: "STANDARD" });
  expect(job({})).not.toHaveProperty("job_run_queuing_enabled");
  expect(job({ executionClass: "FLEX" })).toMatchObject({ execution_class: "FLEX" });
  expect(job({ jobRunQueuingEnabled: true })).toMatchObject({ job_run_queuing_enabled: true });
});

test("what its runs override is in the call of its state machine", () => {
  const runOverrides = { workers: 12, workerType: "G.2X", timeoutMinutes: 70, executionClass: "FLEX" };
  const { resource } = synthEnvironment(settingsOf("prod", withEvents({ runOverrides })));
  const definitions = Object.values(resource.aws_sfn_state_machine!)
    .filter(({ name }) => name === "etl-prod-events")
    .map(({ definition }) => String(definition));
  const run = definitions
    .map((text) => (JSON.parse(text) as { States: Record<string, { Parameters: object }> }).States.RunJob)
    .find((state) => state !== undefined);
  expect(run).toMatchObject({
    Parameters: { NumberOfWorkers: 12, WorkerType: "G.2X", Timeout: 70, ExecutionClass: "FLEX" },
    TimeoutSeconds: (70 + 35) * 60,
  });
});

test.each<[object, string]>([
  [
    { executionClass: "FLEX", workerType: "G.4X" },
    "'pipelines.events.executionClass' FLEX takes the worker types G.1X and G.2X only, got \"G.4X\"; use one of these, or STANDARD",
  ],
  [
    { executionClass: "FLEX", jobRunQueuingEnabled: true },
    "'pipelines.events.jobRunQueuingEnabled' must be false or left out with the execution class FLEX, got true",
  ],
  [
    { executionClass: "FLEX", runOverrides: { workerType: "G.8X" } },
    "'pipelines.events.runOverrides.executionClass' FLEX takes the worker types G.1X and G.2X only",
  ],
  [
    { maxConcurrentRuns: 3 },
    "'pipelines.events.maxConcurrentRuns' must be 1 for a job that rebuilds, got 3: two runs would replace the same folders; lower it to 1",
  ],
  [
    { writeMode: "append" },
    "'pipelines.events.writeMode' must be rebuild with tableFormat parquet, got append: Parquet files can only be replaced; set tableFormat to iceberg",
  ],
  [
    { tableFormat: "iceberg", writeMode: "merge" },
    "'pipelines.events.orderColumn' must be given with writeMode merge, got nothing: it decides which row of a key is the latest; name a column, or run_date",
  ],
  [
    { tableFormat: "iceberg", writeMode: "append", maxConcurrentRuns: 2 },
    "'pipelines.events.maxConcurrentRuns' must be 1 for a job that appends, got 2: two runs could both append the same object; lower it to 1",
  ],
  [
    { tableFormat: "iceberg", maxConcurrentRuns: 2 },
    "'pipelines.events.maxConcurrentRuns' must be 1 for a job that rebuilds, got 2: two runs would replace the same dates; lower it to 1",
  ],
  [{ tableFormat: "delta" }, "'pipelines.events.tableFormat' invalid option"],
  [{ executionClass: "SPOT" }, "'pipelines.events.executionClass' invalid option"],
  [{ runOverrides: { maxWorkers: 3 } }, "'pipelines.events.runOverrides' has unknown settings 'maxWorkers'"],
])("%j is refused", (change, message) => {
  expect(() => settingsOf("prod", withEvents(change))).toThrow(`environment 'prod': ${message}`);
});

test("a mistake is reported once, where it was made", () => {
  const change = { executionClass: "FLEX", workerType: "G.4X", runOverrides: { workers: 3 } };
  expect(() => settingsOf("prod", withEvents(change))).toThrow(/^[^\n]*$/);
});

test("a table of Iceberg is the job's own: nobody crawls it", () => {
  const merging = { tableFormat: "iceberg", writeMode: "merge", orderColumn: "event_timestamp" };
  const { resource } = synthEnvironment(settingsOf("prod", withEvents(merging)));
  const names = Object.values(resource.aws_glue_crawler!).map(({ name }) => String(name));
  expect(names).toContain("etl-prod-events-raw");
  expect(names).not.toContain("etl-prod-events-processed");
  const machine = Object.values(resource.aws_sfn_state_machine!).find(
    ({ name }) => name === "etl-prod-events",
  );
  expect(String(machine!.definition)).not.toContain("CrawlProcessed");
  const jobs = Object.values(resource.aws_glue_job!);
  expect(jobs.find(({ name }) => name === "etl-prod-events-transform")).toMatchObject({
    default_arguments: {
      "--write_mode": "merge",
      "--order_column": "event_timestamp",
      "--output_table": "events",
    },
  });
});
