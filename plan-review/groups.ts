import { type Change, withoutKeys } from "./change";
import { code, count, shown } from "./markdown";
import { looksLikePolicy, parsePolicy } from "./policy-document";

/** Resources that belong together: a pipeline with everything around it, or what no pipeline owns. */
export interface Group {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly isPipeline: boolean;
  /** `true` if the plan takes a whole pipeline away. */
  readonly isDeleted: boolean;
}

/** Resources that run a pipeline. */
const RUNNERS = /^aws_(sfn_state_machine|glue_job|glue_workflow|mwaa_environment|batch_job_definition)$/;

export const SHARED = "shared";

/**
 * Groups resources by pipeline: by the outermost module, or by the first part of the name, which is the construct's id in a synthesised stack
 * (`Sales_Alarms_Data_0802A79F`). Groups without anything that runs become one.
 */
export function groupsOf(changes: readonly Change[]): Group[] {
  const byKey = new Map<string, Change[]>();
  for (const change of changes) {
    const key = keyOf(change.resource.previous_address ?? change.address);
    const found = byKey.get(key);
    if (found === undefined) byKey.set(key, [change]);
    else found.push(change);
  }
  const shared: Change[] = [];
  const pipelines: Group[] = [];
  for (const [name, members] of byKey)
    if (members.some(({ type }) => RUNNERS.test(type)) && members.length > 1)
      pipelines.push({ name, changes: members, isPipeline: true, isDeleted: isDeleted(members) });
    else shared.push(...members);
  const rest: Group = { name: SHARED, changes: shared, isPipeline: false, isDeleted: false };
  return shared.length === 0 ? pipelines : [...pipelines, rest];
}

function keyOf(address: string): string {
  const module = /^module\.([^.[]+(?:\[[^\]]*\])?)/.exec(address)?.[1];
  if (module !== undefined) return module;
  const name = withoutKeys(address).split(".").at(-1)!;
  return name.split(/[_-]/)[0]!;
}

/** A pipeline is deleted when everything of it that existed goes, and something that ran is among it. */
function isDeleted(members: readonly Change[]): boolean {
  const existed = members.filter((one) => one.existed);
  const goes = existed.every(({ action }) => action === "destroyed" || action === "forgotten");
  return (
    goes &&
    existed.length === members.length &&
    existed.some(({ type, action }) => RUNNERS.test(type) && action === "destroyed")
  );
}

/** One line for a deleted pipeline, with what stays of it. */
export function deletedLine({ name, changes }: Group, all: readonly Change[]): string {
  const gone = changes.filter(({ action }) => action === "destroyed");
  const logs = gone.filter(
    ({ type, before }) => type === "aws_cloudwatch_log_group" && before?.skip_destroy !== true,
  );
  const kept = changes.filter(
    (change) => change.type === "aws_cloudwatch_log_group" && !logs.includes(change),
  );
  const data = writtenBy(gone, all);
  const stays = [
    ...(data.length === 0
      ? []
      : [
          `its data in ${data.slice(0, 4).map(code).join(", ")}${data.length > 4 ? ` and ${data.length - 4} more` : ""}`,
        ]),
    ...kept.map(({ name: log }) => `its log ${code(log)}`),
    ...changes.filter(({ action }) => action === "forgotten").map(({ address }) => code(address)),
  ];
  return (
    `pipeline ${code(name)} is deleted (${count(gone.length, "resource")})` +
    (stays.length === 0
      ? "; nothing of it stays that this plan knows"
      : `; ${stays.join(", ")} ${stays.length === 1 && data.length <= 1 ? "stays" : "stay"}`) +
    (logs.length === 0 ? "" : `; its log ${logs.map(({ name: log }) => code(log)).join(", ")} goes`)
  );
}

/** The places in which roles of a pipeline may write objects, in buckets that the plan does not destroy. */
function writtenBy(gone: readonly Change[], all: readonly Change[]): string[] {
  const lost = new Set(
    all
      .filter(
        ({ type, action }) =>
          type === "aws_s3_bucket" && action !== "nothing" && action !== "updated" && action !== "created",
      )
      .map(({ name }) => name),
  );
  const places = gone.flatMap(({ before }) =>
    Object.values(before ?? {})
      .filter(looksLikePolicy)
      .flatMap((policy) => placesIn(policy)),
  );
  return [...new Set(places)].filter((place) => !lost.has(place.slice("s3://".length).split("/")[0]!)).sort();
}

function placesIn(policy: unknown): string[] {
  try {
    return parsePolicy(policy, { principal: "*", resource: "*" })
      .filter(
        ({ effect, actions }) =>
          effect === "Allow" && actions.values.some((action) => /^s3:(put|\*)/i.test(action)),
      )
      .flatMap(({ resources }) => resources.values)
      .filter((arn) => arn.startsWith("arn:aws:s3:::"))
      .map((arn) => `s3://${shown(arn.slice("arn:aws:s3:::".length)).replace(/\*+$/, "")}`);
  } catch {
    return [];
  }
}
