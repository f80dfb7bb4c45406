import { type Change, UNKNOWN } from "./change";
import { looksLikePolicy } from "./policy-document";

/** A policy document somewhere in a resource. */
export interface Found {
  /** Its dotted path, with names of blocks or places in lists. */
  readonly path: string;
  readonly was: unknown;
  readonly is: unknown;
}

/**
 * Finds every policy document in a resource by its shape, at any depth, and every attribute called a policy that is not known until apply.
 *
 * @param known attributes at the top that are read elsewhere
 */
export function documentsIn(change: Change, known: readonly string[]): Found[] {
  const [before, after] = [new Map<string, unknown>(), new Map<string, unknown>()];
  if (!change.isChanged && !SHARED.test(change.type)) return [];
  for (const [values, into] of [
    [change.before, before],
    [change.after, after],
  ] as const)
    for (const [attribute, value] of Object.entries(values ?? {}))
      if (!known.includes(attribute) && isConfigured(change, attribute)) collect(value, attribute, into);
  return [...new Set([...before.keys(), ...after.keys()])].map((path) => ({
    path,
    was: before.get(path),
    is: after.get(path),
  }));
}

/** Resources whose policies are read together with those of others, so they count even if they stay as they are. */
const SHARED = /^aws_(iam_(role|user|group|policy)|s3_bucket|sns_topic|sqs_queue|kms_key)$/;

/** An attribute that is not configured mirrors another resource (a bucket its policy), or is AWS's default. */
const isConfigured = ({ configured }: Change, attribute: string): boolean =>
  configured === undefined || configured[attribute] !== undefined;

const NAMED = /polic(y|ies)(_document)?$/;

function collect(value: unknown, path: string, into: Map<string, unknown>): void {
  if (value === UNKNOWN) {
    if (NAMED.test(path.replace(/\.\d+$/, ""))) into.set(path, value);
    return;
  }
  if (
    typeof value === "string" ? value.includes('"Statement"') : typeof value === "object" && value !== null
  ) {
    if (looksLikePolicy(value)) {
      into.set(path, value);
      return;
    }
  } else return;
  if (typeof value === "string") return nested(value, path, into);
  for (const [name, inner] of Object.entries(value as object)) {
    const block: unknown = Array.isArray(value) ? (inner as { name?: unknown } | null)?.name : undefined;
    collect(inner, `${path}.${typeof block === "string" ? block : name}`, into);
  }
}

/** A policy may be part of a longer document, e.g. a template. */
function nested(text: string, path: string, into: Map<string, unknown>): void {
  try {
    const json = JSON.parse(text) as unknown;
    if (typeof json === "object" && json !== null) collect(json, path, into);
  } catch {
    // A text without JSON, such as a script, holds no policy that could be read.
  }
}
