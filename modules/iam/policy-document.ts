import { Lazy } from "cdktf";
import { type PolicyStatement, policyJson } from "./policy-statement";

/**
 * A policy document that is rendered when the stack is. Its statements are resolved before they are sorted: a token's text holds
 * a number that depends on what else is synthesised, and the same stack must have the same bytes alone and beside others.
 */
export function policyDocument(statements: () => readonly PolicyStatement[]): string {
  return Lazy.stringValue({
    produce: (context) => policyJson(context.resolve(statements()) as readonly PolicyStatement[]),
  });
}
