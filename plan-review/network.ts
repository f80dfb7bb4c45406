import { type Change } from "./change";
import { differencesOf } from "./differences";
import { type Finding } from "./finding";
import { code, shown } from "./markdown";
import { type Values } from "./plan";

/** One way through the network. */
interface Opening {
  readonly direction: "in" | "out";
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
  readonly peer: string;
}

const EVERYWHERE = ["0.0.0.0/0", "::/0"];

/** Reports rules that let more through than before; of a new resource, only what the whole internet may reach. */
export function networkOpened(change: Change): Finding[] {
  const { before, after, address, name } = change;
  if (after === undefined || !change.isChanged) return [];
  const was = openingsOf(change.type, before);
  const is = openingsOf(change.type, after);
  if (was.length + is.length > 0 || RULED.test(change.type)) {
    const news = is.filter((one) => !was.some((other) => lets(other, one)));
    // A rule of its own is new, but the group that it opens may exist.
    const counts = change.existed || !/_security_group$/.test(change.type) ? news : news.filter(isOpenToAll);
    const worth = counts.filter(
      (one) => one.direction === "in" || (change.existed && EVERYWHERE.includes(one.peer)),
    );
    const of = code(shown(after.security_group_id ?? name));
    return worth.length === 0
      ? []
      : [{ address, text: `network of ${of} is opened: ${worth.map(told).join("; ")}` }];
  }
  if (!mentionsEverywhere(after)) return [];
  const everywhere = differencesOf(before, after).filter(
    ({ was, is }) => everywhereIn(is) && !everywhereIn(was),
  );
  return everywhere.map(({ path }) => ({
    address,
    text: `${code(name)}: ${code(path)} is opened to the whole internet`,
  }));
}

const RULED = /security_group(_rule|_ingress_rule|_egress_rule)?$|network_acl(_rule)?$/;

const everywhereIn = (value: unknown): boolean =>
  typeof value === "string" ? EVERYWHERE.includes(value) : Array.isArray(value) && value.some(everywhereIn);
const mentionsEverywhere = (value: unknown): boolean =>
  typeof value === "object" && value !== null
    ? Object.values(value).some(mentionsEverywhere)
    : EVERYWHERE.includes(value as string);
const isOpenToAll = ({ peer, direction }: Opening): boolean =>
  direction === "in" && EVERYWHERE.includes(peer);

function openingsOf(type: string, values: Values | undefined): Opening[] {
  if (values === undefined || !RULED.test(type)) return [];
  if (/_acl_rule$/.test(type))
    return values.rule_action === "deny" ? [] : openings(values, values.egress === true);
  if (/_ingress_rule$/.test(type)) return openings(values, false);
  if (/_egress_rule$/.test(type)) return openings(values, true);
  if (/_group_rule$/.test(type)) return openings(values, values.type === "egress");
  return (["ingress", "egress"] as const).flatMap((field) =>
    (Array.isArray(values[field]) ? (values[field] as Values[]) : [])
      .filter(({ action }) => action !== "deny")
      .flatMap((rule) => openings(rule, field === "egress")),
  );
}

const PEERS = [
  ...["cidr_blocks", "ipv6_cidr_blocks", "cidr_block", "ipv6_cidr_block", "cidr_ipv4", "cidr_ipv6"],
  ...[
    "prefix_list_ids",
    "prefix_list_id",
    "security_groups",
    "source_security_group_id",
    "referenced_security_group_id",
  ],
];

function openings(rule: Values, isOut: boolean): Opening[] {
  const peers = PEERS.flatMap((field) => {
    const value = rule[field];
    return (Array.isArray(value) ? (value as unknown[]) : [value]).filter(
      (one) => one !== null && one !== undefined && one !== "",
    );
  });
  if (rule.self === true) peers.push("itself");
  const protocol = shown(rule.protocol ?? rule.ip_protocol ?? "-1");
  const isAll = protocol === "-1" || protocol === "all";
  const port = (value: unknown, otherwise: number) =>
    isAll || typeof value !== "number" || value < 0 ? otherwise : value;
  return peers.map((peer) => ({
    direction: isOut ? "out" : "in",
    protocol: isAll ? "all" : protocol,
    from: port(rule.from_port, 0),
    to: port(rule.to_port, 65_535),
    peer: shown(peer),
  }));
}

const lets = (outer: Opening, inner: Opening): boolean =>
  outer.direction === inner.direction &&
  (outer.protocol === "all" || outer.protocol === inner.protocol) &&
  outer.from <= inner.from &&
  outer.to >= inner.to &&
  (outer.peer === inner.peer ||
    (EVERYWHERE.includes(outer.peer) &&
      outer.peer.includes(":") === inner.peer.includes(":") &&
      /[./]/.test(inner.peer)));

const told = ({ direction, protocol, from, to, peer }: Opening): string => {
  const ports =
    from === 0 && to === 65_535 ? "all ports" : from === to ? `port ${from}` : `ports ${from} to ${to}`;
  const who = EVERYWHERE.includes(peer) ? `${code(peer)}, the whole internet` : code(peer);
  return `${protocol === "all" ? "every protocol" : protocol}, ${ports}, ${direction === "in" ? "from" : "to"} ${who}`;
};
