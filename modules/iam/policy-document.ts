import { Lazy } from "cdktf";
import { type PolicyStatement, policyJson } from "./policy-statement";

/**
 * A policy document that is rendered with the stack. Statements are resolved before they are sorted, because the text of a token depends on
 * what else is synthesised, and a stack must have the same bytes alone and with others.
 */
export function policyDocument(statements: () => readonly PolicyStatement[]): string {
  return Lazy.stringValue({
    produce: (context) => policyJson(context.resolve(statements()) as readonly PolicyStatement[]),
  });
}
