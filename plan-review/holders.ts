import { type Change, UNKNOWN, withoutKeys } from "./change";

/** The attributes by which a resource names the one that it belongs to: a policy its bucket, an optimizer its table. */
const BELONGS = [
  ...["bucket", "queue_url", "topic_arn", "arn", "table_name", "repository", "repository_name", "key_id"],
  ...["function_name", "role", "role_name", "user", "group", "cluster_identifier", "resource_arn"],
  ...[
    "table_bucket_arn",
    "secret_arn",
    "secret_id",
    "vpc_id",
    "vault_name",
    "backup_vault_name",
    "stream_arn",
  ],
  ...[
    "domain_name",
    "file_system_id",
    "source_db_instance_arn",
    "trail_name",
    "workgroup_name",
    "replication_group_id",
  ],
];

/** Finds the resources of a plan that others belong to. */
export class Holders {
  private readonly byName = new Map<string, Change[]>();
  private readonly byAddress = new Map<string, Change[]>();
  private readonly found = new Map<Change, readonly Change[]>();

  constructor(changes: readonly Change[]) {
    for (const change of changes) {
      put(this.byAddress, withoutKeys(change.address), change);
      // Policies and settings carry the name of their holder too.
      if (!belongs(change)) for (const name of namesOf(change)) put(this.byName, name, change);
    }
  }

  /** `true` if the plan destroys what the resource belongs to. */
  isGone(change: Change): boolean {
    return this.of(change).some(({ action }) => action === "destroyed");
  }

  /** `true` if the plan creates what the resource belongs to, so that it holds nothing yet. */
  isNew(change: Change): boolean {
    const found = this.of(change);
    if (found.length > 0) return found.every(({ existed }) => !existed);
    // A name that is not known until apply belongs to something that is made then.
    return (
      !change.existed &&
      BELONGS.some((attribute) => attribute !== "arn" && change.after?.[attribute] === UNKNOWN)
    );
  }

  private of(change: Change): readonly Change[] {
    const known = this.found.get(change) ?? this.search(change);
    this.found.set(change, known);
    return known;
  }

  private search(change: Change): Change[] {
    const found = BELONGS.flatMap((attribute) => {
      const values = [change.before?.[attribute], change.after?.[attribute]];
      const names = new Set(values.filter((value): value is string => typeof value === "string"));
      const named = [...names].flatMap((value) => this.byName.get(value) ?? []);
      if (named.length > 0 || change.existed) return named;
      const references = (change.configured?.[attribute] as { references?: string[] } | undefined)
        ?.references;
      return (references ?? []).flatMap((one) => this.byAddress.get(addressIn(one, change.address)) ?? []);
    });
    return [...new Set(found)].filter((one) => one !== change && !belongs(one));
  }
}

const belongs = ({ type }: Change): boolean =>
  /^aws_s3_bucket_|_polic(y|ies)$|_attachment$|_alias$|_optimizer$|_grant$|_permissions?$/.test(type) &&
  type !== "aws_iam_policy";

/** The names of a resource itself; an object and a target carry the names of others. */
function namesOf({ type, before, after }: Change): string[] {
  const own = NAMES.filter(
    (name) => (name !== "bucket" || /_bucket$/.test(type)) && (name !== "arn" || !/_target$/.test(type)),
  );
  const names = [before, after].flatMap((values) => own.map((name) => values?.[name]));
  return [...new Set(names.filter((name): name is string => typeof name === "string" && name !== ""))];
}

const NAMES = ["bucket", "name", "arn", "id", "url", "key_id", "function_name", "namespace"];

function addressIn(reference: string, from: string): string {
  const module = /^(?:module\.[^.]+\.)*/.exec(withoutKeys(from))![0];
  return module + withoutKeys(reference).split(".").slice(0, 2).join(".");
}

function put<T>(into: Map<string, T[]>, name: string, value: T): void {
  const found = into.get(name);
  if (found === undefined) into.set(name, [value]);
  else found.push(value);
}
