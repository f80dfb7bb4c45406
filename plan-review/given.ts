import { type Change } from "./change";
import { shown } from "./markdown";
import { type Clause, type Statement } from "./policy-document";
import { type Values } from "./plan";

/** The rights that one moment of a resource gives. */
export interface Given {
  readonly holder: string;
  readonly statements: readonly Statement[];
  /** Attributes that are not known until apply. */
  readonly unknown?: readonly string[];
}

export type Read = (values: Values, change: Change) => Given;

/** A statement that allows one principal some actions on one resource. */
export function allow(
  principal: string,
  actions: readonly string[],
  resource: string,
  conditions: readonly Clause[] = [],
): Statement {
  const named = (values: readonly string[]) => ({ except: false, values });
  return {
    effect: "Allow",
    principals: named([principal]),
    actions: named(actions),
    resources: named([resource]),
    conditions,
  };
}

/** A principal as policies spell it: an account is its root, a service ends with the domain of AWS. */
export function principalOf(value: unknown): string {
  const name = shown(value);
  if (name === "*" || /AllUsers$/.test(name)) return "*";
  if (/^\d{12}$/.test(name)) return `AWS arn:aws:iam::${name}:root`;
  if (/\.amazonaws\.com(\.cn)?$/.test(name)) return `Service ${name}`;
  return `AWS ${name}`;
}

export const listOf = (value: unknown): unknown[] =>
  value === undefined || value === null || value === ""
    ? []
    : Array.isArray(value)
      ? (value as unknown[])
      : [value];

/** The blocks of an attribute; a value that is no block is left out. */
export const blocksOf = (value: unknown): Values[] =>
  listOf(value).filter(
    (one): one is Values => typeof one === "object" && one !== null && !Array.isArray(one),
  );
