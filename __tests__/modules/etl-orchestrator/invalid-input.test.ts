import { type Definition, type Json } from "../../../definition-checks/asl";
import { interpret } from "../../support/interpreter";
import { eventsProps, synthOrchestrator } from "../../support/orchestrator";

let definition: Definition;
beforeAll(() => {
  definition = synthOrchestrator(eventsProps()).definition("etl-dev-events");
});

/** Every service is silent, so an input that gets past the validation fails as `Unscripted` at the first call. */
const validate = (input: Json) => interpret({ definition, input, answers: {} });

const DATE = "must be a date of the calendar as YYYY-MM-DD from 1901 to 2099, got";
const PREFIX =
  "sourcePrefix must be relative and end in a slash, without a leading slash, empty or dotted parts, or a colon, got";
const MISSING = "runDate is missing: a daily run takes the delivery date as YYYY-MM-DD, got";
const UNKNOWN =
  "a field is unknown: a run takes runDate or scheduledTime, or mode with fromDate and toDate, and sourcePrefix, got";
const day = (runDate: Json): Json => ({ runDate });
const range = (fromDate: Json, toDate: Json): Json => ({ mode: "backfill", fromDate, toDate });
const prefix = (sourcePrefix: Json): Json => ({ runDate: "2010-12-01", sourcePrefix });

const INSTANT = "scheduledTime must be an instant in UTC as YYYY-MM-DDThh:mm:ssZ, got";
const at = (scheduledTime: Json): Json => ({ mode: "daily", scheduledTime });
const NO_INSTANTS: readonly Json[] = [
  ...["", "now", "<aws.scheduler.scheduled-time>", "2010-12-02", "2010-12-02T04:00Z", "2010-12-02T04:00:00"],
  ...[
    "2010-12-02T04:00:00.5Z",
    "2010-12-02T04:00:00,5Z",
    "2010-12-02T04:00:00+01:00",
    "2010-12-02 04:00:00Z",
  ],
  ...["2010-12-02T24:00:00Z", "2010-12-02T04:60:00Z", "2010-12-02T4:00:00Z", "2010-12-02T04:00:00ZZ"],
  ...["2010-12-02T04:00:00Z ", "2010-12-02TT04:00:00Z", "2010-12-02T04:00:00z"],
  ...[null, 7, {}, ["2010-12-02T04:00:00Z"]],
];

const NO_DATES = [
  ...[
    "",
    "yesterday",
    "2010-12",
    "2010-12-1",
    "10-12-01",
    "2010/12/01",
    "20101201",
    "2010-W48-3",
    "2010-335",
  ],
  ...["2010-12-01 ", " 2010-12-01", "2010-12-011", "2010-12-01T00:00:00Z", "2010-12-01-", "2010-12-01x"],
  ...["+2010-12-01", "-2010-12-01", "12010-12-01", "1900-12-31", "2100-01-01", "0000-01-01"],
  ...["2010-00-01", "2010-13-01", "2010-12-00", "2010-12-32", "2010-04-31", "2010-06-31", "2010-09-31"],
  ...["2010-11-31", "2010-02-30", "2012-02-30", "2010-02-31", "2010-02-29", "1999-02-29"],
];

