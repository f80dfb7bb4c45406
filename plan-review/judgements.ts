import { type Change, isSensitive, UNKNOWN } from "./change";
import { destroyedBy } from "./destroyed";
import { type Difference, differencesOf } from "./differences";
import { type Finding } from "./finding";
import { Holders } from "./holders";
import { archived, isLifecycle, lifecycleLosses } from "./lifecycle";
import { code, count } from "./markdown";
import { networkOpened } from "./network";
import { quietDeletions } from "./quiet-deleters";
import { removedProtections } from "./removed-protections";
import { isJudged, judges } from "./resource-types";
import { judgementOf, type Judgement } from "./shapes";
import { isSet } from "./shape-words";
import { transportOpened } from "./transport";

/** The effects of a plan on data and protections, resource by resource. */
export interface Judgements {
  /** Data that is lost, or may be, when the plan is applied. */
  readonly lost: readonly Finding[];
  /** Guards that are removed; no data is lost yet. */
  readonly guards: readonly Finding[];
  /** Entries, logs and files that go while the data stays. */
  readonly removed: readonly Finding[];
  /** Uploaded files that are replaced by what the configuration has now. */
  readonly renewed: readonly Finding[];
  readonly weakened: readonly Finding[];
  /** Values that decide about data, rights or protection and are not known until apply. */
  readonly unknown: readonly Finding[];
  /** Changes that no rule judges. */
  readonly unjudged: readonly Finding[];
}

export function judgementsOf(changes: readonly Change[]): Judgements {
  const holders = new Holders(changes);
  const found = changes.filter(({ isChanged }) => isChanged).map((change) => judgementsOn(change, holders));
  const all = (field: keyof Judgements) => found.flatMap((one) => one[field]);
  return {
    lost: all("lost"),
    guards: all("guards"),
    removed: all("removed"),
    renewed: all("renewed"),
    weakened: all("weakened"),
    unknown: all("unknown"),
    unjudged: all("unjudged"),
  };
}

function judgementsOn(change: Change, holders: Holders): Judgements {
  const { lost, removed, renewed } = destroyedBy(change);
  const protections = removedProtections(change, (one) => holders.isGone(one));
  const isNew = (one: Change) => holders.isNew(one);
  // A new or destroyed resource differs in everything; only a type that no rule knows is then looked at.
  const compares = (change.existed && change.after !== undefined) || !isJudged(change.type);
  const differences = compares ? differencesOf(change.before, change.after) : [];
  const shaped = change.existed && change.after !== undefined ? shapedBy(change, differences) : {};
  const gone = change.action === "destroyed" && holders.isGone(change);
  return {
    lost: [
      ...lost,
      ...lifecycleLosses(change, isNew),
      ...quietDeletions(change, isNew),
      ...findings(change, shaped.lost),
    ],
    guards: [...protections.guards, ...archived(change, isNew), ...findings(change, shaped.guard)],
    removed,
    renewed,
    weakened: [
      ...protections.weakened,
      ...findings(change, shaped.weakened),
      ...networkOpened(change),
      ...(gone ? [] : transportOpened(change)),
    ],
    unknown: unknownOf(change, differences),
    // Destroyed data is on the page already, in stronger words.
    unjudged: change.action === "destroyed" && lost.length > 0 ? [] : unjudgedOf(change, differences),
  };
}

/** Operations, costs and permissions have rules of their own. */
const ELSEWHERE: readonly (readonly [type: RegExp, attributes: RegExp])[] = [
  [/_alarm$/, /./],
  [
    /^aws_(scheduler_schedule|cloudwatch_event_rule|glue_trigger|pipes_pipe)$/,
    /^(state|is_enabled|enabled|desired_state|schedule\w*|start_date|end_date|flexible_time_window)/,
  ],
  [
    /^aws_glue_job$/,
    /^(timeout|max_retries|number_of_workers|worker_type|max_capacity|glue_version|execution_class)$/,
  ],
  [/^aws_lambda_function$/, /^(timeout|memory_size)$/],
  [/^aws_sfn_state_machine$/, /^definition/],
  [/^aws_(lambda_permission|kms_grant|lakeformation_\w+|ram_\w+)$/, /./],
  [/./, /(^|\.)(tags|tags_all)(\.|$)/],
];

