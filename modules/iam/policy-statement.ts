/** A statement of an IAM policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html */
export interface PolicyStatement {
  /**
   * The statement's id. Statements with an id are not merged with others.
   * @default - none
   */
  readonly sid?: string;
  /** @default "Allow" */
  readonly effect?: "Allow" | "Deny";
  /** Actions such as `s3:GetObject`. */
  readonly actions: readonly string[];
  /** ARNs, with wildcards or not, or `*`. */
  readonly resources: readonly string[];
  /**
   * Values by condition operator and key: `{ StringEquals: { "aws:SourceAccount": "111122223333" } }`.
   * @default - none
   */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A statement of a resource policy, which names a principal. */
export interface ResourcePolicyStatement extends PolicyStatement {
  /** `*` for everybody, or values by kind: `{ Service: "events.amazonaws.com" }`. */
  readonly principal: "*" | Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Tells whether IAM accepts a text as a statement's resource: a whole ARN, with wildcards or not; an ARN that ends early in `*`, which
 * also matches colons; or `*`.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export const isPolicyResource = (resource: string): boolean =>
  resource === "*" || /^arn:[^:\s]+:[^:\s]*:(?:[^:\s]*:[^:\s]*:.+|[^:\s]*:?[^:\s]*\*)$/.test(resource);

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();
const one = (values: readonly string[]): string | string[] =>
  values.length === 1 ? values[0]! : [...values];

/**
 * The policy document as JSON. Statements that differ only in their actions are merged, then those that differ only in
 * their resources; everything is sorted, so that the same grants in any order give the same bytes. Each statement has a line of its own:
 * `cdktf synth --hcl` breaks references in one-line strings (https://github.com/hashicorp/terraform-cdk/issues/3911).
 */
export function policyJson(statements: readonly PolicyStatement[]): string {
  const byResources = merge(statements, "actions", "resources");
  const byActions = merge(byResources, "resources", "actions");
  const rendered = byActions.map(renderStatement).map((statement) => JSON.stringify(statement));
  return `{"Version":"2012-10-17","Statement":[\n${[...new Set(rendered)].sort().join(",\n")}\n]}`;
}

type Listed = "actions" | "resources";

function merge(statements: readonly PolicyStatement[], grown: Listed, same: Listed): PolicyStatement[] {
  const merged = new Map<string, PolicyStatement>();
  for (const statement of statements) {
    const { sid, effect = "Allow", conditions } = statement;
    const { principal } = statement as Partial<ResourcePolicyStatement>;
    // Statements with different ids are not merged.
    const key = JSON.stringify([
      principal,
      sid,
      effect,
      conditions && sortedConditions(conditions),
      unique(statement[same]),
    ]);
    const before = merged.get(key);
    const values = unique([...(before?.[grown] ?? []), ...statement[grown]]);
    merged.set(key, { ...statement, [same]: unique(statement[same]), [grown]: values });
  }
  return [...merged.values()];
}

function renderStatement(statement: PolicyStatement): Record<string, unknown> {
  const { sid, effect = "Allow", actions, resources, conditions } = statement;
  const principal = (statement as Partial<ResourcePolicyStatement>).principal;
  return {
    ...(sid === undefined ? {} : { Sid: sid }),
    Effect: effect,
    ...(principal === undefined ? {} : { Principal: principal }),
    Action: one(unique(actions)),
    Resource: one(unique(resources)),
    ...(conditions === undefined ? {} : { Condition: sortedConditions(conditions) }),
  };
}

function sortedConditions(conditions: NonNullable<PolicyStatement["conditions"]>): Record<string, unknown> {
  const sorted = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    sorted(conditions).map(([operator, keys]) => [
      operator,
      Object.fromEntries(
        sorted(keys).map(([key, value]) => [key, typeof value === "string" ? value : one(unique(value))]),
      ),
    ]),
  );
}
