import { type RunJobStepProps } from "../../../modules/etl-orchestrator/run-overrides";
import { Step } from "../../../modules/etl-orchestrator/step";

const JOB: RunJobStepProps = {
  jobName: "j",
  timeoutMinutes: 60,
  capacity: { kind: "autoScaling", workerType: "G.2X", maxWorkers: 4 },
  region: "eu-west-1",
};
const made = (props: Partial<RunJobStepProps>) => Step.runJob("RunJob", { ...JOB, ...props });
const parametersOf = (props: Partial<RunJobStepProps>) => {
  const { States } = made(props).fragment as { States: Record<string, { Parameters: object }> };
  const { JobName, Arguments, ...others } = States["${Step}"]!.Parameters as Record<string, unknown>;
  expect([JobName, Arguments]).toEqual(["${JobName}", "${Arguments}"]);
  return others;
};
const mistakesOf = (props: Partial<RunJobStepProps>) =>
  made(props).mistakes.map(({ field, message }) => `${field} ${message}`);

test("without overrides the call has the job's name and arguments only", () => {
  expect(parametersOf({})).toEqual({});
  expect(parametersOf({ overrides: {} })).toEqual({});
});

test.each<[RunJobStepProps["overrides"], object]>([
  [{ workers: 8 }, { WorkerType: "G.2X", NumberOfWorkers: 8 }],
  [{ workerType: "G.1X" }, { WorkerType: "G.1X", NumberOfWorkers: 4 }],
  [{ timeoutMinutes: 30 }, { Timeout: 30 }],
  [{ executionClass: "FLEX" }, { ExecutionClass: "FLEX" }],
  [
    { workerType: "G.1X", workers: 9, timeoutMinutes: 90, executionClass: "FLEX" },
    { WorkerType: "G.1X", NumberOfWorkers: 9, Timeout: 90, ExecutionClass: "FLEX" },
  ],
])("%j is what StartJobRun is given", (overrides, parameters) => {
  expect(parametersOf({ overrides })).toEqual(parameters);
  expect(mistakesOf({ overrides })).toEqual([]);
});

test("the step waits for the run that it starts, and for its start", () => {
  const seconds = (props: Partial<RunJobStepProps>) => made(props).values.TimeoutSeconds;
  expect(seconds({})).toBe((60 + 15) * 60);
  expect(seconds({ overrides: { timeoutMinutes: 90 } })).toBe((90 + 15) * 60);
  expect(seconds({ overrides: { executionClass: "FLEX" } })).toBe((60 + 35) * 60);
  expect(seconds({ executionClass: "FLEX" })).toBe((60 + 35) * 60);
  expect(seconds({ executionClass: "FLEX", overrides: { executionClass: "STANDARD" } })).toBe((60 + 15) * 60);
  expect(seconds({ jobRunQueuingEnabled: true })).toBe((60 + 35) * 60);
});

test.each<[Partial<RunJobStepProps>, string]>([
  [
    { overrides: { workers: 1 } },
    "overrides.workers must be a whole number from 2 (a driver and a worker) to 299, got 1",
  ],
  [
    { overrides: { timeoutMinutes: 10_080 } },
    "overrides.timeoutMinutes must be a whole number from 1 to 10079, got 10080",
  ],
  [
    { overrides: { workerType: "G.3X" as "G.4X" } },
    'overrides.workerType must be one of G.1X, G.2X, G.4X, G.8X, got "G.3X"',
  ],
  [
    { overrides: { workerType: "G.8X" }, region: "eu-west-3" },
    'overrides.workerType must be G.1X or G.2X in eu-west-3, got "G.8X", which that region does not offer',
  ],
  [
    { executionClass: "FLEX", overrides: { workerType: "G.4X" } },
    'overrides.executionClass FLEX takes the worker types G.1X and G.2X only, got "G.4X"; use one of these, or STANDARD',
  ],
  [
    { jobRunQueuingEnabled: true, overrides: { executionClass: "FLEX" } },
    "jobRunQueuingEnabled must be false or left out with the execution class FLEX, got true: FLEX runs wait for capacity " +
      "anyway; leave it out",
  ],
  [
    { capacity: undefined, overrides: { workers: 5 } },
    "overrides must have both 'workerType' and 'workers' if the job's 'capacity' is not given, got " +
      '{"workers":5}; StartJobRun takes both or neither',
  ],
])("%j is refused", (props, mistake) => {
  expect(mistakesOf(props)).toEqual([mistake]);
});

test("what only Terraform knows is not judged", () => {
  expect(mistakesOf({ region: "${var.region}", overrides: { workerType: "G.8X" } })).toEqual([]);
  expect(mistakesOf({ overrides: { workers: -1.8881545897087626e289 } })).toEqual([]);
});
