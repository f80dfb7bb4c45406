import { type Outputs } from "./terraform";
import { UserError } from "./user-error";

/** Looks up an output of a deployed stack. @throws UserError naming the outputs that the stack has */
export function output(outputs: Outputs, name: string): string {
  const value = outputs[name];
  if (value !== undefined) return value;
  throw new UserError(
    `the deployed stack has no output '${name}'; it has ${Object.keys(outputs).join(", ")}`,
  );
}
