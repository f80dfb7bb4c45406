import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./clone";

/** Contracts that are shipped or shown, and the bad ones of `__tests__/contracts/bad-contracts.json`. */

type Node = Record<string, unknown>;

/** Paths with parts after `/`. */
export interface Change {
  readonly of: string;
  readonly put?: Readonly<Record<string, unknown>>;
  readonly take?: readonly string[];
}

export interface BadContract extends Change {
  readonly case: string;
  /** Every mistake in full. */
  readonly says: readonly string[];
}

const PIPELINES = join(ROOT, "pipelines");

/** The pipelines that have a contract, which lies in their folder. */
export const SHIPPED = readdirSync(PIPELINES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(contractFile(entry.name)))
  .map(({ name }) => name)
  .sort();

export function rulesFile(pipeline: string): string {
  return join(PIPELINES, pipeline, `${pipeline}.quality.json`);
}

export function contractFile(pipeline: string): string {
  return join(PIPELINES, pipeline, `${pipeline}.schema.json`);
}

export const shippedContract = (name: string): Node =>
  JSON.parse(readFileSync(contractFile(name), "utf8")) as Node;

/** The contract that `docs/add-a-pipeline.md` shows. */
export function shownContract(): Node {
  const text = readFileSync(join(ROOT, "docs", "add-a-pipeline.md"), "utf8");
  const [, shown] = /`pipelines\/returns\/returns\.schema\.json`:\n\n```json\n(.*?)```/s.exec(text) ?? [];
  if (shown === undefined) throw new Error("the page shows no contract");
  return JSON.parse(shown) as Node;
}

export const badContracts = (): readonly BadContract[] =>
  (
    JSON.parse(readFileSync(join(ROOT, "__tests__", "contracts", "bad-contracts.json"), "utf8")) as {
      cases: readonly BadContract[];
    }
  ).cases;

/** The shipped contract with what is put into it and taken out of it. */
export function changedContract({ of, put = {}, take = [] }: Change): Node {
  const document = shippedContract(of);
  const at = (path: string): [node: Node, key: string] => {
    const keys = path.split("/");
    const last = keys.pop()!;
    return [keys.reduce<unknown>((node, key) => (node as Node)[key], document) as Node, last];
  };
  for (const [path, value] of Object.entries(put)) {
    const [node, key] = at(path);
    node[key] = value;
  }
  for (const path of take) {
    const [node, key] = at(path);
    if (Array.isArray(node)) node.splice(Number(key), 1);
    else delete node[key];
  }
  return document;
}
