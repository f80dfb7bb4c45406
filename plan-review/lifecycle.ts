import { type Change, UNKNOWN } from "./change";
import { type Finding } from "./finding";
import { code, count, shown } from "./markdown";
import { type Values } from "./plan";

/** One way in which a lifecycle configuration of S3 deletes. */
interface Deletion {
  readonly rule: string;
  readonly what: "objects" | "earlier versions";
  readonly scope: Scope;
  /** Days after which it deletes, a date, or a value that is not known until apply. */
  readonly after: Time;
  /** The number of newest earlier versions that stay. */
  readonly kept: number;
}

type Time = number | string | typeof UNKNOWN;

interface Scope {
  readonly prefix: string;
  readonly tags: Readonly<Record<string, unknown>>;
  readonly above: number;
  readonly below: number;
  readonly isKnown: boolean;
}

/**
 * Reports lifecycle rules of buckets that delete something which nothing deleted before, or not that early: for the separate resource and for the
 * rules in a bucket, by days, by date and by number of versions. Ids and order of rules do not matter.
 *
 * @param isNewBucket tells whether the plan creates the bucket, which holds nothing then
 */
export function lifecycleLosses(change: Change, isNewBucket: (change: Change) => boolean): Finding[] {
  const attribute = ATTRIBUTES.find((one) => isLifecycle(change, one));
  if (attribute === undefined || change.after === undefined || !change.isChanged) return [];
  const [was, is] = [deletionsOf(change.before, attribute), deletionsOf(change.after, attribute)];
  if (isNewBucket(change)) return [];
  const bucket = shown(change.after.bucket ?? change.before?.bucket ?? change.after.id);
  return is
    .filter((one) => !was.some((other) => covers(other, one)))
    .map((one) => ({
      address: change.address,
      text: `${sentence(one, bucket)}, before ${earlier(one, was)}`,
    }));
}

const ATTRIBUTES = ["rule", "lifecycle_rule"];

/** Reports rules that newly move objects to an archive, from which jobs and queries cannot read. */
export function archived(change: Change, isNewBucket: (change: Change) => boolean): Finding[] {
  const attribute = ATTRIBUTES.find((one) => isLifecycle(change, one));
  if (attribute === undefined || change.after === undefined || !change.isChanged || isNewBucket(change))
    return [];
  const was = new Set(archivesOf(change.before, attribute));
  const news = archivesOf(change.after, attribute).filter((one) => !was.has(one));
  return news.map((text) => ({
    address: change.address,
    text: `${code(shown(change.after?.bucket ?? change.name))}: ${text}`,
  }));
}

function archivesOf(values: Values | undefined, attribute: string): string[] {
  const rules = values?.[attribute];
  return (Array.isArray(rules) ? (rules as unknown[]) : []).flatMap((rule) => {
    const { status, transition, ...rest } = (rule ?? {}) as Values;
    if (status === "Disabled" || !Array.isArray(transition)) return [];
    return (transition as (Values | null)[])
      .filter((one) => /^(GLACIER|DEEP_ARCHIVE)$/.test(String(one?.storage_class)))
      .map(
        (one) =>
          `objects under ${code(scopeOf(rest).prefix || "/")} go to ${shown(one?.storage_class)} after ${shown(one?.days ?? one?.date)} days, from which jobs and queries cannot read`,
      );
  });
}

/** Attributes of a resource that {@link lifecycleLosses} judges; the general rules leave them out. */
export const isLifecycle = (change: Change, attribute: string): boolean =>
  ATTRIBUTES.includes(attribute) &&
  (/_lifecycle_configuration$/.test(change.type) || attribute === "lifecycle_rule") &&
  [change.before, change.after].some((values) => Array.isArray(values?.[attribute]));

function deletionsOf(values: Values | undefined, attribute: string): Deletion[] {
  const rules = values?.[attribute];
  return Array.isArray(rules) ? (rules as Values[]).flatMap(ofRule) : [];
}