describe("refused as InvalidInput, saying which field and what it got", () => {
  const table: [Json, string][] = [
    [{}, `${MISSING} {}`],
    ["2010-12-01", `${MISSING} "2010-12-01"`],
    [[], `${MISSING} []`],
    [{ mode: "daily" }, `${MISSING} {"mode":"daily"}`],
    [day(null), `runDate ${DATE} null`],
    [day(20101201), `runDate ${DATE} 20101201`],
    [day(["2010-12-01"]), `runDate ${DATE} ["2010-12-01"]`],
    ...NO_DATES.flatMap((date): [Json, string][] => [
      [day(date), `runDate ${DATE} ${JSON.stringify(date)}`],
      [range(date, "2010-12-03"), `fromDate ${DATE} ${JSON.stringify(date)}`],
      [range("2010-12-01", date), `toDate ${DATE} ${JSON.stringify(date)}`],
    ]),
    ...NO_INSTANTS.map((text): [Json, string] => [at(text), `${INSTANT} ${JSON.stringify(text)}`]),
    [at("2010-02-29T04:00:00Z"), `the date of scheduledTime ${DATE} "2010-02-29"`],
    [at("2100-01-01T04:00:00Z"), `the date of scheduledTime ${DATE} "2100-01-01"`],
    [
      { runDate: "2010-12-01", scheduledTime: "2010-12-02T04:00:00Z" },
      'runDate and scheduledTime say the same thing twice: a daily run takes one of them, got {"runDate":"2010-12-01","scheduledTime":"2010-12-02T04:00:00Z"}',
    ],
    [
      { mode: "backfill", scheduledTime: "2010-12-02T04:00:00Z" },
      'runDate and scheduledTime belong to mode daily; a backfill takes fromDate and toDate, got {"mode":"backfill","scheduledTime":"2010-12-02T04:00:00Z"}',
    ],
    [
      { scheduledTime: "2010-12-02T04:00:00Z", extra: 1 },
      `${UNKNOWN} {"scheduledTime":"2010-12-02T04:00:00Z","extra":1}`,
    ],
    [range("2010-12-32", "2010-12-03"), `fromDate ${DATE} "2010-12-32"`],
    [range("2010-12-01", "2010-02-29"), `toDate ${DATE} "2010-02-29"`],
    [range("2010-12-01", 3), `toDate ${DATE} 3`],
    [range("2010-12-03", "2010-12-01"), "fromDate must not be after toDate, got 2010-12-03 and 2010-12-01"],
    [range("2011-01-01", "2010-12-31"), "fromDate must not be after toDate, got 2011-01-01 and 2010-12-31"],
    [
      { mode: "backfill", fromDate: "2010-12-01" },
      'fromDate or toDate is missing: a backfill takes both as YYYY-MM-DD, got {"mode":"backfill","fromDate":"2010-12-01"}',
    ],
    [
      { mode: "backfill" },
      'fromDate or toDate is missing: a backfill takes both as YYYY-MM-DD, got {"mode":"backfill"}',
    ],
    [
      { mode: "backfill", runDate: "2010-12-01" },
      'runDate and scheduledTime belong to mode daily; a backfill takes fromDate and toDate, got {"mode":"backfill","runDate":"2010-12-01"}',
    ],
    [
      { runDate: "2010-12-01", toDate: "2010-12-01" },
      'fromDate and toDate belong to mode backfill; a daily run takes runDate, got {"runDate":"2010-12-01","toDate":"2010-12-01"}',
    ],
    ...(["Daily", "rebuild", "", 1, null, true] as Json[]).map((mode): [Json, string] => [
      { mode, runDate: "2010-12-01" },
      `mode must be daily or backfill, got ${JSON.stringify(mode)}`,
    ]),
    [
      { runDate: "2010-12-01", outputBucket: "mine" },
      `${UNKNOWN} {"runDate":"2010-12-01","outputBucket":"mine"}`,
    ],
    [
      { mode: "daily", runDate: "2010-12-01", sourcePrefix: "a/", extra: 1 },
      `${UNKNOWN} {"mode":"daily","runDate":"2010-12-01","sourcePrefix":"a/","extra":1}`,
    ],
    [
      { mode: "backfill", fromDate: "2010-12-01", toDate: "2010-12-01", extra: 1 },
      `${UNKNOWN} {"mode":"backfill","fromDate":"2010-12-01","toDate":"2010-12-01","extra":1}`,
    ],
    ...(
      [
        "",
        "/",
        "/a/",
        "a",
        "a/b",
        "../",
        "a/../b/",
        "a..b/",
        "./",
        "a/./b/",
        "a//b/",
        "s3://a/b/",
        7,
        null,
        {},
      ] as Json[]
    ).map((text): [Json, string] => [prefix(text), `${PREFIX} ${JSON.stringify(text)}`]),
  ];
  test.each(table)("%j", async (input, cause) => {
    const outcome = await validate(input);
    expect(outcome).toMatchObject({ status: "FAILED", error: "InvalidInput", cause });
    expect(outcome.path[0]).toBe("ValidateInput");
    expect(outcome.path.at(-1)).toBe("InvalidInput");
    expect(outcome.calls).toEqual([]);
  });
});

describe("accepted", () => {
  test.each<[Json]>([
    [day("2010-12-01")],
    [day("2012-02-29")],
    [day("2000-02-29")],
    [day("1901-01-01")],
    [day("2099-12-31")],
    [{ mode: "daily", runDate: "2010-12-01" }],
    [at("2010-12-02T04:00:00Z")],
    [at("2012-02-29T23:59:59Z")],
    [{ scheduledTime: "2010-12-02T00:00:00Z", sourcePrefix: "shop-a/" }],
    [range("2010-12-01", "2010-12-01")],
    [range("2010-12-31", "2011-01-01")],
    [prefix("shop-a/")],
    [prefix("shop=a/part.1/")],
    [{ mode: "daily", runDate: "2010-12-01", sourcePrefix: "a/" }],
    [{ mode: "backfill", fromDate: "2010-12-01", toDate: "2010-12-03", sourcePrefix: "a/" }],
  ])("%j", async (input) => {
    const outcome = await validate(input);
    expect(outcome.error).toBe("Unscripted");
    expect(outcome.path.at(-1)).toBe("AcquireLockTake");
  });
});
