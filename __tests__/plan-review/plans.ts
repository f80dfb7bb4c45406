import { type Plan, readPlan } from "../../plan-review/plan";
import { pageOf, sectionsOf, type Sections } from "../../plan-review/page";
import { review } from "../../plan-review/review";

/** One resource of a plan: its values before and after; one without `before` is created, one without `after` destroyed. */
export interface Given {
  readonly type: string;
  /** Its address is `type.name`, or this one. */
  readonly name?: string;
  readonly address?: string;
  readonly before?: object;
  readonly after?: object;
  readonly unknown?: object;
  readonly expressions?: object;
  readonly actions?: readonly string[];
  /** Further fields of the resource change. */
  readonly more?: object;
}

const TODAY = "2026-12-01";

export function planText(given: readonly Given[], more: object = {}): string {
  const resources = given.map((one, place) => ({ ...one, name: one.name ?? `n${place}` }));
  return JSON.stringify({
    format_version: "1.2",
    resource_changes: resources.map(changeOf),
    configuration: {
      root_module: {
        resources: resources
          .filter(({ expressions }) => expressions !== undefined)
          .map(({ type, name, expressions }) => ({ address: `${type}.${name}`, expressions })),
      },
    },
    ...more,
  });
}

function changeOf({ type, name, address, before, after, unknown, actions, more }: Given): object {
  const action =
    before === undefined ? "create" : after === undefined ? "delete" : before === after ? "no-op" : "update";
  return {
    ...{ address: address ?? `${type}.${name}`, mode: "managed", type, name },
    change: {
      actions: actions ?? [action],
      before: before ?? null,
      after: after ?? null,
      after_unknown: unknown ?? {},
    },
    ...more,
  };
}

export interface Reviewed {
  readonly exitCode: number;
  readonly sections: Sections;
  readonly page: string;
  readonly verdict: string;
  /** The lines below the verdict that stand before the first empty one. */
  readonly decisions: readonly string[];
}

/** A plan without a configuration, as other tools trim it, if `given` has no expressions. */
export function reviewed(given: readonly Given[], more: object = {}): Reviewed {
  const hasConfiguration =
    given.some(({ expressions }) => expressions !== undefined) || "configuration" in more;
  return reviewedText(planText(given, hasConfiguration ? more : { configuration: undefined, ...more }));
}

export function reviewedText(text: string): Reviewed {
  const plan: Plan = readPlan(text, "plan");
  const found = review(plan, [], TODAY);
  const page = pageOf(found, "");
  const [verdict, ...decisions] = page.split("\n\n")[0]!.split("\n");
  return { exitCode: found.exitCode, sections: sectionsOf(found), page, verdict: verdict!, decisions };
}
