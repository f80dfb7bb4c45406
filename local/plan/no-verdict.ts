import { UserError } from "../user-error";

/** Why a plan was not judged, and what to type instead. Never a verdict: a page without one must not look like a green one. */
export class NoVerdict extends UserError {}

/** The page of a plan that was not judged. */
export function noVerdictPage(environment: string, why: string): string {
  const [first = "", ...rest] = why.trim().split("\n");
  return [
    `**❔ No verdict on \`${environment}\`: ${first}**`,
    ...(rest.length === 0
      ? []
      : ["", "```text", ...rest.join("\n").replaceAll("```", "'''").trim().split("\n"), "```"]),
    "",
  ].join("\n");
}

/** The first line of a page, as a terminal shows it. */
export function verdictOf(page: string): string {
  const first = page.split("\n").find((line) => line.trim() !== "") ?? "";
  return first.replace(/^#+ /, "").replaceAll("**", "").trim();
}
