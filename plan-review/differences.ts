import { UNKNOWN } from "./change";
import { looksLikePolicy } from "./policy-document";
import { type Values } from "./plan";

/** One value that a plan changes, at any depth. */
export interface Difference {
  /** The attribute names on the way to the value, without places in lists. */
  readonly keys: readonly string[];
  /** The keys joined by dots. */
  readonly path: string;
  /** `undefined` and `null` are no value; a list of texts or numbers counts as one value. */
  readonly was: unknown;
  readonly is: unknown;
}

/**
 * Lists what differs between two moments of a resource. Blocks of a list are compared by their `id`, `name` or `sid`, else equal ones are paired
 * first. Texts that hold JSON are compared as JSON, except policies, which are judged as a whole.
 */
export function differencesOf(before: Values | undefined, after: Values | undefined): Difference[] {
  const found: Difference[] = [];
  compare(before, after, [], found);
  return found;
}

const IDENTITIES = ["id", "name", "sid", "rule_id", "rule_name", "index_name", "region_name", "key"];

function compare(was: unknown, is: unknown, keys: readonly string[], into: Difference[]): void {
  if (was === is || isEmpty(was, is)) return;
  const [left, right] = [opened(was), opened(is)];
  if (right === UNKNOWN && !isFields(left) && !isBlocks(left)) return add(left, right, keys, into);
  if (isFields(left) || isFields(right)) {
    if (right === UNKNOWN) return add(left, right, keys, into);
    const [a, b] = [fieldsOf(left), fieldsOf(right)];
    if (a === undefined || b === undefined) return add(left, right, keys, into);
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
      compare(a[name], b[name], [...keys, name], into);
    return;
  }
  if (isBlocks(left) || isBlocks(right)) {
    if (right === UNKNOWN) return add(left, right, keys, into);
    for (const [one, other] of paired(listOf(left), listOf(right))) compare(one, other, keys, into);
    return;
  }
  if (!isSame(left, right)) add(left, right, keys, into);
}

function add(was: unknown, is: unknown, keys: readonly string[], into: Difference[]): void {
  into.push({ keys, path: keys.join("."), was, is });
}

/** Providers represent what is not set as null, as an empty text, list or map. */
const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isFields(value) && Object.keys(value).length === 0);
const isEmpty = (was: unknown, is: unknown): boolean => isNothing(was) && isNothing(is);

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isBlocks = (value: unknown): value is unknown[] =>
  Array.isArray(value) && value.length > 0 && value.every(isFields);
const fieldsOf = (value: unknown): Record<string, unknown> | undefined =>
  isFields(value) ? value : isNothing(value) ? {} : undefined;
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

function opened(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value) || looksLikePolicy(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** Lists of texts and numbers are sets to AWS: another order changes nothing. */
function isSame(was: unknown, is: unknown): boolean {
  if (!Array.isArray(was) || !Array.isArray(is)) return was === is;
  const sorted = (all: unknown[]) => JSON.stringify(all.map((one) => JSON.stringify(one) ?? "").sort());
  return sorted(was) === sorted(is);
}

function paired(before: readonly unknown[], after: readonly unknown[]): [unknown, unknown][] {
  const open = [...after];
  const rest: unknown[] = [];
  const pairs: [unknown, unknown][] = [];
  const take = (place: number): unknown => open.splice(place, 1)[0];
  for (const one of before) {
    const text = JSON.stringify(one);
    const place = open.findIndex((other) => JSON.stringify(other) === text);
    if (place < 0) rest.push(one);
    else take(place);
  }
  const others: unknown[] = [];
  for (const one of rest) {
    const name = identityOf(one);
    const place = name === undefined ? -1 : open.findIndex((other) => identityOf(other) === name);
    if (place < 0) others.push(one);
    else pairs.push([one, take(place)]);
  }
  // A single block without an identity is the same block with other values.
  const strangers = open.filter((one) => identityOf(one) === undefined);
  for (const one of others) {
    const other = identityOf(one) === undefined ? strangers.shift() : undefined;
    if (other !== undefined) open.splice(open.indexOf(other), 1);
    pairs.push([one, other]);
  }
  return [...pairs, ...open.map((one): [unknown, unknown] => [undefined, one])];
}

function identityOf(block: unknown): string | undefined {
  if (!isFields(block)) return undefined;
  const found = IDENTITIES.map((name) => block[name]).find((one) => typeof one === "string" && one !== "");
  return found as string | undefined;
}

/** The value at a dotted path. */
export function at(values: unknown, path: string): unknown {
  let value = values;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null) return value === UNKNOWN ? UNKNOWN : undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
