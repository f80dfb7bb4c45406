/**
 * The network of a connection as the Terraform of its stack shows it. Where a stack leaves a question open, because a value comes from
 * elsewhere, nothing is found wrong.
 */

type Block = Readonly<Record<string, unknown>>;
/** Resources by type and id, with references as Terraform's text: `${aws_subnet.Private.id}`. */
export type Resources = Readonly<Record<string, Readonly<Record<string, Block>>>>;

/** A security group's rule in one form for the three ways to write it. */
interface Rule {
  readonly direction: "egress" | "ingress";
  readonly isToSelf: boolean;
  readonly protocol: unknown;
  readonly from: unknown;
  readonly to: unknown;
}

/** The resource of a type to which an id refers, if it is in the stack. */
function named(resources: Resources, type: string, reference: unknown): string | undefined {
  const [, found, id] = /^\$\{(aws_\w+)\.([\w-]+)\.(?:id|arn)\}$/.exec(String(reference)) ?? [];
  return found === type && resources[type]?.[id!] !== undefined ? id : undefined;
}

const blocksOf = (resources: Resources, type: string): Block[] => Object.values(resources[type] ?? {});

function listOf(value: unknown): Block[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as Block[]) : undefined;
}

/** An id as it stands, or a plain reference, names one resource. Anything else may name any. */
const namesOne = (value: unknown): boolean =>
  typeof value === "string" && (!value.includes("${") || /^\$\{aws_\w+\.[\w-]+\.\w+\}$/.test(value));

// ---- security groups -------------------------------------------------------------------------------------------------

/**
 * The rules of security groups that are made in the stack; `undefined` if a group or a rule comes from elsewhere.
 */
function rulesOf(resources: Resources, groupIds: readonly string[]): Rule[] | undefined {
  const groups = groupIds.map((id) => named(resources, "aws_security_group", id));
  const apart = ["aws_security_group_rule", ...APART.map(({ type }) => type)].flatMap((type) =>
    blocksOf(resources, type),
  );
  const isOpen = groups.includes(undefined) || apart.some(({ security_group_id: group }) => !namesOne(group));
  if (isOpen) return undefined;
  const rules: Rule[] = [];
  for (const [index, id] of groups.entries()) {
    const inline = inlineRules(resources.aws_security_group![id!]!);
    if (inline === undefined) return undefined;
    rules.push(...inline, ...rulesApart(resources, groupIds[index]!));
  }
  return rules;
}

function inlineRules(group: Block): Rule[] | undefined {
  const all = (["ingress", "egress"] as const).map((direction) =>
    listOf(group[direction])?.map(({ self, protocol, from_port: from, to_port: to }): Rule => ({
      direction,
      isToSelf: self === true,
      protocol,
      from,
      to,
    })),
  );
  return all.some((rules) => rules === undefined) ? undefined : all.flatMap((rules) => rules!);
}

const APART = [
  { type: "aws_vpc_security_group_ingress_rule", direction: "ingress" },
  { type: "aws_vpc_security_group_egress_rule", direction: "egress" },
] as const;

function rulesApart(resources: Resources, group: string): Rule[] {
  const older = blocksOf(resources, "aws_security_group_rule")
    .filter(({ security_group_id: id }) => id === group)
    .map(({ type, self, source_security_group_id: source, protocol, from_port: from, to_port: to }) => ({
      direction: type as Rule["direction"],
      isToSelf: self === true || source === group,
      protocol,
      from,
      to,
    }));
  const newer = APART.flatMap(({ type, direction }) =>
    blocksOf(resources, type)
      .filter(({ security_group_id: id }) => id === group)
      .map(
        ({ referenced_security_group_id: other, ip_protocol: protocol, from_port: from, to_port: to }) => ({
          direction,
          isToSelf: other === group,
          protocol,
          from,
          to,
        }),
      ),
  );
  return [...older, ...newer];
}

/** Tells whether a rule lets TCP through on a range of ports; a value from elsewhere may be right. */
function opens({ protocol, from, to }: Rule, least: number, most: number): boolean {
  const name = String(protocol).toLowerCase();
  if (name === "-1" || name === "all" || name.includes("${")) return true;
  if (name !== "tcp" && name !== "6") return false;
  return (typeof from !== "number" || from <= least) && (typeof to !== "number" || to >= most);
}

// ---- routes ----------------------------------------------------------------------------------------------------------

/** The route table that the stack associates with a subnet of its own. */
function routeTableOf(resources: Resources, subnetId: string): string | undefined {
  if (named(resources, "aws_subnet", subnetId) === undefined) return undefined;
  const found = blocksOf(resources, "aws_route_table_association").find(
    ({ subnet_id: id }) => id === subnetId,
  );
  const table = found?.route_table_id;
  return named(resources, "aws_route_table", table) === undefined ? undefined : String(table);
}

/**
 * Tells whether a route can lead to S3. Glue's interfaces have no public address, so an Internet gateway is no way out.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/start-connecting.html
 */
