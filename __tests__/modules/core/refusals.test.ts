import { placeMistakes } from "../../../modules/core/place";
import { placeholderMistake, placeholderMistakes } from "../../../modules/core/placeholder";
import { Refusals, shownPath } from "../../../modules/core/refusals";

const known = () => true;

test("all mistakes are reported at once, with construct, field and value", () => {
  const refusals = new Refusals("GlueSparkJob", "etl-dev/Events/Transform");
  refusals.check(false, "workers", "must be at least 2, got 1");
  refusals.check(true, "region", "is never told");
  refusals.note("name", undefined);
  refusals.noteAll([["timeoutMinutes", "must be at least 1, got 0"]]);
  expect(() => refusals.throwIfAny()).toThrow(
    new Error(
      "GlueSparkJob 'etl-dev/Events/Transform': 'workers' must be at least 2, got 1; 'timeoutMinutes' must be at least 1, got 0",
    ),
  );
});

test("no mistake, no error", () => {
  expect(() => new Refusals("DataLake", "etl-dev/Lake").throwIfAny()).not.toThrow();
});

test("a field with a placeholder has no other mistake", () => {
  const refusals = new Refusals("DataLake", "etl-dev/Lake");
  refusals.noteUnfilled([["account", "still holds a placeholder"]]);
  refusals.check(false, "account", "must have 12 digits");
  expect(() => refusals.throwIfAny()).toThrow(
    new Error("DataLake 'etl-dev/Lake': 'account' still holds a placeholder"),
  );
});

test.each([
  "<bucket>",
  "s3://<your bucket>/x",
  "${Bucket}",
  "prefix-${bucket}",
  "your-bucket",
  "Your_Company",
  "YOUR_BUCKET",
  "YOUR BUCKET",
  "CHANGE_ME",
  "changeme",
  "TODO",
  "REPLACE_WITH_ARN",
])("%s is a placeholder", (text) => {
  expect(placeholderMistake(text)).toBe(`still holds a placeholder, got ${JSON.stringify(text)}; fill it in`);
});

test.each([
  "",
  "events/",
  "**/.spark-staging-*/**",
  "Checks your data",
  "rows < 5 and > 3",
  "todo_items",
  "replace-partitions",
  "123456789012",
  "000000000000",
  "arn:aws:kms:eu-west-1:111122223333:key/a",
])("%j is not a placeholder", (text) => {
  expect(placeholderMistake(text)).toBeUndefined();
});

test("placeholders are found at any depth of plain data, and named by where they are", () => {
  class Brought {
    readonly name = "<role>";
  }
  const props = {
    name: "x",
    workers: 2,
    missing: undefined,
    role: new Brought(),
    target: { prefix: "<prefix>/" },
    exclusions: ["ok", "${Glob}"],
    token: "unknown ${to.us}",
  };
  expect(placeholderMistakes(props, (text) => !text.startsWith("unknown"))).toEqual([
    ["target.prefix", 'still holds a placeholder, got "<prefix>/"; fill it in'],
    ["exclusions[1]", 'still holds a placeholder, got "${Glob}"; fill it in'],
  ]);
});

test.each([
  ["eu-west-1", "000000000000"],
  ["us-gov-west-1", "111122223333"],
  ["ap-southeast-2", "000000000000"],
])("%s and %s are a place", (region, account) => {
  expect(placeMistakes({ region, account }, known)).toEqual([]);
});

test("an invalid place is refused, unless only Terraform knows it", () => {
  const nowhere = { account: "42", region: "Ireland" };
  expect(placeMistakes(nowhere, known)).toEqual([
    ["account", 'must be an AWS account id of 12 digits, got "42"'],
    ["region", 'must be an AWS region such as eu-west-1, got "Ireland"'],
  ]);
  expect(placeMistakes(nowhere, () => false)).toEqual([]);
});

test("a region of a partition that is not known here is refused", () => {
  expect(placeMistakes({ account: "000000000000", region: "us-iso-east-1" }, known)).toEqual([
    [
      "region",
      'must be a region of the partitions aws, aws-cn or aws-us-gov, got "us-iso-east-1", whose partition is not supported',
    ],
  ]);
});

test("a path is shown without the ids that no address holds", () => {
  const refusals = new Refusals("DataLake", "etl-dev/Default/Lake/Default");
  refusals.check(false, "account", "must not be empty");
  expect(() => refusals.throwIfAny()).toThrow("DataLake 'etl-dev/Lake': 'account' must not be empty");
  expect(shownPath("etl-dev/Defaults/Lake")).toBe("etl-dev/Defaults/Lake");
});
