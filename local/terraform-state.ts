import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LOCAL } from "./places";

/** Terraform's state of a stack on the bench, read without Terraform. */

export const STATE = "terraform.tfstate";

interface State {
  readonly resources?: readonly { readonly mode: string; readonly instances: readonly unknown[] }[];
  readonly outputs?: Readonly<Record<string, { readonly value: unknown }>>;
}

/** The folder in which Terraform works on a stack. @param local the bench's folder */
export function terraformFolder(stack: string, local: string = LOCAL): string {
  return join(local, "terraform", stack);
}

/** How many resources Terraform's state of a stack holds. */
export function deployedResources(stack: string): number {
  const { resources = [] } = stateOf(stack);
  return resources.reduce((sum, { mode, instances }) => sum + (mode === "managed" ? instances.length : 0), 0);
}

/** The names of the outputs in Terraform's state of a stack. */
export function deployedOutputs(stack: string): string[] {
  return Object.keys(stateOf(stack).outputs ?? {});
}

/** The outputs in Terraform's state of a stack. */
export function outputValues(stack: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(stateOf(stack).outputs ?? {}).map(([name, { value }]) => [name, value]),
  );
}

function stateOf(stack: string): State {
  const state = join(terraformFolder(stack), STATE);
  if (!existsSync(state)) return {};
  try {
    return JSON.parse(readFileSync(state, "utf8")) as State;
  } catch {
    return {}; // Terraform was killed while it wrote
  }
}
