import { UserError } from "../user-error";

/**
 * Why a plan was not judged: a line that says what is wrong, then lines that say what to do. A page without a verdict must never
 * look like a green one.
 */
export class NoVerdict extends UserError {}

/** The page of a plan that was not judged. */
export function noVerdictPage(environment: string, why: string): string {
  const [what = "", ...rest] = why.trim().split("\n");
  const verdict = `**❔ No verdict on \`${environment}\`: ${what.replace(/:$/, "")}**\n`;
  // A fence that the text holds must not end this one.
  const details = rest.join("\n").replaceAll("```", "'''");
  return details.trim() === "" ? verdict : `${verdict}\n\`\`\`text\n${details}\n\`\`\`\n`;
}

/** The first line of a page, as a terminal shows it. */
export function verdictOf(page: string): string {
  const first = page.split("\n").find((line) => line.trim() !== "") ?? "";
  return first.replace(/^#+ /, "").replaceAll("**", "").trim();
}
