import { type Change, UNKNOWN } from "./change";
import { looksLikePolicy, NotUnderstood, parsePolicy, type Statement } from "./policy-document";
import { type Values } from "./plan";

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
}

export interface Unread {
  readonly address: string;
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

/** Resources that give rights without a policy document: a new or changed one is named, and counts as widened. */
const OTHER_RIGHTS = [
  ...["aws_iam_access_key", "aws_kms_grant", "aws_lambda_permission", "aws_ram_principal_association"],
  ...["aws_lakeformation_permissions", "aws_lakeformation_opt_in", "aws_iam_user_login_profile"],
];
const ATTACHMENTS = /^aws_iam_(role|user|group)_policy_attachment$/;

export function subjectsOf(changes: readonly Change[]): Subject[] {
  const subjects = new Map<string, Subject>();
  const createdRoles = new Set(
    changes.filter(({ type, existed }) => type === "aws_iam_role" && !existed).map(({ name }) => name),
  );
  const subject = (holder: string, kind: Subject["kind"], created: boolean): Subject => {
    const key = `${kind} ${holder}`;
    const found = subjects.get(key) ?? { holder, kind, created, before: [], after: [], unread: [] };
    subjects.set(key, found);
    return found;
  };
  for (const change of changes) {
    for (const source of sourcesOf(change)) {
      const name = source.of === undefined ? change.name : text(change, source.of);
      const holder = `${source.word ?? change.type} ${name ?? change.address}`;
      const isNew =
        source.kind === "identity" && source.word === "role" ? createdRoles.has(name ?? "") : !change.existed;
      read(change, source, subject(holder, source.kind, isNew && protectedIsNew(change, source, changes)));
    }
    readOthers(change, subject, createdRoles);
  }
  const gone = new Set(changes.filter(({ action }) => action === "destroyed").flatMap(namesOf));
  return [...subjects.values()].filter(({ holder }) => !gone.has(holder.slice(holder.indexOf(" ") + 1)));
}

/** A policy resource may be added later than the bucket it protects. */
function protectedIsNew(change: Change, { kind, of }: Source, changes: readonly Change[]): boolean {
  if (kind !== "resource" || of === undefined) return true;
  const value = text(change, of);
  return !changes.some((other) => other.existed && value !== undefined && namesOf(other).includes(value));
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

function sourcesOf(change: Change): readonly Source[] {
  const known = SOURCES[change.type];
  if (known !== undefined) return known;
  const found = new Set<string>();
  for (const values of [change.before, change.after])
    for (const [attribute, value] of Object.entries(values ?? {}))
      if (looksLikePolicy(value) || (value === UNKNOWN && /polic(y|ies)(_document)?$/.test(attribute)))
        // An attribute that is not configured mirrors another resource (a bucket its policy), or is AWS's default.
        if (change.configured === undefined || change.configured[attribute] !== undefined)
          found.add(attribute);
  return [...found].map((attribute) => ({ attribute, kind: "resource", word: wordOf(change.type) }));
}

const WORDS: Readonly<Record<string, string>> = {
  ...{ aws_kms_key: "key", aws_sns_topic: "topic", aws_sqs_queue: "queue", aws_s3_bucket: "bucket" },
};
const wordOf = (type: string): string => WORDS[type] ?? type;

function read(change: Change, { attribute, kind }: Source, subject: Subject): void {
  const holder = {
    ...(kind === "identity" ? { principal: subject.holder } : {}),
    ...(kind === "identity" ? {} : { resource: subject.holder }),
  };
  for (const [values, into] of [
    [change.before, subject.before],
    [change.after, subject.after],
  ] as const) {
    const value = values?.[attribute];
    if (value === undefined || value === null || value === "") continue;
    if (value === UNKNOWN) {
      subject.unread.push({
        address: change.address,
        why: `not known until apply${dependsOn(change, attribute)}`,
      });
      continue;
    }
    try {
      into.push(...parsePolicy(value, holder));
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      if (into === subject.after)
        subject.unread.push({ address: change.address, why: `not understood: ${error.message}` });
    }
  }
}

function dependsOn(change: Change, attribute: string): string {
  const expression = change.configured?.[attribute] as { references?: string[] } | undefined;
  const all = [...new Set(expression?.references)];
  const leaves = all.filter((one) => !all.some((other) => other.startsWith(`${one}.`)));
  return leaves.length === 0 ? "" : `: it depends on ${leaves.map((one) => `\`${one}\``).join(", ")}`;
}

type SubjectOf = (holder: string, kind: Subject["kind"], created: boolean) => Subject;

function readOthers(change: Change, subject: SubjectOf, createdRoles: ReadonlySet<string>): void {
  const kind = ATTACHMENTS.exec(change.type)?.[1];
  if (kind !== undefined) {
    const name = text(change, kind) ?? change.address;
    const target = subject(`${kind} ${name}`, "identity", kind === "role" && createdRoles.has(name));
    for (const [values, into] of [
      [change.before, target.before],
      [change.after, target.after],
    ] as const)
      if (values !== undefined) into.push(everythingOf(target.holder, values));
  }
  if (OTHER_RIGHTS.includes(change.type) && ["created", "updated", "replaced"].includes(change.action)) {
    const why = `rights of the type ${change.type} are not read`;
    subject(change.address, "resource", false).unread.push({ address: change.address, why });
  }
  const { before, after } = change;
  if (change.type !== "aws_iam_role" || before === undefined || after === undefined) return;
  const boundary = [before.permissions_boundary, after.permissions_boundary];
  if (typeof boundary[0] === "string" && boundary[0] !== "" && boundary[0] !== boundary[1])
    subject(`role ${change.name}`, "identity", false).unread.push({
      address: change.address,
      why: `its permissions boundary \`${boundary[0]}\` is taken away or replaced`,
    });
}

/** An attached policy is not in the plan; it counts as one permission. */
function everythingOf(principal: string, values: Values): Statement {
  const arn =
    values.policy_arn === UNKNOWN ? "a policy that is not known until apply" : String(values.policy_arn);
  const one = (value: string) => ({ except: false, values: [value] });
  return {
    ...{ effect: "Allow" as const, principals: one(principal), conditions: [] },
    ...{ actions: one(`everything in ${arn}`), resources: one("what that policy names") },
  };
}
