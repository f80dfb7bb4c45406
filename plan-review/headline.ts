import { type Finding, lineOf } from "./finding";
import { count } from "./markdown";
import { dollars, figure } from "./money-line";
import { type Review } from "./review";
import { type Findings } from "./sections";

/** The most lines after the verdict: a reviewer reads five lines, whatever else is on the page. */
const MOST_DECISIONS = 4;
const MOST_OF_A_KIND = 2;
const LONGEST = 420;

/** Tells in one line what a plan does. Green means that every change was judged, and that nothing was found. */
export function verdict(review: Review, found: Findings): string {
  const { data, exitCode, deleted } = review;
  const losses = data.lost.length;
  const parts = [
    part(losses, "loss of data", "losses of data"),
    part(found.permissions.length, "permission widened", "permissions widened"),
    part(found.errors.length, "reviewed entry wrong", "reviewed entries wrong"),
    part(deleted.length, "pipeline deleted", "pipelines deleted"),
    part(data.guards.length, "guard of data removed", "guards of data removed"),
    part(found.weakened.length, "protection weakened", "protections weakened"),
    part(found.removed.length, "entry, log or file removed", "entries, logs or files removed"),
    ...besides(review),
    part(found.unjudged.length, "change not judged", "changes not judged"),
    part(stopped(found).length, "schedule or alarm changed", "schedules or alarms changed"),
  ].filter((one) => one !== "");
  const money = moneyText(review);
  if (costsMore(review))
    parts.push(review.money.totals.ceiling[1] === Infinity ? "a run without an end" : "higher costs");
  const isClear = parts.length === 0;
  const sign = exitCode !== 0 ? "❌" : isClear ? "✅" : "⚠️";
  const nothing = review.rest.length === 0 ? "Nothing changes" : "Nothing is lost, widened or weakened";
  const what = parts.length > 0 ? parts.join(", ") : nothing;
  return `${sign} ${what}${money === "" ? "" : `; ${money}`}`;
}

type Kind = readonly [title: string, lines: readonly string[]];

/** Imports, forgotten resources and the like, by kind. */
function besides({ others }: Review): string[] {
  const of = (pattern: RegExp) => others.notes.filter(({ text }) => pattern.test(text)).length;
  const known = [
    [/ is not complete/, "plan not complete", "plans not complete"],
    [/ is forgotten/, "resource forgotten", "resources forgotten"],
    [/ is imported/, "import", "imports"],
    [/^the action /, "action", "actions"],
    [/ deferred/, "change deferred", "changes deferred"],
    [/^the check /, "check failed", "checks failed"],
  ] as const;
  return [
    ...known.map(([pattern, one, many]) => part(of(pattern), one, many)),
    part(others.drift.length, "change outside Terraform", "changes outside Terraform"),
  ];
}

/** Schedules and alarms that are new need no decision. */
const stopped = ({ operations }: Findings): readonly Finding[] =>
  operations.filter(({ text }) => !/ is created/.test(text));

const part = (number: number, one: string, many: string): string =>
  number === 0 ? "" : count(number, one, many);

/** The change of the ceiling and of the month. */
export function moneyText({ money: { totals } }: Review): string {
  const { ceiling, month, isPartial, isUnknown } = totals;
  const texts: string[] = [];
  const [was, is] = ceiling.map((sum, place) => (isUnknown[place] ? "not known" : hours(sum)));
  if (was !== is) texts.push(`a run at most ${was} → ${is} DPU-hours`);
  const [before, after] = month.map((sum, place) =>
    sum === 0 && isPartial[place] ? "unknown" : dollars(sum),
  );
  if (before !== after) texts.push(`a month at most ${before} → ${after}`);
  const without = isPartial.includes(true) && texts.length > 0 ? " (without what has no schedule)" : "";
  return texts.join(", ") + without;
}

const hours = (number: number): string => (number > 0 && number < 0.1 ? number.toFixed(4) : figure(number));

/** A new thing that costs something is no surprise; one without an end is. */
function costsMore({ money: { totals } }: Review): boolean {
  const { ceiling, month } = totals;
  if (ceiling[1] === Infinity && ceiling[0] !== Infinity) return true;
  return [ceiling, month].some(([before, after]) => before > 0 && after > before * 1.001);
}

/**
 * Lists what a reviewer must decide, the worst first, in at most four lines.
 *
 * @param money lines of jobs and functions, not of a deleted pipeline
 */
export function decisions(review: Review, found: Findings): string[] {
  const kinds: readonly Kind[] = [
    ["Data lost", review.data.lost.map(lineOf)],
    ["Permissions", found.permissions.map(lineOf)],
    ["Reviewed file", found.errors.map(lineOf)],
    ["Deleted", review.deleted],
    ["Beside changes", found.others.map(lineOf)],
    ["Not judged", found.unjudged.map(lineOf)],
    ["Protection", [...review.data.guards, ...found.weakened].map(lineOf)],
    ["Removed", found.removed.map(lineOf)],
    ["Cost", costsMore(review) ? found.money.filter(({ address }) => address !== "").map(lineOf) : []],
    ["Schedules and alarms", stopped(found).map(lineOf)],
  ];
  const open = kinds.filter(([, lines]) => lines.length > 0);
  if (open.length <= MOST_DECISIONS) return open.map(decision);
  const rest = open
    .slice(MOST_DECISIONS - 1)
    .map(([title, lines]) => `${title.toLowerCase()} (${lines.length})`);
  return [...open.slice(0, MOST_DECISIONS - 1).map(decision), `**Also**: ${rest.join(", ")}`];
}

function decision([title, lines]: Kind): string {
  const shown = lines.slice(0, MOST_OF_A_KIND);
  // Two long lines are read less than one.
  if (shown.join("; ").length > LONGEST) shown.splice(1);
  const rest = lines.length - shown.length;
  return `**${title}**: ${shown.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`;
}
