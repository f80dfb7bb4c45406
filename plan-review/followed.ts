import { type Change } from "./change";
import { type Effect } from "./policy-effects";

/** Permissions of one holder, by whether they stay with a resource that the plan replaces under another name. */
export interface Followed {
  readonly gained: readonly Effect[];
  readonly lost: readonly Effect[];
  /** Permissions on the new resource which the holder had on the one that it replaces. */
  readonly followed: readonly Effect[];
}

/** Resources that a plan replaces under another name, such as an uploaded file whose key has a hash of its content. */
export class Renamed {
  private readonly names: readonly (readonly [was: string, is: string])[];

  constructor(changes: readonly Change[]) {
    this.names = changes.filter(({ action }) => action === "replaced").flatMap(renamedArn);
  }

  /** Tells permissions that only follow their resource from those that are gained and lost. */
  follow(gained: readonly Effect[], lost: readonly Effect[]): Followed {
    if (this.names.length === 0 || gained.length === 0 || lost.length === 0)
      return { gained, lost, followed: [] };
    const moved = new Map(lost.flatMap((one) => this.afterwards(one).map((key) => [key, one] as const)));
    const followed = gained.filter((one) => moved.has(keyOf(one, one.resource.values)));
    const left = new Set(followed.map((one) => moved.get(keyOf(one, one.resource.values))));
    return {
      gained: gained.filter((one) => !followed.includes(one)),
      lost: lost.filter((one) => !left.has(one)),
      followed,
    };
  }

  /** The permission as it is when its resource has the new name; empty if its resource is not renamed. */
  private afterwards(effect: Effect): string[] {
    const { except, values } = effect.resource;
    const [where] = values;
    if (except || where === undefined) return [];
    const name = this.names.find(([was]) => where === was || /^[/:]/.test(rest(where, was)));
    return name === undefined ? [] : [keyOf(effect, [`${name[1]}${rest(where, name[0])}`])];
  }
}

const rest = (where: string, name: string): string =>
  where.startsWith(name) ? where.slice(name.length) : "";

const keyOf = (
  { kind, principal, action, resource, conditions }: Effect,
  values: readonly string[],
): string => JSON.stringify([kind, principal, action, resource.except, values, conditions]);

/** Terraform does not know the new ARN before apply, but an ARN is made of the attributes whose change replaces the resource. */
function renamedArn({ before, after, replacePaths }: Change): [string, string][] {
  const was = before?.arn;
  if (typeof was !== "string" || was === "") return [];
  let is = was;
  for (const path of replacePaths) {
    const [old, next] = [before?.[path], after?.[path]];
    if (typeof old === "string" && old !== "" && typeof next === "string") is = is.replace(old, () => next);
  }
  return is === was ? [] : [[was, is]];
}
