import { type Finding, lineOf } from "./finding";
import { code } from "./markdown";
import { permissionLines, unreadLine } from "./permission-lines";
import { type Review } from "./review";

/** The findings of a page, by what they are about. */
export interface Findings {
  readonly data: readonly Finding[];
  readonly permissions: readonly Finding[];
  readonly errors: readonly Finding[];
  readonly others: readonly Finding[];
  readonly unjudged: readonly Finding[];
  readonly weakened: readonly Finding[];
  readonly removed: readonly Finding[];
  readonly renewed: readonly Finding[];
  readonly operations: readonly Finding[];
  readonly money: readonly Finding[];
  readonly allowed: readonly Finding[];
  readonly narrowed: readonly Finding[];
  readonly followed: readonly Finding[];
  readonly created: readonly Finding[];
  readonly quiet: readonly Finding[];
}

export type Sections = Readonly<Record<keyof Findings | "deleted" | "rest", readonly string[]>>;

export function findingsOf(review: Review): Findings {
  const { data, permissions, judged, weakened, operations, money, others, unjudged, unknown } = review;
  const somewhere = (text: string): Finding => ({ address: "", text });
  return {
    data: [...data.lost, ...data.guards.map(({ address, text }) => ({ address, text: `guard: ${text}` }))],
    permissions: [
      ...permissionLines(judged.widened, "may", true),
      ...permissions.widenedUnread.map(unreadLine),
    ],
    errors: judged.errors.map(({ entry, why }) =>
      somewhere(
        `reviewed entry ${code(entry.principal)} ${code(entry.action)} on ${code(entry.resource)}: ${why}; remove it, or have it reviewed again`,
      ),
    ),
    others: [...others.notes, ...others.drift],
    unjudged: [...unknown, ...unjudged],
    removed: data.removed,
    renewed: data.renewed,
    ...{ weakened, operations },
    money: money.lines.map(({ what, before, after, address = "" }) => ({
      address,
      text: `${what}: ${before} → ${after}`,
    })),
    allowed: judged.allowed.map(({ permission, by }) =>
      somewhere(
        `${permissionLines([permission])[0]!.text}: ${by.reason} (${by.reviewedBy}, until ${by.expires})`,
      ),
    ),
    narrowed: permissionLines(permissions.narrowed, "no longer may"),
    followed: permissionLines(permissions.followed, "still may"),
    created: [...permissionLines(permissions.created), ...permissions.createdUnread.map(unreadLine)],
    quiet: others.quiet,
  };
}

/** The lines of a page, by section. */
export function sectionsOf(review: Review): Sections {
  const found = findingsOf(review);
  const lines = Object.entries(found).map(([name, findings]) => [
    name,
    (findings as readonly Finding[]).map(lineOf),
  ]);
  return {
    ...(Object.fromEntries(lines) as Record<keyof Findings, string[]>),
    deleted: review.deleted,
    rest: review.rest,
  };
}