function ofRule(rule: Values): Deletion[] {
  const found: Deletion[] = [];
  const isOff = rule.status === "Disabled" || (rule.enabled === false && rule.status === undefined);
  if (isOff) return [];
  const named = { rule: shown(rule.id), scope: scopeOf(rule) };
  const current = block(rule.expiration);
  const earlier = block(rule.noncurrent_version_expiration);
  const days = earlier?.noncurrent_days ?? earlier?.days;
  const kept = earlier?.newer_noncurrent_versions;
  const times: (Time | undefined)[] = [positive(current?.days), date(current?.date)];
  for (const after of times)
    if (after !== undefined) found.push({ ...named, what: "objects", after, kept: 0 });
  const after: Time | undefined = positive(days) ?? (positive(kept) === undefined ? undefined : 0);
  if (after !== undefined)
    found.push({
      ...named,
      what: "earlier versions",
      after,
      kept: kept === UNKNOWN ? 0 : Number(kept ?? 0) || 0,
    });
  return found;
}

const block = (value: unknown): Values | undefined =>
  (Array.isArray(value) ? (value as Values[])[0] : (value as Values | null)) ?? undefined;
const positive = (value: unknown): Time | undefined => {
  if (value === UNKNOWN) return UNKNOWN;
  const days = Number(value ?? 0);
  return days > 0 ? days : undefined;
};
const date = (value: unknown): Time | undefined =>
  value === UNKNOWN ? UNKNOWN : typeof value === "string" && value !== "" ? value : undefined;

/** The objects that a rule is for; `filter` and the older `prefix` and `tags` of a rule. */
function scopeOf(rule: Values): Scope {
  const filter = block(rule.filter);
  const both = block(filter?.and);
  const tag = block(filter?.tag);
  const parts = [rule, filter ?? {}, both ?? {}];
  const pick = (field: string) =>
    parts.map((part) => part[field]).find((one) => one !== undefined && one !== null && one !== "");
  const tags = pick("tags");
  return {
    prefix: typeof pick("prefix") === "string" ? (pick("prefix") as string) : "",
    tags: {
      ...(typeof tags === "object" ? (tags as Record<string, unknown>) : {}),
      ...(tag === undefined ? {} : { [String(tag.key)]: tag.value }),
    },
    above: Number(pick("object_size_greater_than") ?? 0) || 0,
    below: Number(pick("object_size_less_than") ?? 0) || Infinity,
    isKnown: ![...parts.flatMap((part) => [part.prefix, part.tags]), rule.filter, filter?.and].includes(
      UNKNOWN,
    ),
  };
}

/** Tells whether `outer` deleted everything that `inner` deletes, at least as early. */
function covers(outer: Deletion, inner: Deletion): boolean {
  if (outer.what !== inner.what || outer.kept > inner.kept) return false;
  if (!outer.scope.isKnown || !inner.scope.isKnown) return false;
  if (typeof outer.after !== typeof inner.after || outer.after === UNKNOWN || inner.after === UNKNOWN)
    return false;
  return outer.after <= inner.after && includes(outer.scope, inner.scope);
}

const includes = (outer: Scope, inner: Scope): boolean =>
  inner.prefix.startsWith(outer.prefix) &&
  Object.entries(outer.tags).every(([key, value]) => inner.tags[key] === value) &&
  outer.above <= inner.above &&
  outer.below >= inner.below;

const when = ({ after, kept }: Deletion): string => {
  const keeping = kept > 0 ? `, all but the newest ${kept}` : "";
  if (after === UNKNOWN) return `after a time that is not known until apply${keeping}`;
  return typeof after === "string" ? `from ${after} on` : `after ${count(after, "day")}${keeping}`;
};

function sentence(one: Deletion, bucket: string): string {
  const { prefix, tags } = one.scope;
  const only = [
    ...(prefix === "" ? [] : [`under ${code(prefix)}`]),
    ...Object.entries(tags).map(([key, value]) => `with the tag ${code(`${key}=${shown(value)}`)}`),
  ];
  const scope = one.scope.isKnown
    ? only.length === 0
      ? "all "
      : ""
    : "(which ones is not known until apply) ";
  return `${scope}${one.what} of ${code(bucket)}${only.map((part) => ` ${part}`).join("")} are deleted ${when(one)} by the rule ${code(one.rule)}`;
}

/** The next best rule of before, for readers. */
function earlier(one: Deletion, was: readonly Deletion[]): string {
  const same = was.filter(({ what, scope }) => what === one.what && includes(scope, one.scope));
  if (same.length > 0) return same.map(when).join(" and ");
  const ruled = was.find(({ rule, what }) => rule === one.rule && what === one.what);
  if (ruled === undefined) return "never by it";
  return ruled.scope.prefix === "" ? "only for some of them" : `only under ${code(ruled.scope.prefix)}`;
}
