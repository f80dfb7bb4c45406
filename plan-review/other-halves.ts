import { Change } from "./change";
import { differencesOf } from "./differences";
import { type Finding } from "./finding";
import { judgementsOf } from "./judgements";
import { code, shown } from "./markdown";
import { permissionsOf } from "./permissions";
import { type Invocation, type Plan } from "./plan";

/** The effects of a plan beside its changes of resources. */
export interface OtherHalves {
  /** Imports, forgotten resources, actions, deferred changes, and that the plan is not complete: a reviewer decides about each. */
  readonly notes: readonly Finding[];
  /** Changes of something else since the last apply that matter for data, rights or protection. */
  readonly drift: readonly Finding[];
  /** Moves and harmless drift. */
  readonly quiet: readonly Finding[];
}

export function otherHalvesOf(
  plan: Plan,
  changes: readonly Change[],
  ownAccounts: readonly string[],
): OtherHalves {
  const drift = driftOf(plan, ownAccounts);
  return {
    notes: [
      ...(plan.complete
        ? []
        : [
            {
              address: "",
              text: "the plan is not complete: another plan must follow this apply, and this page does not show it",
            },
          ]),
      ...changes.flatMap(noted),
      ...plan.invocations.map(invoked),
      ...plan.failedChecks.map((name) => ({
        address: "",
        text: `the check ${code(name)} of the configuration fails`,
      })),
    ],
    drift: drift.matters,
    quiet: [
      ...changes
        .filter(({ moved }) => moved)
        .map(({ address, resource }) => ({
          address,
          text: `${code(address)} is moved from ${code(resource.previous_address!)}`,
        })),
      ...drift.harmless,
    ],
  };
}

function noted(change: Change): Finding[] {
  const { address, action, imported, resource, before, after } = change;
  const named = `${code(address)}${change.physicalName === undefined ? "" : ` (${code(change.name)})`}`;
  const found: Finding[] = [];
  if (resource.deferred !== undefined && !(change.isGone && change.before !== undefined))
    found.push({
      address,
      text: `${named} is to be ${action === "nothing" ? "read" : action} later: deferred, ${resource.deferred.replaceAll("_", " ")}`,
    });
  if (action === "forgotten")
    found.push({
      address,
      text: `${named} is forgotten: it stays in AWS with its rights and its costs, and is no longer managed here`,
    });
  if (resource.change.actions.includes("forget") && resource.change.actions.includes("create"))
    found.push({
      address,
      text: `${named} is made anew, and the one before is forgotten: it stays in AWS, and is no longer managed here`,
    });
  if (imported) {
    const attributes = [...new Set(differencesOf(before, after).map(({ keys }) => keys[0]!))].map(code);
    const changed =
      attributes.length === 0 || !change.isChanged
        ? ""
        : `, and ${action}: ${attributes.slice(0, 8).join(", ")}`;
    found.push({ address, text: `${named} is imported: from now on it is managed here${changed}` });
  }
  return found;
}

function invoked({ address, type, config_values, lifecycle_action_trigger, deferred }: Invocation): Finding {
  const trigger = lifecycle_action_trigger?.triggering_resource_address;
  const event = lifecycle_action_trigger?.action_trigger_event
    ?.replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  const when = trigger === undefined ? "" : ` (${event ?? "with"} of ${code(trigger)})`;
  const values = Object.entries(config_values ?? {}).filter(([, value]) => typeof value === "string");
  const what =
    values.length === 0
      ? ""
      : `: ${values.map(([field, value]) => `${code(field)} ${code(shown(value))}`).join(", ")}`;
  const does = /start|invoke|run|execut/.test(type ?? address) ? "starts a run" : "acts at once";
  const put = deferred === undefined ? "" : `; it is deferred (${deferred.replaceAll("_", " ")})`;
  return {
    address,
    text: `the action ${code(address)} ${does} when the plan is applied${when}${what}${put}`,
  };
}

function driftOf(plan: Plan, ownAccounts: readonly string[]): { matters: Finding[]; harmless: Finding[] } {
  const drifted = plan.drift.map((one) => new Change(one, {}));
  const judged = judgementsOf(drifted);
  const { widened, widenedUnread } = permissionsOf(drifted, ownAccounts);
  const loud = new Set([
    ...[...judged.lost, ...judged.guards, ...judged.weakened, ...judged.removed].map(
      ({ address }) => address,
    ),
    ...widened.flatMap(({ subject }) => [...subject.addresses]),
    ...widenedUnread.map(({ address }) => address),
    ...drifted.filter(({ action }) => action === "destroyed").map(({ address }) => address),
  ]);
  const finding = (change: Change): Finding => {
    const attributes = [...new Set(differencesOf(change.before, change.after).map(({ keys }) => keys[0]!))];
    const what = change.action === "destroyed" ? "deleted" : "changed";
    const which =
      change.action === "destroyed" || attributes.length === 0
        ? ""
        : `: ${attributes.slice(0, 8).map(code).join(", ")}`;
    return {
      address: change.address,
      text: `something else ${what} ${code(change.address)} since the last apply${which}`,
    };
  };
  return {
    matters: drifted.filter(({ address }) => loud.has(address)).map(finding),
    harmless: drifted.filter(({ address }) => !loud.has(address)).map(finding),
  };
}
