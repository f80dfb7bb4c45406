import { assert, constantFrom, property, record, subarray } from "fast-check";
import { longestGapMinutes } from "../../../modules/schedules/longest-gap";

const HOUR = 60;
const DAY = 24 * HOUR;

test.each<[expression: string, timeZone: string, minutes: number]>([
  ["cron(0 4 * * ? *)", "UTC", DAY],
  // The day on which the clock goes back has 25 hours; 04:00 is after the change, so the night before it is the long one.
  ["cron(0 4 * * ? *)", "Europe/Berlin", DAY + HOUR],
  ["cron(0 4 * * ? *)", "America/Los_Angeles", DAY + HOUR],
  ["cron(0 4 * * ? *)", "Asia/Kolkata", DAY],
  // A change of half an hour.
  ["cron(0 4 * * ? *)", "Australia/Lord_Howe", DAY + HOUR / 2],
  // 02:30 is skipped in spring: two days, one of 23 hours.
  ["cron(30 2 * * ? *)", "Europe/Berlin", 2 * DAY - HOUR],
  // The hour that comes twice is run once.
  ["cron(0 * * * ? *)", "Europe/Berlin", 2 * HOUR],
  ["cron(0/5 * * * ? *)", "UTC", 5],
  ["cron(0 4,16 * * ? *)", "UTC", 12 * HOUR],
  ["cron(10 4,6 * * ? *)", "UTC", 22 * HOUR],
  ["cron(0 6 ? * MON-FRI *)", "UTC", 3 * DAY],
  ["cron(0 6 ? * 2-6 *)", "America/Los_Angeles", 3 * DAY + HOUR],
  ["cron(0 6 ? * SAT *)", "UTC", 7 * DAY],
  ["cron(0 6 ? * L *)", "UTC", 7 * DAY],
  ["cron(0 0 1 * ? *)", "UTC", 31 * DAY],
  ["cron(0 0 L * ? *)", "UTC", 31 * DAY],
  ["cron(0 0 L-2 * ? *)", "UTC", 31 * DAY],
  ["cron(0 0 31 * ? *)", "UTC", 61 * DAY],
  ["cron(0 0 1 JAN,JUL ? *)", "UTC", 184 * DAY],
  ["cron(0 0 ? * 2#1 *)", "UTC", 35 * DAY],
  ["cron(0 0 ? * 6L *)", "UTC", 35 * DAY],
  ["cron(0 0 1W * ? *)", "UTC", 33 * DAY],
  ["cron(0 0 LW * ? *)", "UTC", 33 * DAY],
  ["cron(0 0 29 2 ? *)", "UTC", (4 * 365 + 1) * DAY],
  ["cron(0 4 1 1 ? 2026)", "UTC", 0],
  ["cron(0 4 1 1 ? 2026/2)", "UTC", 731 * DAY],
  ["rate(5 minutes)", "UTC", 5],
  ["rate(1 hour)", "UTC", HOUR],
  ["rate(2 days)", "Europe/Berlin", 2 * DAY],
  ["at(2026-06-01T04:00:00)", "Europe/Berlin", 0],
])("%s in %s is silent for at most %d minutes", (expression, timeZone, minutes) => {
  expect(longestGapMinutes(expression, timeZone)).toBe(minutes);
});

test("a start leaves out what lies before it", () => {
  const yearly = "cron(0 4 1 1 ? 2026,2029,2030)";
  expect(longestGapMinutes(yearly, "UTC")).toBe(1_096 * DAY);
  expect(longestGapMinutes(yearly, "UTC", "2027-01-01T00:00:00Z")).toBe(365 * DAY);
});

