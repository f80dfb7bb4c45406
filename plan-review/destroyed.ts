import { type Change } from "./change";
import { at } from "./differences";
import { type Finding } from "./finding";
import { code, shown } from "./markdown";
import { type Values } from "./plan";
import { type Holds, holdsOf } from "./resource-types";

const REASONS: Readonly<Record<string, string>> = {
  delete_because_no_resource_config: "it is no longer in the configuration",
  delete_because_no_module: "its module is no longer in the configuration",
  delete_because_wrong_repetition: "count or for_each no longer includes it",
  delete_because_count_index: "count no longer includes it",
  delete_because_each_key: "for_each no longer includes it",
  delete_because_no_move_target: "it was moved to an address that is not in the configuration",
  replace_because_tainted: "it is marked as tainted",
  replace_because_cannot_update: "it cannot be changed in place",
  replace_by_request: "the plan was asked to replace it",
  replace_by_triggers: "a resource in its replace_triggered_by changes",
};

export interface Destroyed {
  /** Data that is lost, or may be. */
  readonly lost: readonly Finding[];
  /** Entries of the catalogue, logs and uploaded files: their data stays, or can be made again. */
  readonly removed: readonly Finding[];
  /** Uploaded files that are replaced by what the configuration has now. */
  readonly renewed: readonly Finding[];
}

/** Reports what goes with a destroyed or replaced resource. */
export function destroyedBy(change: Change): Destroyed {
  const none = { lost: [], removed: [], renewed: [] };
  if (!change.isGone) return none;
  const holds = holdsOf(change);
  if (holds === "nothing") return none;
  const { physicalName, address } = change;
  const named = physicalName === undefined || physicalName === address ? "" : ` (${code(physicalName)})`;
  const finding = [
    {
      address,
      text: `${code(address)}${named} is ${change.action}: ${reasonOf(change)}${LAST[holds](change)}`,
    },
  ];
  if (holds === "copy" && change.action === "replaced") return { ...none, renewed: finding };
  return holds === "data" || holds === "unknown" ? { ...none, lost: finding } : { ...none, removed: finding };
}

const LAST: Readonly<Record<Exclude<Holds, "nothing">, (change: Change) => string>> = {
  data: (change) => (change.type.startsWith("aws_kms_") ? keyLine(change.before) : forceLine(change)),
  unknown: ({ type }) => `; the type ${code(type)} is not known here, so it may hold data`,
  catalogue: ({ before }) => {
    const place = at(before, "storage_descriptor.0.location") ?? before?.location_uri;
    return `; only the entry of the catalogue goes${typeof place === "string" && place !== "" ? `, the files in ${code(place)} stay` : ", the files stay"}`;
  },
  log: ({ before }) =>
    before?.skip_destroy === true
      ? "; `skip_destroy` is on, so the log stays"
      : "; its log lines are deleted",
  copy: ({ action }) =>
    `; its content comes from the configuration${action === "replaced" ? "" : ", so it can be uploaded again"}`,
};

function reasonOf(change: Change): string {
  const { action_reason: reason = "", deposed, deferred } = change.resource;
  const put = deferred === undefined ? "" : `deferred to a later apply (${deferred.replaceAll("_", " ")}); `;
  if (deposed !== undefined) return `${put}it is what an earlier replacement left over`;
  const forced = change.replacePaths.map(
    (path) =>
      `${code(path)} (${code(shown(at(change.before, path)))} → ${code(shown(at(change.after, path)))})`,
  );
  if (forced.length > 0) return `${put}${forced.join(", ")} cannot be changed in place`;
  return (
    put + (REASONS[reason] ?? (reason === "" ? "Terraform gives no reason" : reason.replaceAll("_", " ")))
  );
}

const keyLine = (before: Values | undefined): string =>
  `; the key is scheduled for deletion in ${shown(before?.deletion_window_in_days ?? 30)} days; data encrypted with it can then never be read again`;

/** Without force_destroy the apply fails on a bucket with objects, so the planned loss does not happen. */
function forceLine({ type, before }: Change): string {
  if (type !== "aws_s3_bucket") return "";
  return before?.force_destroy === true
    ? "; `force_destroy` is on, so its objects are deleted too"
    : "; `force_destroy` is off, so the apply fails while it holds objects";
}
