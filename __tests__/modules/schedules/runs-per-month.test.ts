import { mostRunsPerMonth, runsPerMonth } from "../../../modules/schedules/runs-per-month";

test.each([
  ["cron(0 4 * * ? *)", 31],
  ["cron(0 4,16 * * ? *)", 62],
  // Five Mondays at most; 23 working days in the fullest month.
  ["cron(0 4 ? * MON *)", 5],
  ["cron(0 4 ? * MON-FRI *)", 23],
  ["cron(0 4 1 * ? *)", 1],
  ["rate(1 day)", 31],
  ["rate(7 hours)", 107],
  ["at(2026-01-01T04:00:00)", 1],
  ["every day", undefined],
])("%s starts at most %s runs in a month", (expression, runs) => {
  expect(mostRunsPerMonth(expression)).toBe(runs);
});

test.each([
  ["cron(0 4 * * ? *)", 30.4375],
  ["cron(0 4,16 1 * ? *)", 2],
  ["rate(1 day)", 30.4375],
  ["at(2026-01-01T04:00:00)", 0],
  ["every day", undefined],
])("%s starts %s runs in an average month", (expression, runs) => {
  expect(runsPerMonth(expression)).toBe(runs);
});
