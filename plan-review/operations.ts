import { type Change, UNKNOWN } from "./change";
import { at } from "./differences";
import { type Finding } from "./finding";
import { code, shown } from "./markdown";
import { type Values } from "./plan";

/** Describes changes of schedules and alarms, and what no longer runs. */
export function operationsOf(changes: readonly Change[]): Finding[] {
  return changes.flatMap((change) => {
    if (!change.isChanged) return [];
    return linesOf(change).map((text) => ({ address: change.address, text }));
  });
}

const RUNNERS: Readonly<Record<string, string>> = {
  aws_glue_job: "job",
  aws_glue_workflow: "Glue workflow",
  aws_sfn_state_machine: "state machine",
  aws_lambda_function: "function",
  aws_sns_topic: "topic",
};

/** Subscriptions say who is notified, or what a topic starts. */
function subscription({ action, before, after, name }: Change): string[] {
  const to = (values: Values | undefined) => `${code(shown(values?.endpoint))} (${shown(values?.protocol)})`;
  const topic = code(shown((after ?? before)?.topic_arn === UNKNOWN ? name : (after ?? before)?.topic_arn));
  if (action === "created") return [`${topic} notifies ${to(after)}: the subscription is created`];
  if (action === "destroyed") return [`${topic} no longer notifies ${to(before)}`];
  const filter = differences({ before, after }, [["filter", "filter_policy"]]);
  return to(before) === to(after)
    ? filter
    : [`${topic} notifies ${to(after)} instead of ${to(before)}`, ...filter];
}

/** The target of a rule says what the rule starts. */
function target(change: Change): string[] {
  const { action, before } = change;
  if (action === "destroyed")
    return [`rule ${code(shown(before?.rule))} no longer starts ${code(shown(before?.arn))}`];
  const changed = action === "created" ? [] : differences(change, TARGET);
  return changed.length === 0
    ? []
    : [`target of the rule ${code(shown(before?.rule))}: ${changed.join("; ")}`];
}

const TARGET: Fields = [
  ["", "arn"],
  ["input", "input"],
];

function linesOf(change: Change): string[] {
  if (change.type === "aws_sns_topic_subscription") return subscription(change);
  if (change.type === "aws_cloudwatch_event_target") return target(change);
  const runner = RUNNERS[change.type];
  if (runner !== undefined)
    return change.action === "destroyed"
      ? [
          `${runner} ${code(change.name)} is deleted: it no longer ${runner === "topic" ? "notifies anybody" : "runs"}`,
        ]
      : [];
  const schedule = SCHEDULES[change.type];
  if (schedule !== undefined) return described(change, schedule.word, schedule.fields(change));
  const alarm = ALARMS[change.type];
  return alarm === undefined
    ? []
    : described(change, alarm, [...differences(change, ALARM_FIELDS), ...actions(change)]);
}

type Fields = readonly (readonly [word: string, path: string])[];

const SCHEDULE: Fields = [
  ["", "schedule_expression"],
  ["zone", "schedule_expression_timezone"],
  ["", "state"],
  ["", "is_enabled"],
  ["starts", "start_date"],
  ["ends", "end_date"],
  ["input", "target.0.input"],
  ["retries", "target.0.retry_policy.0.maximum_retry_attempts"],
  ["window", "flexible_time_window.0.mode"],
];

const SCHEDULES: Readonly<
  Record<string, { readonly word: string; readonly fields: (change: Change) => string[] }>
> = {
  aws_scheduler_schedule: { word: "schedule", fields: (change) => differences(change, SCHEDULE) },
  aws_glue_trigger: {
    word: "trigger",
    fields: (change) =>
      differences(change, [
        ["", "schedule"],
        ["enabled", "enabled"],
      ]),
  },
  aws_glue_crawler: { word: "crawler", fields: (change) => differences(change, [["schedule", "schedule"]]) },
  aws_cloudwatch_event_rule: {
    word: "rule",
    fields: (change) =>
      differences(change, [
        ["", "schedule_expression"],
        ["", "state"],
        ["pattern", "event_pattern"],
      ]),
  },
};

const ALARMS: Readonly<Record<string, string>> = {
  aws_cloudwatch_metric_alarm: "alarm",
  aws_cloudwatch_composite_alarm: "composite alarm",
};

const ALARM_FIELDS: Fields = [
  ["threshold", "threshold"],
  ["comparison", "comparison_operator"],
  ["period", "period"],
  ["periods", "evaluation_periods"],
  ["of them breaching", "datapoints_to_alarm"],
  ["statistic", "statistic"],
  ["metric", "metric_name"],
  ["missing data", "treat_missing_data"],
  ["rule", "alarm_rule"],
  ["actions enabled", "actions_enabled"],
];

/** Describes a creation or deletion in one line, a change field by field; changes without effect are left out. */
function described(change: Change, word: string, fields: readonly string[]): string[] {
  const what = `${word} ${code(change.name)}`;
  if (change.action === "created") {
    const when = change.after?.schedule_expression ?? change.after?.schedule;
    // Crawlers without a schedule and rules on events do not run by the clock.
    if (when === undefined || when === null || when === "")
      return word.includes("alarm") ? [`${what} is created`] : [];
    return [`${what} is created: ${shown(when)}${zone(change)}, ${shown(change.after?.state ?? "ENABLED")}`];
  }
  if (change.action === "destroyed")
    return [word === "crawler" ? `${what} is deleted: it no longer runs` : `${what} is deleted`];
  return fields.length === 0 ? [] : [`${what}: ${fields.join("; ")}`];
}

const zone = ({ after }: Change): string =>
  after?.schedule_expression_timezone === undefined ? "" : ` ${shown(after.schedule_expression_timezone)}`;

function differences({ before, after }: Pick<Change, "before" | "after">, fields: Fields): string[] {
  return fields.flatMap(([word, path]) => {
    const [was, is] = [shown(at(before, path)), shown(at(after, path))];
    return was === is ? [] : [`${word === "" ? "" : `${word} `}${was} → ${is}`];
  });
}

function actions({ before, after }: Change): string[] {
  return ["alarm_actions", "ok_actions", "insufficient_data_actions"].flatMap((field) => {
    const [was, is] = [before?.[field], after?.[field]].map((value) =>
      Array.isArray(value) ? value.map(shown) : [],
    );
    const when = field === "alarm_actions" ? "" : ` (${field})`;
    return [
      ...was!.filter((one) => !is!.includes(one)).map((one) => `no longer notifies ${code(one)}${when}`),
      ...is!.filter((one) => !was!.includes(one)).map((one) => `now notifies ${code(one)}${when}`),
    ];
  });
}
