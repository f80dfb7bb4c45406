import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type * as Points from "../../local/return-point";
import type * as State from "../../local/terraform-state";

/** Both states are put back together, whatever was killed. */

const DEV = "etl-dev";
const COMPLETE = {
  resources: [
    { mode: "managed", instances: [{}, {}] },
    { mode: "data", instances: [{}] },
  ],
};
let local: string;
let points: typeof Points;

beforeEach(() => {
  local = mkdtempSync(join(tmpdir(), "return-point-"));
  process.env.ETL_LOCAL = local;
  jest.resetModules();
  points = jest.requireActual<typeof Points>("../../local/return-point");
});

afterEach(() => {
  delete process.env.ETL_LOCAL;
  rmSync(local, { recursive: true, force: true });
});

/** Writes as the server does, a new file renamed over the old one, or as Terraform does, in place. */
function write(place: string, text: string): void {
  const file = join(local, place);
  mkdirSync(dirname(file), { recursive: true });
  if (!place.startsWith("aws/")) return writeFileSync(file, text);
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

const read = (place: string): string | undefined =>
  existsSync(join(local, place)) ? readFileSync(join(local, place), "utf8") : undefined;

const states = () =>
  [
    "aws/services/kms.json",
    "aws/s3/lake/row",
    `terraform/${DEV}/terraform.tfstate`,
    `terraform/${DEV}/applied.json`,
  ].map(read);

/** A deployment that is complete and holds data. */
function deployed(): void {
  write("aws/services/kms.json", "key 1");
  write("aws/s3/lake/row", "42");
  write(`terraform/${DEV}/terraform.tfstate`, JSON.stringify(COMPLETE));
  write(`terraform/${DEV}/applied.json`, "digests");
}

/** Leaves what a killed apply may leave: an unrecorded resource, a lost row, half a state. */
function cutOff(): void {
  write("aws/services/kms.json", "key 1, key 2");
  rmSync(join(local, "aws/s3/lake/row"), { force: true });
  write(`terraform/${DEV}/terraform.tfstate`, '{"resources": [{"mode": "mana');
  write(`terraform/${DEV}/.terraform.tfstate.lock.info`, "{}");
  rmSync(join(local, `terraform/${DEV}/applied.json`), { force: true });
}

test("a first deployment that was cut off starts again", async () => {
  points.takeReturnPoint(DEV, "apply");
  cutOff();
  expect(await points.heal()).toMatch(
    /^etl-dev: the first deployment of \d\d:\d\d UTC was cut off; its resources were discarded$/,
  );
  expect(states()).toEqual([undefined, undefined, undefined, undefined]);
  expect(read(`terraform/${DEV}/.terraform.tfstate.lock.info`)).toBeUndefined();
  expect(await points.heal()).toBeUndefined();
});

test.each(["apply", "destroy"] as const)(
  "a deployment has its data after its %s was cut off",
  async (verb) => {
    deployed();
    const before = states();
    points.takeReturnPoint(DEV, verb);
    cutOff();
    expect(await points.heal()).toMatch(
      /: the (update|destroy) of .* was cut off; the deployment and its data were restored as they were before$/,
    );
    expect(states()).toEqual(before);
    const { deployedResources } = jest.requireActual<typeof State>("../../local/terraform-state");
    expect(deployedResources(DEV)).toBe(2);
  },
);

test("restoring can be cut off too", async () => {
  deployed();
  const before = states();
  points.takeReturnPoint(DEV, "apply");
  cutOff();
  rmSync(join(local, "aws"), { recursive: true }); // as after its removal, before the copy has its name
  write("aws.returned/half", "");
  await points.heal();
  expect([states(), read("aws/half")]).toEqual([before, undefined]);
});

test("an apply that completed is not put back", async () => {
  points.takeReturnPoint(DEV, "apply");
  deployed();
  const after = states();
  points.dropReturnPoint();
  expect([await points.heal(), states()]).toEqual([undefined, after]);
});

test.each(["interrupted", "failed"] as const)(
  "one that was %s is continued, and goes back to its own begin",
  async (ended) => {
    deployed();
    const before = states();
    points.takeReturnPoint(DEV, "apply");
    cutOff();
    points.keepReturnPoint(ended);
    const between = states();
    expect([await points.heal(), states()]).toEqual([undefined, between]);
    points.takeReturnPoint(DEV, "apply");
    write("aws/services/kms.json", "key 3");
    points.keepReturnPoint("astray");
    expect(await points.heal()).toMatch(
      /the update of .* failed, and Terraform's state may not match what exists; the deployment and its data were restored/,
    );
    expect(states()).toEqual(before);
  },
);

test("another stack's apply starts from the present states", async () => {
  points.takeReturnPoint(DEV, "apply");
  deployed();
  points.keepReturnPoint("failed");
  const before = states();
  points.takeReturnPoint("etl-prod", "apply");
  cutOff();
  write(`terraform/${DEV}/terraform.tfstate`, JSON.stringify(COMPLETE));
  write(`terraform/${DEV}/applied.json`, "digests");
  expect(await points.heal()).toMatch(/^etl-prod: the first deployment/);
  expect(states()).toEqual(before);
});

const POINT = { stack: DEV, began: "2010-12-02T18:40:00Z" };
const TEXTS: readonly [Points.ReturnPoint, number | undefined, string][] = [
  [
    { ...POINT, verb: "apply", first: true },
    12,
    "etl-dev: the first deployment of 18:40 UTC is running: 7 resources exist",
  ],
  [
    { ...POINT, verb: "apply", first: true, ended: "interrupted" },
    undefined,
    "etl-dev: the first deployment of 18:40 UTC was interrupted: 7 resources exist; to continue, type npm start",
  ],
  [
    { ...POINT, verb: "apply", first: false, ended: "failed" },
    undefined,
    "etl-dev: the update of 18:40 UTC failed: 7 resources exist; to continue, type npm start",
  ],
  [
    { ...POINT, verb: "destroy", first: false, ended: "interrupted" },
    undefined,
    "etl-dev: the destroy of 18:40 UTC was interrupted: 7 resources exist; to continue, type npm start -- destroy",
  ],
  [
    { ...POINT, verb: "apply", first: false },
    undefined,
    "etl-dev: the update of 18:40 UTC was cut off; the next command restores the deployment and its data as they were before",
  ],
  [
    { ...POINT, stack: "etl-prod", verb: "apply", first: true },
    undefined,
    "etl-prod: the first deployment of 18:40 UTC was cut off; to start again, type npm start -- deploy --environment prod",
  ],
];

test.each(TEXTS)(
  "status describes an incomplete apply or destroy: %j, process %s",
  (point, working, text) => {
    expect(points.incompleteText(point, 7, working)).toBe(text);
  },
);
