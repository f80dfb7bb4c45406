import { Token } from "cdktf";
import { budgetMistakes, type JobBounds } from "../../environments/budget";
import type { EtlStack } from "../../environments/etl-stack";
import { dpuHours, dpuHoursText } from "../../modules/core/dpu-hours";
import { maxDpuHours } from "../../modules/glue-spark-job/job-capacity";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";

const EVENTS: JobBounds = { workerType: "G.1X", maxWorkers: 10, jobTimeoutMinutes: 60 };
const over = (events: unknown, dpuHoursPerRun: unknown) =>
  budgetMistakes({ budget: { dpuHoursPerRun }, pipelines: { events } });

describe("the ceiling of a run", () => {
  test.each([
    ["G.1X", 10, 60, 10],
    ["G.1X", 2, 30, 1],
    ["G.2X", 5, 60, 10],
    ["G.4X", 3, 20, 4],
    ["G.8X", 299, 10_079, (299 * 8 * 10_079) / 60],
  ] as const)("%s × %d for %d minutes is %d DPU-hours", (workerType, workers, timeoutMinutes, hours) => {
    expect(dpuHours({ workerType, workers, timeoutMinutes })).toBe(hours);
  });

  test("is reported with its factors, and without decimals that say nothing", () => {
    expect(dpuHoursText({ workerType: "G.2X", workers: 5, timeoutMinutes: 20 })).toBe(
      "5 workers × 2 DPU (G.2X) × 20 min / 60 = 3.33 DPU-hours",
    );
  });

  test("of a job is that of its number of workers or of its bound, and none where Terraform alone knows it", () => {
    const isKnown = (value: unknown) => !Token.isUnresolved(value);
    const workerType = "G.2X";
    expect(maxDpuHours({ kind: "fixed", workerType, workers: 3 }, 10, isKnown)).toBe(1);
    expect(maxDpuHours({ kind: "autoScaling", workerType, maxWorkers: 6 }, 10, isKnown)).toBe(2);
    const workers = Token.asNumber("${var.workers}");
    expect(maxDpuHours({ kind: "fixed", workerType, workers }, 10, isKnown)).toBeUndefined();
  });
});

