import { type Change, UNKNOWN } from "./change";
import { attachedTo } from "./attachments";
import { grantOf } from "./grants";
import { Holders } from "./holders";
import { documentsIn } from "./policy-search";
import {
  looksLikePolicy,
  namesPrincipals,
  NotUnderstood,
  parsePolicy,
  type Statement,
} from "./policy-document";
import { isReadElsewhere, rightsUnread } from "./unread-rights";

/** All policies of one holder, before and after; they may come from several resources. */
export interface Subject {
  /** The holder for readers: `role shop-job`, `aws_s3_bucket shop-raw`. */
  readonly holder: string;
  readonly kind: "identity" | "trust" | "resource";
  /** `true` if the plan creates the role, or the resource that the policy protects. */
  created: boolean;
  readonly before: Statement[];
  readonly after: Statement[];
  /** Policies that could not be read; each counts as widened if something existed before. */
  readonly unread: Unread[];
  /** The changed resources that the rights come from. */
  readonly addresses: Set<string>;
}

export interface Unread {
  readonly address: string;
  /** A clause about the holder, such as "its policy is not known until apply". */
  readonly why: string;
}

interface Source {
  readonly attribute: string;
  readonly kind: Subject["kind"];
  /** The attribute that names the holder; the resource itself without one. */
  readonly of?: string;
  readonly word?: string;
}

const identity = (of: string, word: string): Source => ({ attribute: "policy", kind: "identity", of, word });
const SOURCES: Readonly<Record<string, readonly Source[]>> = {
  aws_iam_role: [{ attribute: "assume_role_policy", kind: "trust", word: "role" }],
  aws_iam_role_policy: [identity("role", "role")],
  aws_iam_user_policy: [identity("user", "user")],
  aws_iam_group_policy: [identity("group", "group")],
  aws_iam_policy: [{ attribute: "policy", kind: "identity", word: "policy" }],
  aws_s3_bucket_policy: [{ attribute: "policy", kind: "resource", of: "bucket", word: "bucket" }],
  aws_sns_topic_policy: [{ attribute: "policy", kind: "resource", of: "arn", word: "topic" }],
  aws_sqs_queue_policy: [{ attribute: "policy", kind: "resource", of: "queue_url", word: "queue" }],
  aws_kms_key_policy: [{ attribute: "policy", kind: "resource", of: "key_id", word: "key" }],
};

const WORDS: Readonly<Record<string, string>> = {
  ...{ aws_iam_role: "role", aws_iam_user: "user", aws_iam_group: "group", aws_iam_policy: "policy" },
  ...{ aws_kms_key: "key", aws_sns_topic: "topic", aws_sqs_queue: "queue", aws_s3_bucket: "bucket" },
  aws_lambda_function: "function",
};
const wordOf = (type: string): string => WORDS[type] ?? type;

export function subjectsOf(changes: readonly Change[]): Subject[] {
  return new Subjects(changes).all();
}

class Subjects {
  private readonly found = new Map<string, Subject>();
  private readonly createdRoles: ReadonlySet<string>;
  private readonly existingNames: ReadonlySet<unknown>;
  private readonly holders: Holders;

  constructor(private readonly changes: readonly Change[]) {
    this.holders = new Holders(changes);
    this.createdRoles = new Set(
      changes.filter(({ type, existed }) => type === "aws_iam_role" && !existed).map(({ name }) => name),
    );
    this.existingNames = new Set(changes.filter(({ existed }) => existed).flatMap(namesOf));
  }

  all(): Subject[] {
    for (const change of this.changes) {
      this.policies(change);
      this.attachments(change);
      this.grants(change);
      this.unread(change);
    }
    const gone = new Set(
      this.changes
        .filter(({ action }) => action === "destroyed")
        .flatMap((change) => namesOf(change).map((name) => `${wordOf(change.type)} ${String(name)}`)),
    );
    return [...this.found.values()].filter(({ holder }) => !gone.has(holder));
  }

  private subject(holder: string, kind: Subject["kind"], created: boolean): Subject {
    const key = `${kind} ${holder}`;
    const known = this.found.get(key);
    if (known !== undefined) return known;
    const made = { holder, kind, created, before: [], after: [], unread: [], addresses: new Set<string>() };
    this.found.set(key, made);
    return made;
  }

