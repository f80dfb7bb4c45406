import { code } from "./markdown";

/** One thing that a reviewer should know of a resource. */
export interface Finding {
  readonly address: string;
  /** A line of Markdown. */
  readonly text: string;
}

/** A line of the page; it always names the address, so that a reader finds the resource in the plan. */
export function lineOf({ address, text }: Finding): string {
  return text.includes(address) ? text : `${text} (${code(address)})`;
}
