import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A chain of shops with two sources: tills write CSV in folders `dt=`, the web shop JSON in folders of milliseconds. */

type Node = Record<string, unknown>;

export const TILLS: Node = {
  folder: "in/tills/",
  unknownFolders: "skip",
  format: { kind: "csv", delimiter: ";" },
  properties: {
    till: { type: "integer" },
    sold: { type: "string", "x-date": ["dd.MM.yyyy"] },
  },
};
export const WEB: Node = {
  folder: "in/web-shop/",
  layout: "epochMillis",
  whenMissing: "report",
  properties: { basket: { type: "object" } },
};

/** The contract of the chain with other keys in `x-etl`, or other sources. */
export const shopsContract = (
  extension: Node = {},
  sources: Node = { tills: TILLS, web_shop: WEB },
  properties: Node = {},
): Node => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  properties: {
    receipt: { type: "string" },
    amount: { type: "number", "x-decimal": [10, 2] },
    ...properties,
  },
  required: ["receipt"],
  "x-etl": {
    businessKey: ["receipt"],
    lookbackDays: 7,
    sourceColumn: "channel",
    sources,
    reasons: [
      { reason: "malformed", rule: "notAnObject" },
      { reason: "missing_receipt", rule: "missing", column: "receipt" },
      { reason: "wrong_type", rule: "wrongType" },
    ],
    output: ["receipt", "amount", "channel", "till", "sold", "basket"],
    ...extension,
  },
});

export const SHOPS_RULES: Node = {
  threshold: 80,
  rules: [{ name: "rows", type: "rowCount", atLeast: 1, action: "halt" }],
};

/** Writes the contract and its rules into a folder. */
export function shopsFiles(folder: string, contract: Node = shopsContract()) {
  const [contractFile, rulesFile] = [join(folder, "shops.schema.json"), join(folder, "shops.quality.json")];
  writeFileSync(contractFile, JSON.stringify(contract));
  writeFileSync(rulesFile, JSON.stringify(SHOPS_RULES));
  return { contractFile, rulesFile };
}
