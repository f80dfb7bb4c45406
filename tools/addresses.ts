import { SAMPLE_SUBSCRIBER } from "../local/sample-place";

/** The addresses and physical names of a stack's resources: a public contract, because a change destroys the resource. */

type Block = Readonly<Record<string, unknown>>;
type Resources = Readonly<Record<string, Readonly<Record<string, Block>>>>;

export interface Move {
  readonly from: string;
  readonly to: string;
}

export interface StackJson {
  readonly resource?: Resources;
  readonly moved?: readonly Move[];
}

/** Address → physical name; empty when AWS chooses the name. */
export type Names = Readonly<Record<string, string>>;

/** Attributes that name a resource in AWS; for other types `bucket` or `name`. */
const NAMED_BY: Readonly<Record<string, readonly string[]>> = {
  aws_cloudwatch_composite_alarm: ["alarm_name"],
  aws_cloudwatch_dashboard: ["dashboard_name"],
  aws_cloudwatch_event_target: ["rule", "target_id"],
  aws_cloudwatch_metric_alarm: ["alarm_name"],
  aws_glue_catalog_table: ["database_name", "name"],
  aws_iam_role_policy: ["role", "name"],
  aws_s3_object: ["bucket", "key"],
  aws_scheduler_schedule: ["group_name", "name"],
  aws_sfn_alias: ["routing_configuration", "name"],
  aws_sns_topic_policy: ["arn"],
  aws_sns_topic_subscription: ["topic_arn", "protocol", "endpoint"],
  aws_sqs_queue_policy: ["queue_url"],
};
const REFERENCE = /\$\{([a-z0-9_]+)\.(\w+)\.(\w+)\}/;
/** The keys of uploaded files contain the hash of their content, which is not part of the name. */
const CONTENT_HASH = /\b[0-9a-f]{16,64}\b/g;

/** The sample subscriber is left out: each team has its own subscribers. */
export function namesOf({ resource = {} }: StackJson): Names {
  const addresses = Object.entries(resource).flatMap(([type, blocks]) =>
    Object.entries(blocks)
      .filter(([, { endpoint }]) => endpoint !== SAMPLE_SUBSCRIBER)
      .map(([id]) => [`${type}.${id}`, physicalName(resource, type, id)] as const),
  );
  return Object.fromEntries(addresses.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function physicalName(resources: Resources, type: string, id: string): string {
  const block = resources[type]?.[id] ?? {};
  const attributes = NAMED_BY[type] ?? ["bucket" in block ? "bucket" : "name"];
  const parts = attributes.flatMap((attribute) => {
    const value = block[attribute];
    const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
    return text === "" ? [] : [followed(resources, text)];
  });
  return parts.join("/").replaceAll(CONTENT_HASH, "<hash>");
}

/** Replaces each reference by the attribute that it refers to, or else by the resource's name. */
function followed(resources: Resources, text: string): string {
  const [whole, type, id, attribute] = REFERENCE.exec(text) ?? [];
  if (whole === undefined) return text;
  const value = resources[type!]?.[id!]?.[attribute!];
  const name = typeof value === "string" ? followed(resources, value) : physicalName(resources, type!, id!);
  return followed(resources, text.replace(whole, name === "" ? `${type}.${attribute}` : name));
}

export interface Changes {
  /** Gone addresses with their likely successor: the same type and name, or the only one of its type. */
  readonly moves: readonly Move[];
  /** Gone addresses without a likely successor. */
  readonly gone: readonly string[];
  readonly renamed: readonly string[];
  readonly added: readonly string[];
}

/** Changes against the record. An address that a `moved` block covers has not changed. */
export function changesOf(recorded: Names, current: Names, moved: readonly Move[] = []): Changes {
  const target = (address: string) => moved.find(({ from }) => from === address)?.to ?? address;
  const expected = Object.fromEntries(
    Object.entries(recorded).map(([address, name]) => [address in current ? address : target(address), name]),
  );
  const lost = Object.keys(expected).filter((address) => !(address in current));
  const added = Object.keys(current).filter((address) => !(address in expected));
  const moves = lost.flatMap((from) => {
    const to = successorOf(from, expected, lost, current, added);
    return to === undefined ? [] : [{ from, to }];
  });
  const found = (list: readonly string[], address: string) => !list.includes(address);
  return {
    moves,
    gone: lost.filter((address) =>
      found(
        moves.map(({ from }) => from),
        address,
      ),
    ),
    added: added.filter((address) =>
      found(
        moves.map(({ to }) => to),
        address,
      ),
    ),
    renamed: Object.keys(expected).filter(
      (address) => address in current && current[address] !== expected[address],
    ),
  };
}

function successorOf(
  from: string,
  recorded: Names,
  lost: readonly string[],
  current: Names,
  added: readonly string[],
): string | undefined {
  const sameType = (address: string) => address.split(".")[0] === from.split(".")[0];
  const candidates = added.filter(sameType);
  const named = candidates.filter((address) => recorded[from] !== "" && current[address] === recorded[from]);
  if (named.length === 1) return named[0];
  const unnamed = recorded[from] === "" && lost.filter(sameType).length === 1 && candidates.length === 1;
  return unnamed ? candidates[0] : undefined;
}
