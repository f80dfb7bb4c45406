import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import {
  type Deployment,
  type EnvironmentData,
  ENVIRONMENTS,
  selectEnvironments,
} from "../../environments/registry";
import type { EtlStack } from "../../environments/etl-stack";
import { type EnvironmentSettings } from "../../environments/settings";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";

/** Somebody subscribes to every environment whose alarms act or whose schedules run. */

const PLACE = { ETL_ACCOUNT_ID: "000000000000", ETL_REGION: "us-east-1" };
const NOBODY = { notifications: [], alerts: [] };
const email = (endpoint: string) => ({ protocol: "email" as const, endpoint });

function select(
  variables: Record<string, string>,
  { context, ...more }: Partial<Deployment> = {},
  registry: Readonly<Record<string, EnvironmentData>> = { prod: ENVIRONMENTS.prod! },
) {
  return selectEnvironments({ variables: { ...PLACE, ...variables }, context, ...more }, registry);
}

function mistakesOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    return (error as Error).message.split("\n");
  }
  return [];
}

const silent = (topic: string, environment = "prod"): string =>
  `environment '${environment}': 'subscriptions.${topic}' must have at least one subscriber, got none: alarms act or schedules run, ` +
  `and SNS drops messages that nobody subscribes to; set ETL_${environment.toUpperCase()}_${topic.toUpperCase()} (e-mail addresses, https addresses, ` +
  `ARNs of queues or functions, separated by commas), the context 'etl.${environment}.${topic}', or 'subscriptions.${topic}' ` +
  `in environments/${environment}.ts`;

test("as shipped, staging and prod name nobody and do not synthesise; dev is silent and does", () => {
  expect(mistakesOf(() => select({}, {}, ENVIRONMENTS))).toEqual(
    ["staging", "prod"].flatMap((name) => ["notifications", "alerts"].map((topic) => silent(topic, name))),
  );
});

test("each topic by itself", () => {
  expect(mistakesOf(() => select({ ETL_PROD_ALERTS: "a@example.com" }))).toEqual([silent("notifications")]);
  expect(mistakesOf(() => select({ ETL_PROD_NOTIFICATIONS: "a@example.com" }))).toEqual([silent("alerts")]);
});

/** prod with every alarm and schedule off but what is turned on. */
function quietBut(pipeline: string, change: { actionsEnabled?: boolean; enabled?: boolean }) {
  const { pipelines } = ENVIRONMENTS.prod!;
  const entries = Object.entries(pipelines).map(([name, settings]) => {
    const { actionsEnabled = false, enabled = false } = name === pipeline ? change : {};
    return [
      name,
      {
        ...settings,
        alarms: { ...settings.alarms, actionsEnabled },
        schedule: { ...settings.schedule, enabled },
      },
    ];
  });
  const quiet = Object.fromEntries(entries) as EnvironmentData["pipelines"];
  return { prod: { ...ENVIRONMENTS.prod!, pipelines: quiet } };
}

test.each<[string, { actionsEnabled?: boolean; enabled?: boolean }, number]>([
  ["nothing", {}, 0],
  ["an alarm that acts", { actionsEnabled: true }, 2],
  ["a schedule that runs", { enabled: true }, 2],
])("with %s in one pipeline alone", (_, change, mistakes) => {
  expect(mistakesOf(() => select({}, {}, quietBut("products", change)))).toHaveLength(mistakes);
});