const leadsOut = (route: Block): boolean =>
  Object.entries(route).some(
    ([name, target]) =>
      /_id$/.test(name) &&
      !/^(route_table_id|destination_prefix_list_id)$/.test(name) &&
      typeof target === "string" &&
      target !== "" &&
      !/^(igw-|\$\{aws_internet_gateway\.)/.test(target),
  );

function routesReachS3(resources: Resources, table: string): boolean {
  const id = named(resources, "aws_route_table", table)!;
  const inline = listOf(resources.aws_route_table![id]!.route);
  if (inline === undefined || inline.some(leadsOut)) return true;
  return blocksOf(resources, "aws_route").some(
    (route) => (route.route_table_id === table || !namesOne(route.route_table_id)) && leadsOut(route),
  );
}

/** An endpoint for S3 with the route table, or one with interfaces in the subnet's VPC. */
function endpointReachesS3(resources: Resources, table: string, vpc: unknown): boolean {
  return Object.entries(resources.aws_vpc_endpoint ?? {}).some(([id, endpoint]) => {
    const { service_name: service, vpc_endpoint_type: kind, route_table_ids: tables, vpc_id: of } = endpoint;
    if (!/\$\{|\.s3$/.test(String(service))) return false;
    if (kind === "Interface") return of === vpc || !namesOne(of);
    const listed = tables === undefined ? [] : Array.isArray(tables) ? tables : undefined;
    if (listed === undefined || listed.includes(table) || listed.some((one) => !namesOne(one))) return true;
    const apart = blocksOf(resources, "aws_vpc_endpoint_route_table_association");
    return apart.some(
      ({ vpc_endpoint_id: end, route_table_id: other }) =>
        (end === `\${aws_vpc_endpoint.${id}.id}` || !namesOne(end)) && (other === table || !namesOne(other)),
    );
  });
}

// ---- judgement -------------------------------------------------------------------------------------------------------

/** The network of a connection, with references as Terraform's text. */
export interface JudgedNetwork {
  readonly subnetId: string;
  readonly availabilityZone: string;
  readonly securityGroupIds: readonly string[];
  /** The port of the database, if it is known. */
  readonly port?: number;
}

/**
 * Lists what is wrong with the network of a connection as far as the stack shows it: `[field, mistake]`.
 *
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html (rules of groups),
 * https://docs.aws.amazon.com/glue/latest/dg/vpc-endpoints-s3.html,
 * https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/security_group (a group without rules for egress lets nothing out)
 */
export function stackNetworkMistakes(
  resources: Resources,
  network: JudgedNetwork,
): (readonly [field: string, mistake: string])[] {
  return [
    ...zoneMistakes(resources, network),
    ...groupRuleMistakes(resources, network),
    ...routeMistakes(resources, network),
  ];
}

type Found = (readonly [string, string])[];

function zoneMistakes(resources: Resources, { subnetId, availabilityZone: zone }: JudgedNetwork): Found {
  const id = named(resources, "aws_subnet", subnetId);
  const real = id === undefined ? undefined : resources.aws_subnet![id]!.availability_zone;
  if (typeof real !== "string" || real === zone || real.includes("${") || zone.includes("${")) return [];
  return [["availabilityZone", `must be the zone of 'subnetId', ${real}, got ${zone}`]];
}

const LAST_PORT = 65_535;
const HTTPS = 443;

function groupRuleMistakes(resources: Resources, { securityGroupIds: ids, port }: JudgedNetwork): Found {
  const rules = rulesOf(resources, ids);
  if (rules === undefined) return [];
  const mistakes: Found = [];
  const field = "securityGroupIds";
  const isToItself = rules.some(
    (rule) => rule.direction === "ingress" && rule.isToSelf && opens(rule, 0, LAST_PORT),
  );
  if (!isToItself)
    mistakes.push([
      field,
      "must have a group that lets itself in on all TCP ports, because the workers of a run talk to each other through it; " +
        "add such an ingress rule, or leave 'securityGroupIds' out, and one is made",
    ]);
  const lets = (wanted: number): boolean =>
    rules.some((rule) => rule.direction === "egress" && !rule.isToSelf && opens(rule, wanted, wanted));
  if (!lets(HTTPS))
    mistakes.push([
      field,
      "must have a group that lets TCP out on port 443: S3 and Secrets Manager are not reachable otherwise; add an egress rule",
    ]);
  if (port !== undefined && !lets(port))
    mistakes.push([
      field,
      `must have a group that lets TCP out on port ${port}, that of the database; add an egress rule`,
    ]);
  return mistakes;
}

function routeMistakes(resources: Resources, { subnetId }: JudgedNetwork): Found {
  const table = routeTableOf(resources, subnetId);
  if (table === undefined) return [];
  const vpc = resources.aws_subnet![named(resources, "aws_subnet", subnetId)!]!.vpc_id;
  if (routesReachS3(resources, table) || endpointReachesS3(resources, table, vpc)) return [];
  return [
    [
      "subnetId",
      "must be a subnet from which S3 can be reached: its route table has neither an S3 endpoint nor a way out, and an Internet gateway " +
        "does not help interfaces without a public address; add a gateway endpoint for S3 with this route table, or a NAT gateway",
    ],
  ];
}
