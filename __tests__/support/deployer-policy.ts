import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./clone";

/** The documents of `docs/deployer`, filled in for one environment, and what IAM would say to a call by them. */

/** The rights that `plan` needs, and those that `deploy` needs beside them; `destroy-data` only where data may be destroyed. */
export const PLAN = ["plan"] as const;
export const DEPLOY = ["plan", "deploy-foundation", "deploy-pipelines"] as const;
/** The documents for Glue workflows and functions. */
export const WORKFLOWS = ["plan-workflows", "deploy-workflows"] as const;
export const WITH_WORKFLOWS = [...DEPLOY, ...WORKFLOWS] as const;
/** The documents for sources: connections to databases, and files that announce themselves. The latter have a function too. */
export const SOURCES = ["plan-sources", "deploy-sources"] as const;
export const WITH_SOURCES = [...WITH_WORKFLOWS, ...SOURCES] as const;
export const DESTROY = [...DEPLOY, "destroy-data"] as const;

export interface Place {
  readonly project: string;
  readonly environment: string;
  readonly account: string;
  readonly region: string;
}

export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A document's text with its `<placeholders>` filled in. @throws Error when one is left */
export function filledIn(document: string, place: Place): string {
  const text = Object.entries<string>({ ...place }).reduce(
    (filled, [name, value]) => filled.replaceAll(`<${name}>`, value),
    readFileSync(join(ROOT, "docs", "deployer", `${document}.json`), "utf8"),
  );
  const left = /<[a-z]+>/.exec(text);
  if (left !== null) throw new Error(`${document}.json: nothing is known for ${left[0]}`);
  return text;
}

export function statementsOf(documents: readonly string[], place: Place): Statement[] {
  return documents.flatMap(
    (document) => (JSON.parse(filledIn(document, place)) as { Statement: Statement[] }).Statement,
  );
}

/** The statements that let a call pass, conditions left aside; none when one forbids it. */
export function allowing(statements: readonly Statement[], action: string, resource: string): Statement[] {
  const speaking = statements.filter(
    ({ Action, Resource }) =>
      [Action].flat().some((pattern) => isLike(action, pattern)) &&
      [Resource].flat().some((pattern) => isLike(resource, pattern)),
  );
  return speaking.some(({ Effect }) => Effect === "Deny") ? [] : speaking;
}

/** As IAM compares: `*` is anything, `?` one character. */
export function isLike(text: string, pattern: string): boolean {
  const parts = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${parts}$`, "s").test(text);
}
