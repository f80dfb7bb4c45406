import type { z } from "zod";
import { UsageError } from "./usage-error";

const HOW = "create it with terraform plan -out=plan.tfplan; terraform show -json plan.tfplan > plan.json";
const ZIP = "PK\u0003\u0004";

/** The text of a file. Shells on Windows write UTF-16, and editors put a byte-order mark in front. */
export function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return new TextDecoder("utf-8").decode(bytes);
}

/** @throws UsageError in one sentence if the text does not hold the JSON object of a plan */
export function planObject(text: string, what: string): Readonly<Record<string, unknown>> {
  const json = jsonOf(text.replace(/^\uFEFF/, ""), what);
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new UsageError(`${what} is not a plan: it holds no JSON object. ${HOW}`);
  const fields = json as Record<string, unknown>;
  const version = fields.format_version;
  if (version === undefined) throw new UsageError(`${what} is not a plan: it has no format_version. ${HOW}`);
  if (typeof version !== "string" || !/^1\.\d+$/.test(version))
    throw new UsageError(
      `${what} has format_version ${JSON.stringify(version)}, but only 1.x is supported: use Terraform 1.1 or later`,
    );
  const isPlan = ["resource_changes", "planned_values", "configuration"].some((field) => field in fields);
  if (!isPlan)
    throw new UsageError(
      `${what} is ${"values" in fields ? "a state, not a plan" : "not a plan: it has no resource_changes"}: ${HOW}`,
    );
  return fields;
}

function jsonOf(text: string, what: string): unknown {
  if (text.startsWith(ZIP))
    throw new UsageError(
      `${what} is not valid JSON: it is Terraform's binary plan, so convert it with terraform show -json ${what} > plan.json`,
    );
  if (text.trim() === "") throw new UsageError(`${what} is not valid JSON: it is empty. ${HOW}`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (/^\s*\{"@level"/.test(text))
      throw new UsageError(
        `${what} is not valid JSON: it is the log that terraform plan -json prints. ${HOW}`,
      );
    throw new UsageError(`${what} is not valid JSON (${oneLine((error as Error).message)}): ${HOW}`);
  }
}

/** The first mistake of a document, as one sentence. */
export function firstMistake(error: z.ZodError, what: string): UsageError {
  const [issue] = error.issues;
  const place = issue!.path.map(String).join(".");
  const others = error.issues.length - 1;
  const more = others > 0 ? `, and ${others} more` : "";
  return new UsageError(`${what} is not a plan: ${place}: ${oneLine(issue!.message)}${more}`);
}

const oneLine = (text: string): string => {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  return flat.length > 200 ? `${flat.slice(0, 199)}…` : flat;
};
