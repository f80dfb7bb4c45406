import { entriesOf, variableOf } from "./given";
import { type Subscriptions, type Subscription, subscriptionsSchema } from "./alert-settings";

/** Reads subscribers from text, and checks that each topic has one. */

export type Topic = keyof Subscriptions;
export const TOPICS: readonly Topic[] = ["notifications", "alerts"];

/** The endpoints that a text may name: SNS accepts these without a role or a platform application. */
const WAYS = "an e-mail address, an https address, or the ARN of a standard queue or of a function";

/**
 * The subscribers of a text that separates them by commas, or of a list.
 *
 * @param source whose text it is, e.g. `ETL_PROD_ALERTS`
 */
export function subscribersOf(
  given: unknown,
  source: string,
): { readonly subscribers: readonly Subscription[]; readonly mistakes: readonly string[] } {
  const trimmed = entriesOf(given);
  const subscribers = trimmed.flatMap((entry) => subscriberOf(entry) ?? []);
  const mistakes = trimmed.flatMap((entry, index) => {
    if (entry === "") return [`${source} has nothing in place ${index + 1}; take the comma away`];
    if (trimmed.indexOf(entry) !== index)
      return [`${source} names ${JSON.stringify(entry)} twice; take one away`];
    return subscriberOf(entry) === undefined
      ? [`${source} must name ${WAYS}, got ${JSON.stringify(entry)}`]
      : [];
  });
  return { subscribers, mistakes };
}

const PROTOCOLS: readonly (readonly [begins: RegExp, protocol: Subscription["protocol"]])[] = [
  [/^https:\/\//, "https"],
  [/^arn:[^:]*:sqs:/, "sqs"],
  [/^arn:[^:]*:lambda:/, "lambda"],
  [/@/, "email"],
];

function subscriberOf(endpoint: string): Subscription | undefined {
  const protocol = PROTOCOLS.find(([begins]) => begins.test(endpoint))?.[1];
  const judged = subscriptionsSchema.shape.alerts.safeParse([{ protocol, endpoint }]);
  return judged.success ? judged.data[0] : undefined;
}

interface TellingPipeline {
  readonly alarms?: { readonly actionsEnabled?: boolean };
  readonly schedule?: { readonly enabled?: boolean };
}

interface Telling {
  readonly subscriptions?: Readonly<Partial<Record<Topic, readonly unknown[]>>>;
  readonly pipelines?: Readonly<Record<string, TellingPipeline | undefined>>;
}

/** Tells whether an alarm acts or a schedule runs, which needs a subscriber. */
export function tellsSomething({ pipelines }: Telling): boolean {
  // The schema may not have judged it yet, so it may hold anything.
  return Object.values(pipelines ?? {}).some(
    (pipeline) => pipeline?.alarms?.actionsEnabled === true || pipeline?.schedule?.enabled === true,
  );
}

/** The topics of an environment whose alarms act or whose schedules run that nobody subscribes to. */
export function silentTopics(settings: Telling): readonly Topic[] {
  if (!tellsSomething(settings)) return [];
  return TOPICS.filter((topic) => settings.subscriptions?.[topic]?.length === 0);
}

/** Says that a topic has no subscriber, with the three ways to give one. */
export function silentTopicMistake(environment: string, topic: Topic): string {
  const variable = variableOf(environment, topic.toUpperCase());
  return (
    `'subscriptions.${topic}' must have at least one subscriber, got none: alarms act or schedules run, and SNS drops ` +
    "messages that nobody subscribes to; " +
    `set ${variable} (e-mail addresses, https addresses, ARNs of queues or functions, separated by commas), ` +
    `the context 'etl.${environment}.${topic}', or 'subscriptions.${topic}' in environments/${environment}.ts`
  );
}
