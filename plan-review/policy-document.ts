/** The values that a part of a statement names, or everything except them. */
export interface Named {
  readonly except: boolean;
  readonly values: readonly string[];
}

/** A clause of a condition. All clauses must hold, each with one of its values. */
export interface Clause {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

export interface Statement {
  readonly effect: "Allow" | "Deny";
  /** `Service glue.amazonaws.com`, `AWS arn:…`, or `*` for everybody. */
  readonly principals: Named;
  readonly actions: Named;
  readonly resources: Named;
  readonly conditions: readonly Clause[];
}

/** A policy document that cannot be read; it counts as widened. */
export class NotUnderstood extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a policy document in any of its spellings.
 *
 * @param holder the principal of an identity policy, or the resource of a trust policy, which the document leaves out
 * @throws NotUnderstood
 */
export function parsePolicy(
  document: unknown,
  holder: { readonly principal?: string; readonly resource?: string },
): Statement[] {
  const json = typeof document === "string" ? asJson(document) : document;
  if (!isFields(json) || json.Statement === undefined) throw new NotUnderstood("it has no Statement");
  return asList(json.Statement).map((statement) => {
    if (!isFields(statement)) throw new NotUnderstood("a statement is not an object");
    const { Effect: effect } = statement;
    if (effect !== "Allow" && effect !== "Deny") throw new NotUnderstood(`Effect is ${String(effect)}`);
    return {
      effect,
      principals: principalsOf(statement, holder.principal),
      actions: named(statement, "Action"),
      resources: named(statement, "Resource", holder.resource),
      conditions: conditionsOf(statement.Condition),
    };
  });
}

/** Tells whether a value may be a policy document, as a text or as an object. */
export const looksLikePolicy = (value: unknown): boolean => statementsIn(value).length > 0;

/** Tells whether a policy document names principals, as policies of resources do, and those of roles do not. */
export const namesPrincipals = (value: unknown): boolean =>
  statementsIn(value).some(({ Principal, NotPrincipal }) => (Principal ?? NotPrincipal) !== undefined);

function statementsIn(value: unknown): Fields[] {
  if (typeof value === "string" && !value.includes('"Statement"')) return [];
  try {
    const json: unknown = typeof value === "string" ? JSON.parse(value) : value;
    if (!isFields(json) || json.Statement === undefined) return [];
    return asList(json.Statement).filter((one): one is Fields => isFields(one) && "Effect" in one);
  } catch {
    return [];
  }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new NotUnderstood("it is not valid JSON");
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);
const texts = (value: unknown): string[] => [...new Set(asList(value).map(String))].sort();

function named(statement: Fields, field: string, otherwise?: string): Named {
  const value = statement[field];
  const except = statement[`Not${field}`];
  if (except !== undefined) return { except: true, values: texts(except) };
  if (value !== undefined) return { except: false, values: texts(value) };
  if (otherwise === undefined) throw new NotUnderstood(`a statement has neither ${field} nor Not${field}`);
  return { except: false, values: [otherwise] };
}

function principalsOf(statement: Fields, holder: string | undefined): Named {
  if (statement.Principal !== undefined) return { except: false, values: principals(statement.Principal) };
  if (statement.NotPrincipal !== undefined)
    return { except: true, values: principals(statement.NotPrincipal) };
  if (holder === undefined) throw new NotUnderstood("a statement names no Principal");
  return { except: false, values: [holder] };
}

function principals(value: unknown): string[] {
  if (value === "*") return ["*"];
  if (!isFields(value)) throw new NotUnderstood(`Principal is ${JSON.stringify(value)}`);
  const all = Object.entries(value).flatMap(([kind, names]) =>
    texts(names).map((name) => principal(kind, name)),
  );
  return [...new Set(all)].sort();
}

/** `{"AWS": "*"}` is everybody, an account's number is its root (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html). */
function principal(kind: string, name: string): string {
  if (kind === "AWS" && name === "*") return "*";
  if (kind === "AWS" && /^\d{12}$/.test(name)) return `AWS arn:aws:iam::${name}:root`;
  return `${kind} ${name}`;
}

function conditionsOf(condition: unknown): Clause[] {
  if (condition === undefined) return [];
  if (!isFields(condition)) throw new NotUnderstood("a Condition is not an object");
  return Object.entries(condition)
    .flatMap(([operator, clauses]) => {
      if (!isFields(clauses)) throw new NotUnderstood(`the Condition ${operator} is not an object`);
      // Keys are compared case-insensitively later.
      return Object.entries(clauses).map(([key, values]) => ({ operator, key, values: texts(values) }));
    })
    .sort((a, b) => (`${a.operator} ${a.key}` < `${b.operator} ${b.key}` ? -1 : 1));
}
