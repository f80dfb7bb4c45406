import { parseExpression } from "../../../modules/schedules/schedule-expression";
import { offsetAt } from "../../../modules/schedules/time-zone";
import { cronInUtc, offsetsOf, shortestGapMinutes } from "../../../modules/schedules/utc-cron";

test.each([
  ["UTC", [0]],
  ["Asia/Kolkata", [330]],
  ["America/Los_Angeles", [-480, -420]],
  ["Europe/Berlin", [60, 120]],
  ["Australia/Lord_Howe", [660, 630]],
])("the clock of %s is before UTC by %j minutes", (zone, offsets) => {
  expect(offsetsOf(zone)).toEqual(offsets);
});

test.each<[string, number, string | undefined]>([
  ["cron(0 6 * * ? *)", -480, "cron(0 14 * * ? *)"],
  ["cron(0 6,18 * * ? *)", -480, "cron(0 2,14 * * ? *)"],
  ["cron(0 1 * * ? *)", 330, "cron(30 19 * * ? *)"],
  ["cron(15 4 ? * MON-FRI *)", 60, "cron(15 3 ? * MON-FRI *)"],
  ["cron(0 22 ? * * *)", -480, "cron(0 6 ? * * *)"],
  // Another day in UTC, and the expression names days.
  ["cron(0 1 ? * MON *)", 540, undefined],
  ["cron(0 22 1 * ? *)", -480, undefined],
  ["cron(0 1 * * ? 2027)", 540, undefined],
  // No list of numbers.
  ["cron(0/5 6 * * ? *)", 60, undefined],
  ["cron(0 6-8 * * ? *)", 60, undefined],
  ["cron(0 6 * * ?)", 60, undefined],
  ["rate(1 day)", 60, undefined],
])("%s with %s minutes before UTC is %s", (expression, offset, expected) => {
  expect(cronInUtc(expression, offset)).toBe(expected);
});

test("an expression in UTC starts at the same instants as the zone's own", () => {
  for (const zone of ["Asia/Kolkata", "Asia/Tokyo", "America/Phoenix", "Pacific/Marquesas"]) {
    for (const [hour, minute] of [
      [0, 0],
      [5, 45],
      [23, 59],
    ] as const) {
      const local = hour * 60 + minute;
      const inUtc = cronInUtc(`cron(${minute} ${hour} * * ? *)`, offsetAt(zone, 0))!;
      const { expression } = parseExpression(inUtc);
      const [utc] = expression?.kind === "cron" ? expression.cron.minutesOfDay : [];
      expect([zone, (utc! + offsetAt(zone, 0) + 2 * 1_440) % 1_440]).toEqual([zone, local]);
    }
  }
});

test.each<[string, number | undefined]>([
  ["cron(0 6 * * ? *)", undefined],
  ["cron(0/5 * * * ? *)", 5],
  ["cron(0/7 * * * ? *)", 4],
  ["cron(0,58 * * * ? *)", 2],
  ["cron(0 6,18 * * ? *)", 720],
  ["rate(1 minute)", undefined],
])("%s has at least %s minutes between two starts", (expression, minutes) => {
  expect(shortestGapMinutes(expression)).toBe(minutes);
});
