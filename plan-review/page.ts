import { differencesOf } from "./differences";
import { type Finding, lineOf } from "./finding";
import { type Group, SHARED } from "./groups";
import { decisions, verdict } from "./headline";
import { code, folded, list } from "./markdown";
import { PRICED } from "./money";
import { type Review, restOf } from "./review";
import { type Findings, findingsOf, sectionsOf } from "./sections";

export { sectionsOf };
export type { Sections } from "./sections";

/** GitHub refuses a longer comment (https://github.com/orgs/community/discussions/41331); the rest is room for a note of the caller. */
const LONGEST_PAGE = 62_000;

/** The most lines of a section that are open, and that are folded. */
interface Room {
  readonly open: number;
  readonly folded: number;
}

const ROOMS: readonly Room[] = [
  { open: 12, folded: 300 },
  { open: 10, folded: 80 },
  { open: 8, folded: 25 },
  { open: 5, folded: 8 },
  { open: 3, folded: 2 },
  { open: 2, folded: 0 },
];

/**
 * Writes the page of a pull request: the verdict and what must be decided in five lines, dangerous changes next, the rest folded by pipeline. The page
 * fits into a comment of GitHub: the lines that have no room are counted.
 *
 * @param about a line below the decisions, e.g. the environment and its state
 */
export function pageOf(review: Review, about: string): string {
  const all = findingsOf(review);
  for (const room of ROOMS) {
    const page = written(review, all, about, room);
    if (Buffer.byteLength(page) <= LONGEST_PAGE) return page;
  }
  return `${written(review, all, about, { open: 1, folded: 0 }).slice(0, LONGEST_PAGE / 4)}\n`;
}