  private policies(change: Change): void {
    const known = SOURCES[change.type] ?? [];
    for (const source of known) {
      const name = source.of === undefined ? change.name : text(change, source.of);
      const isNew =
        source.kind === "identity" && source.word === "role"
          ? this.createdRoles.has(name ?? "")
          : !change.existed;
      const isProtectedNew =
        source.of === undefined || source.kind !== "resource" || !this.existingNames.has(name);
      const holder = `${source.word ?? change.type} ${name ?? change.address}`;
      const subject = this.subject(holder, source.kind, isNew && isProtectedNew);
      read(change, source.attribute, subject, [
        change.before?.[source.attribute],
        change.after?.[source.attribute],
      ]);
    }
    const attributes = known.map(({ attribute }) => attribute);
    for (const { path, was, is } of documentsIn(change, attributes)) {
      const isIdentity = [was, is].some((one) => looksLikePolicy(one) && !namesPrincipals(one));
      const kind = isIdentity ? "identity" : "resource";
      const subject = this.subject(`${wordOf(change.type)} ${change.name}`, kind, !change.existed);
      read(change, path, subject, [was, is]);
    }
  }

  private attachments(change: Change): void {
    for (const when of ["before", "after"] as const)
      for (const { holder, what, where } of attachedTo(change, when)) {
        const isNewRole = holder.startsWith("role ") && this.createdRoles.has(holder.slice("role ".length));
        const target = this.subject(holder, "identity", isNewRole);
        const one = (value: string) => ({ except: false, values: [value] });
        const attached = { effect: "Allow" as const, principals: one(holder), conditions: [] };
        target[when].push({ ...attached, actions: one(what), resources: one(where) });
        if (change.isChanged) target.addresses.add(change.address);
      }
  }

  private grants(change: Change): void {
    const granted = grantOf(change);
    if (granted === undefined) return;
    const subject = this.subject(granted.holder, "resource", !change.existed && this.holders.isNew(change));
    subject.before.push(...granted.before);
    subject.after.push(...granted.after);
    if (change.isChanged) subject.addresses.add(change.address);
    if (granted.unknown !== undefined) subject.unread.push({ address: change.address, why: granted.unknown });
  }

  private unread(change: Change): void {
    for (const why of rightsUnread(change)) {
      const isNew = !change.existed && this.holders.isNew(change);
      const holder = isReadElsewhere(change.type) ? `${wordOf(change.type)} ${change.name}` : change.address;
      this.subject(holder, isReadElsewhere(change.type) ? "identity" : "resource", isNew).unread.push({
        address: change.address,
        why,
      });
    }
  }
}

/** The names by which other resources refer to a resource with a policy; none for a policy resource. */
function namesOf({ type, before, name }: Change): unknown[] {
  if (/_polic(y|ies)$|_attachment$/.test(type) && type !== "aws_iam_policy") return [];
  if (!(type in WORDS) && !/^aws_iam_/.test(type)) return [name];
  return [name, before?.arn, before?.id, before?.bucket, before?.url, before?.key_id].filter(
    (one) => one !== undefined,
  );
}

function text(change: Change, attribute: string): string | undefined {
  const value = [change.before?.[attribute], change.after?.[attribute]].find(
    (one) => typeof one === "string",
  );
  return value;
}

function read(change: Change, path: string, subject: Subject, [was, is]: readonly unknown[]): void {
  const { kind, holder } = subject;
  const names = kind === "identity" ? { principal: holder } : { resource: holder };
  const unread = (why: string) => subject.unread.push({ address: change.address, why });
  if (change.isChanged && was !== is) subject.addresses.add(change.address);
  for (const [value, into] of [
    [was, subject.before],
    [is, subject.after],
  ] as const) {
    if (value === undefined || value === null || value === "") continue;
    if (value === UNKNOWN) {
      unread(`its policy is not known until apply${dependsOn(change, path.split(".")[0]!)}`);
      continue;
    }
    try {
      into.push(...parsePolicy(value, names));
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      if (into === subject.after && was !== is) unread(`its policy is not understood: ${error.message}`);
    }
  }
}

function dependsOn(change: Change, attribute: string): string {
  const expression = change.configured?.[attribute] as { references?: string[] } | undefined;
  const all = [...new Set(expression?.references)];
  const leaves = all.filter((one) => !all.some((other) => other.startsWith(`${one}.`)));
  return leaves.length === 0 ? "" : `: it depends on ${leaves.map((one) => `\`${one}\``).join(", ")}`;
}