test.each<[expression: string, message: string]>([
  ["0 4 * * ? *", "must be cron("],
  ["cron(0 4 * * ?)", "must have six fields (minutes, hours, day of month, month, day of week, year), got 5"],
  ["cron(0 24 * * ? *)", 'must have 0 to 23 in hours, as a list, a range or a step, got "24"'],
  ["cron(0 4 0 * ? *)", "must have 1 to 31 in day of month"],
  ["cron(0 4 ? * 0 *)", "must have 1 to 7 or SUN to SAT in day of week"],
  ["cron(0 4 ? * MON#6 *)", "must have 1 to 7 or SUN to SAT in day of week"],
  ["cron(0 4 ? * 2#1,3#1 *)", "must have 1 to 7 or SUN to SAT in day of week"],
  ["cron(0 4 * * ? 1969)", "must have 1970 to 2199 in year"],
  ["cron(9-5 4 * * ? *)", 'must have 0 to 59 in minutes, as a list, a range or a step, got "9-5"'],
  ["cron(0/0 4 * * ? *)", "must have 0 to 59 in minutes"],
  ["cron(0, 4 * * ? *)", "must have 0 to 59 in minutes"],
  ["cron(0 4 ? * ? *)", 'must have ? for exactly one of day of month and day of week, got "?" and "?"'],
  ["rate(0 minutes)", "must be a rate of a whole number and minutes, hours or days"],
  ["rate(5 weeks)", "must be a rate of a whole number and minutes, hours or days"],
  ["at(2026-02-30T04:00:00)", "must be a time as at(yyyy-mm-ddThh:mm:ss)"],
  // The clock goes from 2 to 3.
  ["at(2026-03-29T02:30:00)", "must fire at least once in Europe/Berlin"],
  ["cron(0 4 30 2 ? *)", "must fire at least once in Europe/Berlin"],
])("%s is refused: %s", (expression, message) => {
  expect(() => longestGapMinutes(expression, "Europe/Berlin")).toThrow(`the schedule ${message}`);
});

test.each(["", "Europe/Berlyn", "+01:00", "CET-1"])("the zone %j is refused", (timeZone) => {
  expect(() => longestGapMinutes("rate(1 day)", timeZone)).toThrow(
    "must be a time zone of the IANA database",
  );
});

test("as a clock on the wall that is watched for a year says", () => {
  const schedules = record({
    timeZone: constantFrom("Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "America/Santiago"),
    minutes: subarray([0, 30], { minLength: 1 }),
    hours: subarray(
      Array.from({ length: 24 }, (_, hour) => hour),
      { minLength: 1, maxLength: 6 },
    ),
    weekdays: subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
    // A leap year and two others that begin on different weekdays; a year takes long to watch.
    year: constantFrom(2024, 2026, 2029),
  });
  assert(
    property(schedules, ({ timeZone, minutes, hours, weekdays, year }) => {
      const expression = `cron(${minutes.join()} ${hours.join()} ? * ${weekdays.join()} ${year})`;
      const seen = watched(timeZone, year).filter(
        ({ minute, hour, weekday }) =>
          minutes.includes(minute) && hours.includes(hour) && weekdays.includes(weekday),
      );
      const gaps = seen.slice(1).map(({ instant }, index) => instant - seen[index]!.instant);
      expect(longestGapMinutes(expression, timeZone)).toBe(Math.max(0, ...gaps));
    }),
    { numRuns: 60 },
  );
});

interface Shown {
  readonly instant: number;
  readonly minute: number;
  readonly hour: number;
  readonly weekday: number;
}

const watchedBefore = new Map<string, readonly Shown[]>();

/** The times of a clock at each half hour of a year, without repeats. */
function watched(timeZone: string, year: number): readonly Shown[] {
  const key = `${timeZone} ${year}`;
  const before = watchedBefore.get(key);
  if (before) return before;
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  const texts = new Set<string>();
  const shown: Shown[] = [];
  for (let at = Date.UTC(year - 1, 11, 30); at < Date.UTC(year + 1, 0, 3); at += 30 * 60_000) {
    const text = clock.format(at);
    if (!text.startsWith(String(year)) || texts.has(text)) continue;
    texts.add(text);
    const [date = "", time = ""] = text.split(" ");
    const [hour, minute] = time.split(":").map(Number) as [number, number];
    shown.push({
      instant: at / 60_000,
      minute,
      hour,
      weekday: new Date(`${date}T00:00:00Z`).getUTCDay() + 1,
    });
  }
  watchedBefore.set(key, shown);
  return shown;
}