const isElsewhere = (change: Change, path: string): boolean =>
  ELSEWHERE.some(([type, attributes]) => type.test(change.type) && attributes.test(path)) ||
  isLifecycle(change, path.split(".")[0]!);

type Shaped = Partial<Record<Judgement["kind"], string[]>>;

function shapedBy(change: Change, differences: readonly Difference[]): Shaped {
  const found: Shaped = {};
  for (const one of differences) {
    if (isElsewhere(change, one.path) || isMirror(change, one)) continue;
    const judgement = judgementOf(one, change);
    if (judgement !== undefined) (found[judgement.kind] ??= []).push(judgement.text);
  }
  return found;
}

/** A value that AWS works out and the configuration does not set only mirrors another resource. */
const isMirror = (change: Change, { keys }: Difference): boolean =>
  change.configured !== undefined &&
  change.configured[keys[0]!] === undefined &&
  change.after?.[keys[0]!] === UNKNOWN;

const MOST_TEXTS = 5;

function findings({ address, name }: Change, texts: readonly string[] = []): Finding[] {
  const different = [...new Set(texts)];
  if (different.length === 0) return [];
  const rest = different.length - MOST_TEXTS;
  const more = rest > 0 ? `; and ${rest} more` : "";
  return [{ address, text: `${code(name)}: ${different.slice(0, MOST_TEXTS).join("; ")}${more}` }];
}

const DECIDES =
  /polic|acl|encrypt|kms|public|principal|admin|lifecycle|expir|retention|ttl|versioning|logging|cidr|ingress|egress|protection|enabled?$|force_destroy|worker|timeout|capacity/;

/** Names what cannot be judged before the apply, of resources that exist. Policies are named among the permissions. */
function unknownOf(change: Change, differences: readonly Difference[]): Finding[] {
  if (!change.existed || change.after === undefined) return [];
  const unknown = differences
    .filter(({ is, path }) => is === UNKNOWN && DECIDES.test(path) && !/polic/.test(path))
    .filter((one) => isSet(one.was) && !isMirror(change, one) && !/(^|\.)(id|arn)$/.test(one.path))
    .map(({ path }) => code(path));
  const names = [...new Set(unknown)];
  if (names.length === 0) return [];
  return [
    { address: change.address, text: `${code(change.name)}: ${names.join(", ")} not known until apply` },
  ];
}

const MOST_ATTRIBUTES = 8;

function unjudgedOf(change: Change, differences: readonly Difference[]): Finding[] {
  const { address, type, action } = change;
  const known = isJudged(type);
  const attributes = [...new Set(differences.map(({ keys }) => keys[0]!))].sort();
  const open = known
    ? action === "updated" || action === "replaced"
      ? attributes.filter((one) => !judges(type, one) && change.after?.[one] !== UNKNOWN)
      : []
    : attributes.filter((one) => !judges(type, one));
  const hidden = differences
    .filter(({ was, is }) => action === "updated" && isSensitive(is) && isSet(was))
    .map(({ path }) => path);
  if (known && open.length === 0 && hidden.length === 0) return [];
  const names = [...new Set([...open, ...hidden])];
  const listed = names.slice(0, MOST_ATTRIBUTES).map(code).join(", ");
  const more = names.length > MOST_ATTRIBUTES ? ` and ${count(names.length - MOST_ATTRIBUTES, "more")}` : "";
  const why = known ? "no rule judges" : `no rule knows ${code(type)}`;
  const with_ = names.length === 0 ? "" : known ? ` ${listed}${more}` : `, with ${listed}${more}`;
  return [{ address, text: `${code(address)} is ${action}: ${why}${with_}` }];
}
