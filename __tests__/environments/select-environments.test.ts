import { choosePipelines } from "../../environments/given-pipelines";
import {
  type EnvironmentData,
  ENVIRONMENTS,
  EnvironmentError,
  selectEnvironments,
} from "../../environments/registry";
import { sampleSubscribers } from "../../local/sample-place";

const SUBSCRIBERS = sampleSubscribers({});
const PLACE = { ETL_ACCOUNT_ID: "000000000000", ETL_REGION: "us-east-1", ...SUBSCRIBERS };

function select(
  variables: Record<string, string | undefined>,
  registry = ENVIRONMENTS,
  context: unknown = undefined,
) {
  return selectEnvironments({ variables, context }, registry);
}

function refusal(variables: Record<string, string | undefined>, registry = ENVIRONMENTS): string {
  try {
    select(variables, registry);
  } catch (error) {
    expect(error).toBeInstanceOf(EnvironmentError);
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

const withProd = (change: Partial<EnvironmentData>) => ({ prod: { ...ENVIRONMENTS.prod!, ...change } });
const withDev = (change: Partial<Record<keyof EnvironmentData, unknown>>) => ({
  dev: { ...ENVIRONMENTS.dev!, ...change } as EnvironmentData,
});

const withSchedule = (change: object) => {
  const { events, ...others } = ENVIRONMENTS.dev!.pipelines;
  return { pipelines: { ...others, events: { ...events!, schedule: { ...events!.schedule, ...change } } } };
};

describe("which environments", () => {
  test("all of them in the registry's order when nothing is asked for", () => {
    expect(select(PLACE).map(({ environment }) => environment)).toEqual(["dev", "staging", "prod"]);
  });

  test("only those asked for, in the registry's order whatever the order asked in", () => {
    const selected = select({ ...PLACE, ETL_ENVIRONMENTS: "prod, dev" });
    expect(selected.map(({ environment }) => environment)).toEqual(["dev", "prod"]);
  });

  test("an unknown name is refused with the known ones", () => {
    expect(refusal({ ...PLACE, ETL_ENVIRONMENTS: "dev,live" })).toBe(
      "ETL_ENVIRONMENTS: unknown environment 'live'; known are dev, staging, prod",
    );
  });
});

describe("where", () => {
  test("an environment's own variable wins over the general one, and a variable over the context", () => {
    const [dev, staging] = select(
      {
        ...SUBSCRIBERS,
        ETL_ENVIRONMENTS: "dev,staging",
        ETL_ACCOUNT_ID: "111111111111",
        ETL_DEV_ACCOUNT_ID: "222222222222",
      },
      ENVIRONMENTS,
      { region: "eu-west-1", staging: { region: "eu-central-1", accountId: "333333333333" } },
    );
    expect([dev!.accountId, dev!.region]).toEqual(["222222222222", "eu-west-1"]);
    expect([staging!.accountId, staging!.region]).toEqual(["111111111111", "eu-central-1"]);
  });

  test("without an account or a region each environment says what to set", () => {
    expect(refusal({ ...SUBSCRIBERS, ETL_ENVIRONMENTS: "staging" }).split("\n")).toEqual([
      "environment 'staging': 'accountId' is not set; set ETL_ACCOUNT_ID or ETL_STAGING_ACCOUNT_ID",
      "environment 'staging': 'region' is not set; set ETL_REGION or ETL_STAGING_REGION",
    ]);
  });
});

describe("the Glue version", () => {
  const versions = (variables: Record<string, string>, context?: unknown) =>
    select({ ...PLACE, ...variables }, ENVIRONMENTS, context).map(({ glueVersion }) => glueVersion);

  test("is 5.1 everywhere, and a variable or the context changes the one environment that it names", () => {
    expect(versions({})).toEqual(["5.1", "5.1", "5.1"]);
    expect(versions({ ETL_DEV_GLUE_VERSION: "6.0" })).toEqual(["6.0", "5.1", "5.1"]);
    expect(versions({ ETL_STAGING_GLUE_VERSION: "" }, { staging: { glueVersion: "6.0" } })).toEqual([
      "5.1",
      "6.0",
      "5.1",
    ]);
    expect(versions({ ETL_DEV_GLUE_VERSION: "5.1" }, { dev: { glueVersion: "6.0" } })[0]).toBe("5.1");
  });

  test("has no general variable, so that nothing reaches prod by the way", () => {
    expect(versions({ ETL_GLUE_VERSION: "6.0" }, { glueVersion: "6.0" })).toEqual(["5.1", "5.1", "5.1"]);
  });
});

describe("the pipelines", () => {
  const names = (variables: Record<string, string>, context?: unknown) =>
    select({ ...PLACE, ...variables }, ENVIRONMENTS, context).map(({ pipelines }) => Object.keys(pipelines));
  const all = ["events", "sales", "customers", "products", "mobile-users", "stg-price-lists"];

  test("are those of the file, and a variable or the context narrows those of the environment that it names", () => {
    expect(names({})).toEqual([all, all, all]);
    expect(names({ ETL_DEV_PIPELINES: "sales, events" })).toEqual([["events", "sales"], all, all]);
    expect(names({ ETL_DEV_PIPELINES: " " }, { prod: { pipelines: ["products"] } })).toEqual([
      all,
      all,
      ["products"],
    ]);
    expect(names({ ETL_DEV_PIPELINES: "sales" }, { dev: { pipelines: "events" } })[0]).toEqual(["sales"]);
  });

  test("that the environment does not have are refused with those that it has", () => {
    const pipelines = { ...ENVIRONMENTS.dev!.pipelines, products: undefined };
    const variables = { ...PLACE, ...SUBSCRIBERS, ETL_DEV_PIPELINES: "sale,products" };
    expect(refusal(variables, { dev: { ...ENVIRONMENTS.dev!, pipelines } }).split("\n")).toEqual([
      "environment 'dev': ETL_DEV_PIPELINES must name pipelines of the environment (events, sales, customers, mobile-users, shop, stg-customers, stg-products, stg-invoices, stg-invoice-lines, stg-price-lists), got \"sale\"; correct the spelling",
      "environment 'dev': ETL_DEV_PIPELINES must name pipelines of the environment (events, sales, customers, mobile-users, shop, stg-customers, stg-products, stg-invoices, stg-invoice-lines, stg-price-lists), got \"products\"; " +
        "give it settings in environments/dev.ts",
    ]);
  });

  test("are named once, without an empty entry", () => {
    const variables = { ...PLACE, ...SUBSCRIBERS, ETL_ENVIRONMENTS: "dev" };
    expect(refusal({ ...variables, ETL_DEV_PIPELINES: "events,," })).toBe(
      "environment 'dev': ETL_DEV_PIPELINES has an empty entry; remove the comma",
    );
    expect(names({ ETL_DEV_PIPELINES: "events,events" })[0]).toEqual(["events"]);
  });

  test("are at least one", () => {
    expect(refusal({ ...PLACE, ...SUBSCRIBERS }, withDev({ pipelines: {} }))).toBe(
      "environment 'dev': 'pipelines' must have at least one pipeline, got {}",
    );
  });
});

describe("who orchestrates", () => {
  const of = (variables: Record<string, string>, context?: unknown) =>
    select({ ...PLACE, ETL_ENVIRONMENTS: "dev", ...variables }, ENVIRONMENTS, context).map(({ pipelines }) =>
      Object.fromEntries(
        Object.entries(pipelines).map(([name, one]) => [
          name,
          (one as { orchestration?: string }).orchestration,
        ]),
      ),
    )[0];

  test("is Step Functions, and a variable or the context changes the pipelines that it names", () => {
    const [nothing, changed] = [
      of({}),
      of({ ETL_DEV_ORCHESTRATION: "sales:workflow, events:stepFunctions" }),
    ];
    expect(nothing).toEqual({
      events: undefined,
      sales: undefined,
      customers: undefined,
      products: undefined,
    });
    expect(changed).toEqual({ ...nothing, sales: "workflow", events: "stepFunctions" });
    expect(of({ ETL_DEV_ORCHESTRATION: "" }, { dev: { orchestration: ["sales:workflow"] } })).toEqual({
      ...nothing,
      sales: "workflow",
    });
  });

  test("is one of two words for a pipeline that is there", () => {
    const variables = { ...PLACE, ...SUBSCRIBERS, ETL_ENVIRONMENTS: "dev", ETL_DEV_PIPELINES: "sales" };
    const given = "sales:airflow,sales,sale:workflow,events:workflow:x";
    const source = "environment 'dev': ETL_DEV_ORCHESTRATION must";
    const form = `${source} be <pipeline>:<orchestration>, of stepFunctions or workflow, got`;
    expect(refusal({ ...variables, ETL_DEV_ORCHESTRATION: given }).split("\n")).toEqual([
      `${form} "sales:airflow"`,
      `${form} "sales"`,
      `${source} name pipelines of the environment (sales), got "sale"; correct the spelling`,
      `${form} "events:workflow:x"`,
    ]);
  });
});

describe("which pipelines files start", () => {
  const of = (variables: Record<string, string>, context?: unknown) =>
    select({ ...PLACE, ETL_ENVIRONMENTS: "dev", ...variables }, ENVIRONMENTS, context)[0]!.pipelines.events
      ?.arrival?.enabled;

  test("are off, and a variable or the context turns on those that it names", () => {
    expect(of({})).toBe(false);
    expect(of({ ETL_DEV_ARRIVAL: "events" })).toBe(true);
    expect(of({}, { dev: { arrival: ["events"] } })).toBe(true);
    // It may stay set while another pipeline is run.
    expect(of({ ETL_DEV_ARRIVAL: "events", ETL_DEV_PIPELINES: "sales" })).toBeUndefined();
  });

  test("have settings for it", () => {
    const variables = { ...PLACE, ...SUBSCRIBERS, ETL_ENVIRONMENTS: "dev", ETL_DEV_ARRIVAL: "events,sales" };
    expect(refusal(variables)).toBe(
      "environment 'dev': ETL_DEV_ARRIVAL must name pipelines whose settings say how files start them (events, stg-price-lists), " +
        "got \"sales\"; give it 'arrival' in environments/dev.ts, or correct the spelling",
    );
  });
});

describe("what a pipeline needs", () => {
  const registry = [{ name: "events" }, { name: "sales", needs: ["events", "products"] }];
  const chosen = (names: string) =>
    choosePipelines(
      "dev",
      { variables: { ETL_DEV_PIPELINES: names }, context: {} },
      ENVIRONMENTS.dev!,
      registry,
    ).mistakes;

  test("must be deployed with it", () => {
    expect(chosen("sales")).toEqual([
      "ETL_DEV_PIPELINES has 'sales', which needs 'events'; add that too",
      "ETL_DEV_PIPELINES has 'sales', which needs 'products'; add that too",
    ]);
    expect(chosen("sales,products,events")).toEqual([]);
    expect(chosen("products")).toEqual([]);
    expect(chosen("")).toEqual([]);
  });

  test("must have settings in the environment's file", () => {
    const { products, ...others } = ENVIRONMENTS.dev!.pipelines;
    expect(products).toBeDefined();
    expect(
      choosePipelines("dev", { variables: {}, context: {} }, { pipelines: others }, registry).mistakes,
    ).toEqual([
      "'pipelines.products' must be given, got nothing: 'sales' needs it; add it to environments/dev.ts",
    ]);
  });
});

describe("mistakes", () => {
  const byWorkflow = (change: object) => {
    const { events, ...others } = ENVIRONMENTS.dev!.pipelines;
    return { pipelines: { ...others, events: { ...events!, orchestration: "workflow", ...change } } };
  };
  const cases: readonly (readonly [change: Record<string, unknown>, message: string])[] = [
    [
      byWorkflow({
        runOverrides: { workers: 3, timeoutMinutes: 20 },
        schedule: {
          ...ENVIRONMENTS.dev!.pipelines.events!.schedule,
          timeZone: "Asia/Tokyo",
          start: "2030-01-01T00:00:00Z",
        },
      }),
      "environment 'dev': 'pipelines.events.runOverrides.workers' must be left out with orchestration 'workflow': a trigger changes " +
        "only the time-out of a job, got 3\n" +
        "environment 'dev': 'pipelines.events.schedule.start' must be left out with orchestration 'workflow': Glue's triggers have no " +
        'such instant, got "2030-01-01T00:00:00Z"\n' +
        "environment 'dev': 'pipelines.events.schedule.timeZone' must be UTC, because Glue's schedules are in UTC, got \"Asia/Tokyo\": " +
        "write cron(0 19 * * ? *), and leave it out",
    ],
    [
      { project: "/etl" },
      "environment 'dev': 'project' must be lower-case words of letters and digits joined by single hyphens, got \"/etl\"",
    ],
    [
      { project: "<your-project>" },
      "environment 'dev': 'project' still holds a placeholder; fill it in, got \"<your-project>\"",
    ],
    [
      { tags: { owner: "CHANGE_ME" } },
      "environment 'dev': 'tags.owner' still holds a placeholder; fill it in, got \"CHANGE_ME\"",
    ],
    [
      { subscriptions: { notifications: [{ protocol: "email", endpoint: "nobody" }], alerts: [] } },
      "environment 'dev': 'subscriptions.notifications.0.endpoint' must be an e-mail address, got \"nobody\"",
    ],
    [
      { scanLimitBytes: 1 },
      "environment 'dev': 'scanLimitBytes' must be at least 10485760 bytes (10 MiB), got 1",
    ],
    [
      { retainData: false, allowDataDestruction: false },
      "environment 'dev': 'retainData' must be true unless 'allowDataDestruction' is true as well, got false and false; " +
        "destroying data needs both",
    ],
    [
      withSchedule({ cron: "cron(0 24 31 2 * *)" }),
      "environment 'dev': 'pipelines.events.schedule.cron' must have 0 to 23 in hours, as a list, a range or a step, got \"24\"\n" +
        "environment 'dev': 'pipelines.events.schedule.cron' must have ? for exactly one of day of month and day of week, " +
        'got "31" and "*"',
    ],
    [
      withSchedule({ cron: "cron(0 4 31 2 ? *)" }),
      "environment 'dev': 'pipelines.events.schedule.cron' must fire at least once in UTC, " +
        'got "cron(0 4 31 2 ? *)", which never does',
    ],
    [
      withSchedule({ cron: "rate(1 day)" }),
      "environment 'dev': 'pipelines.events.schedule.cron' must be cron(…), got \"rate(1 day)\"",
    ],
    [
      withSchedule({ timeZone: "Europe/Berlyn", lagDays: -1, start: "2030" }),
      "environment 'dev': 'pipelines.events.schedule.lagDays' too small: expected number to be >=0, got -1\n" +
        "environment 'dev': 'pipelines.events.schedule.timeZone' must be a time zone of the IANA database such as " +
        'Europe/Berlin or UTC, got "Europe/Berlyn"\n' +
        "environment 'dev': 'pipelines.events.schedule.start' must be an instant as YYYY-MM-DDThh:mm:ssZ, got \"2030\"",
    ],
    [{ glueVersion: "4.0" }, "environment 'dev': 'glueVersion' must be 5.1 or 6.0, got \"4.0\""],
    [
      { workers: 3 },
      "environment 'dev': has unknown settings 'workers', got {\"workers\":3}; remove them or correct the spelling",
    ],
    [
      { project: "a-project-with-a-very-long-name" },
      "environment 'dev': 'project' is too long by 9 characters: bucket name " +
        "'a-project-with-a-very-long-name-dev-query-results-000000000000-us-east-1' would have 72, S3 allows 63; " +
        "shorten 'a-project-with-a-very-long-name'",
    ],
  ];

  test.each(cases)("%j", (change, message) => {
    expect(refusal({ ...PLACE, ETL_ENVIRONMENTS: "dev" }, withDev(change))).toBe(message);
  });

  test("a bad account and region are refused with what they got", () => {
    expect(
      refusal({ ETL_ENVIRONMENTS: "dev", ETL_ACCOUNT_ID: "123456789", ETL_REGION: "mars" }).split("\n"),
    ).toEqual([
      "environment 'dev': 'accountId' must be an AWS account id of 12 digits, got \"123456789\"",
      "environment 'dev': 'region' must be an AWS region such as eu-west-1, got \"mars\"",
    ]);
  });

  test("production is never destructive, whichever key is turned", () => {
    for (const change of [
      { retainData: false },
      { allowDataDestruction: true },
      { retainData: false, allowDataDestruction: true },
    ]) {
      expect(refusal({ ...PLACE, ETL_ENVIRONMENTS: "prod" }, withProd(change))).toMatch(
        /^environment 'prod': 'retainData' must be true and 'allowDataDestruction' false in prod/,
      );
    }
  });

  test("all mistakes of all selected environments come at once", () => {
    const registry = {
      ...withDev({ logRetentionDays: 31, scanLimitBytes: 5 }),
      ...withProd({ retainData: false }),
    };
    const lines = refusal({ ...PLACE, ETL_ENVIRONMENTS: "dev,prod,nowhere" }, registry).split("\n");
    expect(lines.map((line) => line.slice(0, 48))).toEqual([
      "ETL_ENVIRONMENTS: unknown environment 'nowhere';",
      expect.stringContaining("environment 'dev': 'logRetentionDays' must be on"),
      expect.stringContaining("environment 'dev': 'scanLimitBytes' must be at l"),
      expect.stringContaining("environment 'prod': 'retainData' must be true an"),
    ]);
  });
});

test("as shipped: four in the morning for the delivery of the day before, off in dev alone", () => {
  const daily = { cron: "cron(0 4 * * ? *)", timeZone: "UTC", lagDays: 1 };
  expect(
    select(PLACE).map(({ environment, pipelines }) => [environment, pipelines.events!.schedule]),
  ).toEqual([
    ["dev", { ...daily, enabled: false }],
    ["staging", { ...daily, enabled: true }],
    ["prod", { ...daily, enabled: true }],
  ]);
});
