import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ENVIRONMENTS } from "../../environments/registry";
import { settingsMistakes } from "../../environments/settings";
import { RUNBOOK_PAGES } from "../../modules/core/runbook";
import { type Block, settingsOf, type StackJson, synthEnvironment } from "../support/environment-stacks";
import { PIPELINES } from "../support/pipelines";

/** The messages and alarms of the environments as the app synthesises them, and the pages that messages lead to. */

const ROOT = join(__dirname, "..", "..");
const RUNBOOK = join(ROOT, "docs", "runbook");
const NAMES = Object.keys(ENVIRONMENTS);
const STACKS = new Map(NAMES.map((name) => [name, synthEnvironment(settingsOf(name))]));
const stack = (environment: string): StackJson => STACKS.get(environment)!;
const all = ({ resource }: StackJson, type: string): Block[] => Object.values(resource[type] ?? {});
const alarms = (json: StackJson): Block[] => [
  ...all(json, "aws_cloudwatch_metric_alarm"),
  ...all(json, "aws_cloudwatch_composite_alarm"),
];
const topic = ({ resource }: StackJson, name: string): string =>
  `\${aws_sns_topic.${Object.entries(resource.aws_sns_topic!).find(([, block]) => block.name === name)![0]}.arn}`;

describe.each(NAMES)("%s", (environment) => {
  const json = stack(environment);
  const alerts = topic(json, `etl-${environment}-alerts`);

  test("every alarm tells the alerts topic, by itself or by a composite that does", () => {
    const composites = all(json, "aws_cloudwatch_composite_alarm");
    expect(alarms(json).length).toBeGreaterThanOrEqual(10 * PIPELINES.length);
    for (const alarm of alarms(json)) {
      const speakers = [
        alarm,
        ...composites.filter(({ alarm_rule: rule }) =>
          (rule as string).includes(`"${alarm.alarm_name as string}"`),
        ),
      ].filter(({ alarm_actions: actions }) => (actions as string[] | undefined)?.includes(alerts));
      expect([alarm.alarm_name, speakers.length]).toEqual([alarm.alarm_name, 1]);
    }
  });

  test("every text names pipeline and environment, and leads to a page that is there", () => {
    const pages = readdirSync(RUNBOOK);
    for (const { alarm_description: text } of alarms(json)) {
      const named = new RegExp(`^Pipeline (${PIPELINES.join("|")}), environment ${environment}: `);
      expect(text).toMatch(named);
      expect(pages).toContain(/docs\/runbook\/([a-z-]+\.md)$/.exec(text as string)?.[1]);
    }
  });

  test("every failure message leads to a page that is there", () => {
    const templates = all(json, "aws_cloudwatch_event_target")
      .map(({ input_transformer: transformer }) => (transformer as { input_template: string }).input_template)
      // The messenger's own failure hands on what it was given, which names the page.
      .filter((template) => !template.includes('"input": <input>'));
    expect(templates).toHaveLength(4 * PIPELINES.length);
    for (const template of templates)
      expect(readdirSync(RUNBOOK)).toContain(/"runbook": "docs\/runbook\/([a-z-]+\.md)"/.exec(template)?.[1]);
  });

  test("a missed run is reported where the schedule is on, dead letters wherever there is a queue", () => {
    const names = alarms(json).map(({ alarm_name: name }) => name as string);
    for (const pipeline of PIPELINES) {
      expect(names.includes(`etl-${environment}-${pipeline}-missed-run`)).toBe(environment !== "dev");
      expect(names).toContain(`etl-${environment}-${pipeline}-dead-letters`);
    }
  });

  test("messages are sent, except of dev", () => {
    for (const { actions_enabled: enabled } of alarms(json)) expect(enabled).toBe(environment !== "dev");
  });
});

test("a schedule that pauses longer than CloudWatch looks back is refused with that reason, unless nobody watches", () => {
  const settings = settingsOf("staging");
  const weekly = (missedRunGraceMinutes: number | undefined) => {
    const events = settings.pipelines.events!;
    return synthEnvironment({
      ...settings,
      pipelines: {
        ...settings.pipelines,
        events: {
          ...events,
          schedule: { ...events.schedule, cron: "cron(0 4 ? * MON *)" },
          alarms: { ...events.alarms, missedRunGraceMinutes },
        },
      },
    });
  };
  expect(() => weekly(120)).toThrow(
    "PipelineAlarms 'etl-staging/Events/Alarms': 'missedRun' must be at most 10080 minutes together, got 10080 + 120: " +
      "CloudWatch looks back at most seven days",
  );
  expect(alarms(weekly(undefined)).map(({ alarm_name: name }) => name)).not.toContain(
    "etl-staging-events-missed-run",
  );
});