describe("over the budget", () => {
  const refused: readonly (readonly [Partial<JobBounds>, limit: number, sum: string, remedy: string])[] = [
    [
      { maxWorkers: 21 },
      20,
      "21 workers × 1 DPU (G.1X) × 60 min / 60 = 21 DPU-hours, the limit is 20",
      "lower 'maxWorkers' to 20, lower 'jobTimeoutMinutes' to 57 or raise the budget",
    ],
    [
      { workerType: "G.4X" },
      20,
      "10 workers × 4 DPU (G.4X) × 60 min / 60 = 40 DPU-hours, the limit is 20",
      "lower 'maxWorkers' to 5, lower 'jobTimeoutMinutes' to 30, take a smaller 'workerType' or raise the budget",
    ],
    // One worker is no Spark job, and no minute no run: what cannot be is not proposed.
    [
      { workerType: "G.8X", maxWorkers: 2, jobTimeoutMinutes: 1 },
      0.2,
      "2 workers × 8 DPU (G.8X) × 1 min / 60 = 0.27 DPU-hours, the limit is 0.2",
      "take a smaller 'workerType' or raise the budget",
    ],
    [
      { workerType: "G.1X", maxWorkers: 2, jobTimeoutMinutes: 1 },
      0.01,
      "2 workers × 1 DPU (G.1X) × 1 min / 60 = 0.03 DPU-hours, the limit is 0.01",
      "raise the budget",
    ],
  ];

  test.each(refused)("%j over %d", (change, limit, sum, remedy) => {
    expect(over({ ...EVENTS, ...change }, limit)).toEqual([
      "'pipelines.events' may cost more per run than 'budget.dpuHoursPerRun' allows: 'maxWorkers' and " +
        `'jobTimeoutMinutes' give ${sum}; ${remedy}`,
    ]);
  });

  test("what it proposes fits, and one more does not", () => {
    expect(over({ ...EVENTS, maxWorkers: 20 }, 20)).toEqual([]);
    expect(over({ ...EVENTS, maxWorkers: 21, jobTimeoutMinutes: 57 }, 20)).toEqual([]);
    expect(over({ ...EVENTS, maxWorkers: 21, jobTimeoutMinutes: 58 }, 20)).toHaveLength(1);
  });

  test.each([
    ["no limit", EVENTS, undefined],
    ["a negative limit", EVENTS, -1],
    ["an unknown worker type", { ...EVENTS, workerType: "G.3X" }, 1],
    ["a number as text", { ...EVENTS, maxWorkers: "10" }, 1],
    ["no pipeline", undefined, 1],
  ])("%s is the schema's to refuse", (_what, events, limit) => {
    expect(over(events, limit)).toEqual([]);
  });

  test("ends the synth with the environment, the sum and the limit", () => {
    expect(() => settingsOf("prod", { budget: { dpuHoursPerRun: 5 } })).toThrow(
      /^environment 'prod': 'pipelines\.events' may cost .* = 10 DPU-hours, the limit is 5; lower 'maxWorkers' to 5/,
    );
    expect(() => settingsOf("prod", { budget: { dpuHoursPerRun: 0 } })).toThrow(
      "environment 'prod': 'budget.dpuHoursPerRun' must be above 0, got 0",
    );
  });

  test("overrides of the pipeline's runs count, alone where the job itself fits", () => {
    const runOverrides = { workers: 20, timeoutMinutes: 90 };
    expect(over({ ...EVENTS, runOverrides }, 20)).toEqual([
      "'pipelines.events.runOverrides' may cost more per run than 'budget.dpuHoursPerRun' allows: the pipeline's runs " +
        "take 20 workers × 1 DPU (G.1X) × 90 min / 60 = 30 DPU-hours, the limit is 20; lower what is overridden or raise the budget",
    ]);
    expect(over({ ...EVENTS, runOverrides: { workers: 20 } }, 20)).toEqual([]);
    expect(over({ ...EVENTS, runOverrides }, 5)).toEqual([expect.stringMatching(/^'pipelines\.events' /)]);
  });

  test("they are in the output and in what is judged of the finished stack", () => {
    const settings = settingsOf("prod");
    const withOverrides = (workers: number) => ({
      ...settings,
      pipelines: {
        ...settings.pipelines,
        events: { ...settings.pipelines.events!, runOverrides: { workers } },
      },
    });
    const { output } = synthEnvironment(withOverrides(15));
    expect(output.dpu_hour_ceiling?.value).toMatchObject({ "etl-prod-events-transform": 15 });
    // Past the settings, which refuse it.
    expect(() => synthEnvironment(withOverrides(21))).toThrow(
      /^environment 'prod': 'aws_glue_job\.\w+' may cost .* give 21 workers × 1 DPU/,
    );
  });

  test("a job that was made larger by another way than the settings does not synthesise either", () => {
    const enlarge = ({ pipelines }: EtlStack) => {
      pipelines.events!.task.job.resource.addOverride("number_of_workers", 21);
    };
    expect(() => synthEnvironment(settingsOf("prod"), enlarge)).toThrow(
      /^environment 'prod': 'aws_glue_job\.\w+' may cost .* give 21 workers × 1 DPU \(G\.1X\) × 60 min \/ 60 = 21 DPU-hours, the limit is 20; lower its workers/,
    );
  });
});

test.each([
  ["dev", 1, 2],
  ["staging", 5, 2],
  ["prod", 10, 5],
])("%s shows its ceilings as an output", (environment, events, daily) => {
  const { output } = synthEnvironment(settingsOf(environment));
  expect(output.dpu_hour_ceiling?.value).toMatchObject({
    [`etl-${environment}-events-transform`]: events,
    [`etl-${environment}-sales-transform`]: daily,
    [`etl-${environment}-customers-transform`]: daily,
    [`etl-${environment}-products-transform`]: daily,
  });
});
