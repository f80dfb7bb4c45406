import {
  EXECUTION_CLASSES,
  GLUE_VERSIONS,
  mostDpuHours,
  type RunShape,
  runShapeMistakes,
  startMinutes,
  TAKEN_BY,
  WORKER_TYPES,
} from "../../../modules/core/job-runs";

const known = () => true;
const mistakes = (shape: RunShape) => runShapeMistakes(shape, known);

/** Every version, worker type and class that there is. */
const ALL = GLUE_VERSIONS.flatMap((glueVersion) =>
  WORKER_TYPES.flatMap((workerType) =>
    EXECUTION_CLASSES.map((executionClass) => ({ glueVersion, workerType, executionClass })),
  ),
);

test.each(ALL)("$glueVersion on $workerType with $executionClass", (shape) => {
  const { glueVersions, workerTypes } = TAKEN_BY[shape.executionClass];
  const isTaken = glueVersions.includes(shape.glueVersion) && workerTypes.includes(shape.workerType);
  expect(mistakes(shape).length === 0).toBe(isTaken);
});

test("STANDARD takes all, FLEX the two small worker types", () => {
  expect(ALL.filter((shape) => mistakes(shape).length === 0)).toHaveLength(2 * 4 + 2 * 2);
});

test.each<[RunShape, string, string]>([
  [
    { glueVersion: "2.0" },
    "glueVersion",
    'must be one of 5.1, 6.0, got "2.0": it has not run since 2026-04-01',
  ],
  [
    { glueVersion: "4.0" },
    "glueVersion",
    'must be one of 5.1, 6.0, got "4.0": the library\'s jobs are not tested on it',
  ],
  [{ glueVersion: "9.9" }, "glueVersion", 'must be one of 5.1, 6.0, got "9.9"'],
  [
    { workerType: "G.16X" },
    "workerType",
    'must be one of G.1X, G.2X, G.4X, G.8X, got "G.16X": AWS provider 5.100.0 does not take it',
  ],
  [
    { workerType: "G.025X" },
    "workerType",
    'must be one of G.1X, G.2X, G.4X, G.8X, got "G.025X": it is for streaming jobs only',
  ],
  [
    { workerType: "Z.2X" },
    "workerType",
    'must be one of G.1X, G.2X, G.4X, G.8X, got "Z.2X": it is for Ray jobs only',
  ],
  [{ executionClass: "SPOT" }, "executionClass", 'must be one of STANDARD, FLEX, got "SPOT"'],
  [
    { executionClass: "FLEX", workerType: "G.4X" },
    "executionClass",
    'FLEX takes the worker types G.1X and G.2X only, got "G.4X"; use one of these, or STANDARD',
  ],
  [
    { executionClass: "FLEX", jobRunQueuingEnabled: true },
    "jobRunQueuingEnabled",
    "must be false or left out with the execution class FLEX, got true: FLEX runs wait for capacity anyway; leave it out",
  ],
  [
    { workerType: "G.8X", region: "cn-north-1" },
    "workerType",
    'must be G.1X or G.2X in cn-north-1, got "G.8X", which that region does not offer',
  ],
  [{ workers: 1 }, "workers", "must be a whole number from 2 (a driver and a worker) to 299, got 1"],
  [{ workers: 300 }, "workers", "must be a whole number from 2 (a driver and a worker) to 299, got 300"],
  [{ timeoutMinutes: 10_080 }, "timeoutMinutes", "must be a whole number from 1 to 10079, got 10080"],
])("%j is refused", (shape, field, mistake) => {
  expect(mistakes(shape)).toEqual([[field, mistake]]);
  expect(runShapeMistakes(shape, () => false)).toEqual([]);
});

test.each<RunShape>([
  { workerType: "G.8X", region: "eu-west-1" },
  { workerType: "G.2X", region: "cn-north-1" },
  { executionClass: "FLEX", jobRunQueuingEnabled: false },
  { executionClass: "STANDARD", jobRunQueuingEnabled: true },
  { workers: 2, timeoutMinutes: 1 },
  { workers: 299, timeoutMinutes: 10_079 },
  {},
])("%j is taken", (shape) => {
  expect(mistakes(shape)).toEqual([]);
});

test("a run that waits for capacity may start as much later", () => {
  expect(startMinutes({})).toBe(15);
  expect(startMinutes({ executionClass: "STANDARD", jobRunQueuingEnabled: false })).toBe(15);
  expect(startMinutes({ executionClass: "FLEX" })).toBe(35);
  expect(startMinutes({ jobRunQueuingEnabled: true })).toBe(35);
});

test("the most that is billed is known where all its factors are", () => {
  const shape = { workerType: "G.2X", workers: 3, timeoutMinutes: 20 };
  expect(mostDpuHours(shape, known)).toBe(2);
  expect(mostDpuHours({ ...shape, workers: undefined }, known)).toBeUndefined();
  expect(mostDpuHours(shape, (value) => value !== 3)).toBeUndefined();
});