describe("subscriptions", () => {
  const subscriptions = {
    notifications: [
      { protocol: "email" as const, endpoint: "team@example.com" },
      { protocol: "sqs" as const, endpoint: "arn:aws:sqs:us-east-1:000000000000:runs" },
    ],
    alerts: [
      { protocol: "email" as const, endpoint: "team@example.com" },
      { protocol: "https" as const, endpoint: "https://pager.example.com/hooks/etl" },
    ],
  };

  const told = (one: object, topicArn: string): unknown =>
    expect.objectContaining({ ...one, topic_arn: topicArn });

  test("are data, each of its topic; an address of the notifications keeps its place", () => {
    const json = synthEnvironment(settingsOf("dev", { subscriptions }));
    const notifications = topic(json, "etl-dev-notifications");
    const alerts = topic(json, "etl-dev-alerts");
    // The first is where it was when there were only e-mail addresses: elsewhere everybody would have to confirm again.
    expect(json.resource.aws_sns_topic_subscription).toEqual({
      "Email-teamexamplecom": told(subscriptions.notifications[0]!, notifications),
      "Notifications-sqs-arnawssqsus-east-1000000000000runs": told(
        subscriptions.notifications[1]!,
        notifications,
      ),
      "Alerts-email-teamexamplecom": told(subscriptions.alerts[0]!, alerts),
      "Alerts-https-https----pagerexamplecom--hooks--etl": told(subscriptions.alerts[1]!, alerts),
    });
  });

  test.each([
    [{ protocol: "email", endpoint: "nobody" }, "endpoint' must be an e-mail address"],
    [{ protocol: "https", endpoint: "http://pager.example.com" }, "endpoint' must be an https address"],
    [{ protocol: "sqs", endpoint: "runs" }, "endpoint' must be the ARN of a standard queue"],
    [{ protocol: "email", endpoint: "<address>@example.com" }, "endpoint' still holds a placeholder"],
    [{ protocol: "lambda", endpoint: "page" }, "endpoint' must be the ARN of a function"],
    [{ protocol: "fax", endpoint: "1" }, "protocol' must be email, https, sqs or lambda"],
  ])("that cannot be are refused: %j", (one, message) => {
    const settings = { ...settingsOf("dev"), subscriptions: { notifications: [], alerts: [one] } };
    expect(settingsMistakes(settings as never)).toEqual([
      expect.stringContaining(`'subscriptions.alerts.0.${message}`),
    ]);
  });

  test("of the same twice are refused", () => {
    const twice = { ...subscriptions, alerts: [subscriptions.alerts[0]!, subscriptions.alerts[0]!] };
    expect(settingsMistakes({ ...settingsOf("dev"), subscriptions: twice })).toEqual([
      expect.stringContaining("'subscriptions.alerts' must not name anybody twice"),
    ]);
  });
});

describe("the runbook", () => {
  const page = (name: string): string => readFileSync(join(RUNBOOK, `${name}.md`), "utf8");

  test("has a page for everything that messages lead to, and its index names each", () => {
    const pages = readdirSync(RUNBOOK).filter((name) => name !== "README.md");
    expect(pages.sort()).toEqual(RUNBOOK_PAGES.map((name) => `${name}.md`));
    for (const name of pages) expect(page("README")).toContain(`(${name})`);
  });

  test.each(RUNBOOK_PAGES)("%s says what it means, where to look, what to do and whom to wake", (name) => {
    const headings = page(name)
      .replace(/```sh\n[^]*?```/g, "")
      .match(/^##? .+$/gm);
    expect(headings).toEqual([
      expect.stringMatching(/^# /),
      "## Look here first",
      "## What to do",
      "## Whom to wake",
    ]);
    expect(page(name)).toMatch(/```sh\n/);
  });

  test("its links lead somewhere", () => {
    for (const name of [...RUNBOOK_PAGES, "README"])
      for (const [, link] of page(name).matchAll(/\]\(([a-z-]+\.md)\)/g))
        expect(readdirSync(RUNBOOK)).toContain(link);
  });

  test("at an address of its own, messages link to it", () => {
    const runbookUrl = "https://wiki.example.com/etl/";
    for (const { alarm_description: text } of alarms(synthEnvironment(settingsOf("dev", { runbookUrl }))))
      expect(text).toMatch(/ Runbook: https:\/\/wiki\.example\.com\/etl\/[a-z-]+\.md$/);
  });

  test.each([
    ["https://github.com/<owner>/<repository>/blob/main/docs/runbook/", "still holds a placeholder"],
    ["docs/runbook/", "must be the https address of the folder docs/runbook"],
  ])("at %s is refused", (runbookUrl, message) => {
    expect(settingsMistakes({ ...settingsOf("dev"), runbookUrl })).toEqual([
      expect.stringContaining(`'runbookUrl' ${message}`),
    ]);
  });
});

/** Real days hold many lines without a user, which go to the quarantine: no day of the sample may cross the shipped share. */
test("a usual day crosses no shipped threshold of rows", () => {
  const folder = join(ROOT, "pipelines", "events", "sample");
  const days = readdirSync(folder).map((day) =>
    readFileSync(join(folder, day, "events.json"), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as { user_id?: string }),
  );
  expect(days.length).toBeGreaterThanOrEqual(3);
  for (const environment of NAMES) {
    const { quarantineSharePercent, minimumRows } = settingsOf(environment).pipelines.events!.alarms;
    for (const rows of days) {
      const without = rows.filter(({ user_id: user }) => user === undefined || user === null || user === "");
      expect((100 * without.length) / rows.length).toBeLessThan(quarantineSharePercent);
      expect(rows.length - without.length).toBeGreaterThan(minimumRows);
    }
  }
});