describe("the three ways", () => {
  const alerts = (variables: Record<string, string>, context?: unknown, of: Partial<EnvironmentData> = {}) =>
    select(
      { ETL_PROD_NOTIFICATIONS: "n@example.com", ...variables },
      { context },
      {
        prod: { ...ENVIRONMENTS.prod!, ...of },
      },
    )[0]!.subscriptions.alerts;

  test("a variable, in every form", () => {
    const queue = "arn:aws:sqs:eu-west-1:000000000000:alerts";
    const alias = "arn:aws:lambda:eu-west-1:000000000000:function:page:live";
    expect(
      alerts({ ETL_PROD_ALERTS: `a@example.com, https://pager.example.com/hooks?x=1 ,${queue},${alias}` }),
    ).toEqual([
      email("a@example.com"),
      { protocol: "https", endpoint: "https://pager.example.com/hooks?x=1" },
      { protocol: "sqs", endpoint: queue },
      { protocol: "lambda", endpoint: alias },
    ]);
  });

  test("settings, the context as a text and as a list, and a general one; the more specific wins", () => {
    const file = { subscriptions: { notifications: [], alerts: [email("file@example.com")] } };
    const context = (alerts: unknown) => ({ prod: { alerts }, alerts: "all-context@example.com" });
    const found = [
      alerts({}, undefined, file),
      alerts({}, { alerts: "all-context@example.com" }, file),
      alerts({}, context("a@example.com,b@example.com"), file),
      alerts({}, context(["c@example.com"]), file),
      alerts({ ETL_ALERTS: "all@example.com" }, context("a@example.com"), file),
      alerts(
        { ETL_ALERTS: "all@example.com", ETL_PROD_ALERTS: "own@example.com" },
        context("a@example.com"),
        file,
      ),
      alerts({ ETL_ALERTS: "", ETL_PROD_ALERTS: " " }, undefined, file),
    ].map((all) => all.map(({ endpoint }) => endpoint.replace("@example.com", "")).join(" "));
    expect(found).toEqual(["file", "all-context", "a b", "c", "all", "own", "file"]);
  });

  test("another environment's variable reaches nothing", () => {
    const dev = select({ ETL_PROD_ALERTS: "a@example.com" }, {}, { dev: ENVIRONMENTS.dev! })[0]!;
    expect(dev.subscriptions).toEqual(NOBODY);
  });
});

test("every bad entry is reported at once, without the message that nobody is named", () => {
  const firehose = "arn:aws:firehose:eu-west-1:000000000000:deliverystream/x";
  const bad = [
    "ops",
    "http://x.example.com",
    "",
    firehose,
    "arn:aws:sqs:eu-west-1:000000000000:a.fifo",
    "<you>@example.com",
  ];
  const ways = "an e-mail address, an https address, or the ARN of a standard queue or of a function";
  const variables = {
    ETL_PROD_ALERTS: [...bad, "a@example.com", "a@example.com"].join(","),
    ETL_PROD_NOTIFICATIONS: "+4915112345678",
  };
  const of = "environment 'prod': ETL_PROD_ALERTS";
  expect(mistakesOf(() => select(variables))).toEqual([
    `environment 'prod': ETL_PROD_NOTIFICATIONS must name ${ways}, got "+4915112345678"`,
    `${of} must name ${ways}, got "ops"`,
    `${of} must name ${ways}, got "http://x.example.com"`,
    `${of} has nothing in place 3; take the comma away`,
    `${of} must name ${ways}, got "${firehose}"`,
    `${of} must name ${ways}, got "arn:aws:sqs:eu-west-1:000000000000:a.fifo"`,
    `${of} must name ${ways}, got "<you>@example.com"`,
    `${of} names "a@example.com" twice; take one away`,
  ]);
});

test("a context of another type than text or a list of texts is reported", () => {
  const context = { prod: { alerts: { protocol: "email" }, notifications: [7] } };
  expect(mistakesOf(() => select({}, { context }))).toEqual([
    expect.stringContaining("context 'etl.prod.notifications' must name an e-mail address"),
    expect.stringContaining(`context 'etl.prod.alerts' must name an e-mail address`),
  ]);
});

test("the bucket of the state needs nobody", () => {
  expect(select({}, { hasPipelines: false })[0]!.subscriptions).toEqual(NOBODY);
});

describe("a finished stack", () => {
  const build = (settings: EnvironmentSettings, alter?: (stack: EtlStack) => void) =>
    mistakesOf(() => synthEnvironment(settings, alter));

  test("of settings that passed no check", () => {
    const settings = { ...settingsOf("prod"), subscriptions: NOBODY };
    expect(build(settings)).toEqual([silent("notifications"), silent("alerts")]);
  });

  test("whose subscription was taken out", () => {
    const alter = (stack: EtlStack) => {
      const { node: platform } = stack.platform;
      const subscription = platform.children.find(({ node }) => node.id.startsWith("Alerts-email-"));
      platform.tryRemoveChild(subscription!.node.id);
    };
    expect(build(settingsOf("prod"), alter)).toEqual([silent("alerts")]);
  });

  test("of dev, whose alarm an override makes act", () => {
    const alter = (stack: EtlStack) => {
      const [alarm] = stack.node.findAll().filter((child) => child instanceof CloudwatchMetricAlarm);
      alarm!.addOverride("actions_enabled", true);
    };
    expect(build(settingsOf("dev"))).toEqual([]);
    expect(build(settingsOf("dev"), alter)).toEqual([
      silent("notifications", "dev"),
      silent("alerts", "dev"),
    ]);
  });
});