function written(review: Review, all: Findings, about: string, room: Room): string {
  const deleted = review.groups.filter(({ isDeleted }) => isDeleted);
  const goes = new Set(deleted.flatMap(({ changes }) => changes.map(({ address }) => address)));
  const found = withoutDeleted(all, goes);
  const decided = decisions(review, found);
  const section = (title: string, findings: readonly Finding[], note = "") =>
    findings.every((one) => decided.some((line) => line.includes(lineOf(one))))
      ? findings.length === 0
        ? ""
        : note
      : open(title, findings, review.groups, room, note);
  const shut = (title: string, findings: readonly Finding[], note = "") =>
    findings.length === 0
      ? ""
      : folded(
          `${title} (${findings.length})`,
          [grouped(findings, review.groups, room.folded), note].filter((part) => part !== "").join("\n\n"),
        );
  const top = [`**${verdict(review, found)}**`, ...decided.map((line) => `- ${line}`)];
  return `${[
    top.join("\n"),
    about,
    section("Data destroyed or replaced", found.data, review.data.lost.length > 0 ? PREVENTED : ""),
    section("Permissions widened", found.permissions, ALLOWED),
    section("Reviewed file", found.errors),
    section(
      "Pipelines deleted",
      review.deleted.map((text) => ({ address: " ", text })),
    ),
    section("Beside changes: imports, forgotten resources, actions, drift", found.others),
    section("Not judged", found.unjudged, UNJUDGED),
    section("Encryption, public access, retention or logging weakened", found.weakened),
    section("Removed, while the data stays or can be made again", found.removed),
    section("Schedules and alarms", split(found.operations, NEW_OPERATION).others),
    section("Capacity and money", split(found.money, NEW_COST).others, PRICED),
    shut("New schedules and alarms", split(found.operations, NEW_OPERATION).news),
    shut("Cost of new resources", split(found.money, NEW_COST).news, PRICED),
    shut("Permissions allowed by the reviewed file", found.allowed),
    shut("Permissions narrowed", found.narrowed),
    shut("Permissions that follow a resource to its new name", found.followed),
    shut("Uploaded files that get another content", found.renewed),
    shut("Permissions of roles and resources that this plan creates", found.created),
    shut("Moves and other changes outside this plan", found.quiet),
    ...goingWith(deleted, all, room),
    everything(review, room),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

/** New things are no surprise in a plan that makes them, so they are folded. */
const NEW_OPERATION = / is created/;
const NEW_COST = /: – → (?!unlimited)/;

function split(
  findings: readonly Finding[],
  isNew: RegExp,
): { readonly news: readonly Finding[]; readonly others: readonly Finding[] } {
  const news = findings.filter(({ text }) => isNew.test(text));
  return { news, others: findings.filter(({ text }) => !isNew.test(text)) };
}

const PREVENTED = "A plan does not show `prevent_destroy`: if it is set, Terraform refuses to apply.";
const ALLOWED =
  "An entry in the reviewed file (`--allow`) can allow each of them, except policies that could not be read.";
const UNJUDGED = "Look at these in the plan: no rule knows what they do to data, rights, protection or cost.";

/** Findings that belong to a deleted pipeline are one line; losses of data and permissions are never left out. */
function withoutDeleted(found: Findings, goes: ReadonlySet<string>): Findings {
  const rest = (findings: readonly Finding[]) => findings.filter(({ address }) => !goes.has(address));
  return {
    ...found,
    unjudged: rest(found.unjudged),
    weakened: rest(found.weakened),
    removed: rest(found.removed),
    operations: rest(found.operations),
    money: rest(found.money),
  };
}

function open(
  title: string,
  findings: readonly Finding[],
  groups: readonly Group[],
  room: Room,
  note: string,
): string {
  if (findings.length === 0) return "";
  const rest = findings.slice(room.open);
  const more = rest.length === 0 ? "" : folded(`${rest.length} more`, grouped(rest, groups, room.folded));
  const parts = [`### ${title}`, list(findings.slice(0, room.open).map(lineOf)), more, note];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Lines by pipeline; those that have no room are counted. */
function grouped(findings: readonly Finding[], groups: readonly Group[], most: number): string {
  const of = new Map(
    groups.flatMap(({ name, changes }) => changes.map(({ address }) => [address, name] as const)),
  );
  const byGroup = new Map<string, string[]>();
  for (const one of findings.slice(0, most)) {
    const name = of.get(one.address) ?? SHARED;
    byGroup.set(name, [...(byGroup.get(name) ?? []), lineOf(one)]);
  }
  const left = findings.length - most;
  const parts = [...byGroup].map(([name, lines]) =>
    byGroup.size === 1 ? list(lines) : `${name === SHARED ? "Shared" : code(name)}\n\n${list(lines)}`,
  );
  return [...parts, ...(left > 0 ? [`- and ${left} more, which have no room here`] : [])].join("\n\n");
}

/** The findings of deleted pipelines, one fold for each. */
function goingWith(deleted: readonly Group[], found: Findings, room: Room): string[] {
  const of = new Map(
    deleted.flatMap((group) => group.changes.map(({ address }) => [address, group] as const)),
  );
  const byGroup = new Map<Group, Finding[]>(deleted.map((group) => [group, []]));
  for (const one of [found.removed, found.weakened, found.operations, found.money, found.unjudged].flat()) {
    const group = of.get(one.address);
    if (group !== undefined) byGroup.get(group)!.push(one);
  }
  return [...byGroup]
    .filter(([, lines]) => lines.length > 0)
    .slice(0, room.folded)
    .map(([{ name }, lines]) =>
      folded(`What goes with ${name} (${lines.length})`, grouped(lines, [], Math.max(1, room.folded))),
    );
}

/** Every changed resource: counts by type for each pipeline, and the attributes of what is updated. */
function everything(review: Review, room: Room): string {
  const groups = review.groups
    .map((group) => ({ ...group, rest: restOf(group.changes) }))
    .filter(({ rest }) => rest.length > 0);
  if (groups.length === 0) return "";
  if (groups.length === 1)
    return folded("Everything by type", list([...groups[0]!.rest, ...updates(groups[0]!, room)]));
  const parts = groups
    .slice(0, Math.max(10, room.folded))
    .map((group) =>
      list([
        `${group.name === SHARED ? "Shared" : code(group.name)}: ${group.rest.join(", ")}`,
        ...updates(group, room).map((line) => line),
      ]),
    );
  const left = groups.length - parts.length;
  return folded("Everything by pipeline", [...parts, ...(left > 0 ? [`- and ${left} more`] : [])].join("\n"));
}

function updates({ changes }: Group, room: Room): string[] {
  const updated = changes.filter(({ action }) => action === "updated" || action === "replaced");
  return updated.slice(0, room.folded).map((change) => {
    const attributes = [...new Set(differencesOf(change.before, change.after).map(({ keys }) => keys[0]!))];
    return `${code(change.address)} ${change.action}: ${attributes.slice(0, 8).map(code).join(", ")}`;
  });
}
