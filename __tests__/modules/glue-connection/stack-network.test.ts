import { type Resources, stackNetworkMistakes } from "../../../modules/glue-connection/stack-network";

/** Mistakes in the network of a connection that a stack's Terraform shows; whatever it leaves open is spared. */

const SUBNET = "${aws_subnet.Private.id}";
const GROUP = "${aws_security_group.Workers.id}";
const TABLE = "${aws_route_table.Private.id}";
const VPC = "${aws_vpc.Main.id}";
const ELSEWHERE = "${var.elsewhere}";
const EVERY_PORT = { from_port: 0, to_port: 65_535 };
const OUT = { cidr_ipv4: "0.0.0.0/0", ip_protocol: "-1", security_group_id: GROUP };
const SELF = {
  ...EVERY_PORT,
  ip_protocol: "tcp",
  security_group_id: GROUP,
  referenced_security_group_id: GROUP,
};

/** A network in which nothing is wrong. */
const RIGHT: Resources = {
  aws_subnet: { Private: { vpc_id: VPC, availability_zone: "eu-west-1a" } },
  aws_route_table: { Private: { vpc_id: VPC } },
  aws_route_table_association: { Private: { subnet_id: SUBNET, route_table_id: TABLE } },
  aws_vpc_endpoint: {
    S3: { service_name: "com.amazonaws.eu-west-1.s3", vpc_id: VPC, route_table_ids: [TABLE] },
  },
  aws_security_group: { Workers: { vpc_id: VPC } },
  aws_vpc_security_group_ingress_rule: { Self: SELF },
  aws_vpc_security_group_egress_rule: { Out: OUT },
};
const NETWORK = {
  subnetId: SUBNET,
  availabilityZone: "eu-west-1a",
  securityGroupIds: [GROUP],
  port: 5432,
};

function found(change: Resources, network: Partial<typeof NETWORK> = {}): string[] {
  const all = stackNetworkMistakes({ ...RIGHT, ...change }, { ...NETWORK, ...network });
  return all.map(([field, mistake]) => `${field} ${mistake.split(/[:;,]/)[0]}`);
}

const NO_SELF = "securityGroupIds must have a group that lets itself in on all TCP ports";
const NO_HTTPS = "securityGroupIds must have a group that lets TCP out on port 443";
const NO_DATABASE = "securityGroupIds must have a group that lets TCP out on port 5432";
const NO_S3 = "subnetId must be a subnet from which S3 can be reached";

test("nothing is wrong with the right network", () => expect(found({})).toEqual([]));

describe("the rule that lets a group in by itself", () => {
  const rule = (one: object): Resources => ({
    aws_vpc_security_group_ingress_rule: { Self: { ...SELF, ...one } },
  });
  const older = (one: object): Resources => ({
    aws_vpc_security_group_ingress_rule: {},
    aws_security_group_rule: {
      Self: { ...EVERY_PORT, type: "ingress", protocol: "tcp", security_group_id: GROUP, self: true, ...one },
    },
  });
  const inline = (one: object): Resources => ({
    aws_vpc_security_group_ingress_rule: {},
    aws_security_group: { Workers: { ingress: [{ ...EVERY_PORT, protocol: "tcp", self: true, ...one }] } },
  });

  test.each<[string, Resources]>([
    ["no rule", { aws_vpc_security_group_ingress_rule: {} }],
    ["another group", rule({ referenced_security_group_id: "sg-0a1b2c3d" })],
    ["an address", rule({ referenced_security_group_id: undefined, cidr_ipv4: "0.0.0.0/0" })],
    ["one port", rule({ from_port: 5432, to_port: 5432 })],
    ["all but port 0", rule({ from_port: 1 })],
    ["UDP", rule({ ip_protocol: "udp" })],
    ["a rule of another group", rule({ security_group_id: "sg-0a1b2c3d" })],
    ["older: egress", older({ type: "egress" })],
    ["older: an address", older({ self: false, cidr_blocks: ["10.0.0.0/8"] })],
    ["inline: not itself", inline({ self: false })],
    ["inline: some ports", inline({ to_port: 1024 })],
  ])("refused: %s", (_what, change) => expect(found(change)).toEqual([NO_SELF]));

  test.each<[string, Resources]>([
    ["every protocol", rule({ ip_protocol: "-1", from_port: undefined, to_port: undefined })],
    ["ports from a variable", rule({ from_port: ELSEWHERE })],
    ["older", older({})],
    ["older, by its id", older({ self: undefined, source_security_group_id: GROUP })],
    ["inline", inline({})],
    [
      "a rule that may be of any group",
      { aws_vpc_security_group_ingress_rule: { Any: { security_group_id: ELSEWHERE } } },
    ],
    ["rules from a variable", { aws_security_group: { Workers: { ingress: ELSEWHERE } } }],
  ])("right, or left open: %s", (_what, change) => expect(found(change)).toEqual([]));

  test("a group from elsewhere may have it", () => {
    const none = { aws_vpc_security_group_ingress_rule: {} };
    for (const id of ["sg-0a1b2c3d", ELSEWHERE, "${data.aws_security_group.Workers.id}"])
      expect(found(none, { securityGroupIds: [GROUP, id] })).toEqual([]);
  });

  test("one of two groups is enough", () => {
    const second = "${aws_security_group.Second.id}";
    const groups = { ...RIGHT.aws_security_group, Second: {} };
    expect(found({ aws_security_group: groups }, { securityGroupIds: [second, GROUP] })).toEqual([]);
    expect(found({ aws_security_group: groups }, { securityGroupIds: [second] })).toEqual([
      NO_SELF,
      NO_HTTPS,
      NO_DATABASE,
    ]);
  });
});

describe("the way out of a group", () => {
  const rule = (one: object): Resources => ({
    aws_vpc_security_group_egress_rule: { Out: { ...OUT, ...one } },
  });

  test.each<[string, Resources, string[]]>([
    [
      "no rule, so Terraform removes AWS's own",
      { aws_vpc_security_group_egress_rule: {} },
      [NO_HTTPS, NO_DATABASE],
    ],
    ["only to itself", rule({ ...SELF, cidr_ipv4: undefined }), [NO_HTTPS, NO_DATABASE]],
    ["only HTTPS", rule({ ip_protocol: "tcp", from_port: 443, to_port: 443 }), [NO_DATABASE]],
    ["only the database", rule({ ip_protocol: "tcp", from_port: 5432, to_port: 5432 }), [NO_HTTPS]],
  ])("refused: %s", (_what, change, mistakes) => expect(found(change)).toEqual(mistakes));

  test.each<[string, Resources]>([
    [
      "to a prefix list and the database's group",
      {
        aws_vpc_security_group_egress_rule: {
          S3: {
            security_group_id: GROUP,
            ip_protocol: "tcp",
            from_port: 443,
            to_port: 443,
            prefix_list_id: "pl-1",
          },
          Database: {
            security_group_id: GROUP,
            ip_protocol: "tcp",
            from_port: 5000,
            to_port: 6000,
            referenced_security_group_id: "sg-0a1b2c3d",
          },
        },
      },
    ],
    [
      "inline",
      {
        aws_vpc_security_group_egress_rule: {},
        aws_security_group: {
          Workers: { egress: [{ protocol: "-1", from_port: 0, to_port: 0, cidr_blocks: ["0.0.0.0/0"] }] },
        },
      },
    ],
  ])("right: %s", (_what, change) => expect(found(change)).toEqual([]));

  test("a port that only Terraform knows", () => {
    const https = rule({ ip_protocol: "tcp", from_port: 443, to_port: 443 });
    expect(stackNetworkMistakes({ ...RIGHT, ...https }, { ...NETWORK, port: undefined })).toEqual([]);
  });
});

describe("the way to S3", () => {
  const NONE = { aws_vpc_endpoint: {} };
  const routes = (...route: object[]): Resources => ({
    ...NONE,
    aws_route_table: { Private: { route: route.map((one) => ({ cidr_block: "0.0.0.0/0", ...one })) } },
  });
  const endpoint = (one: object): Resources => ({
    aws_vpc_endpoint: { S3: { ...RIGHT.aws_vpc_endpoint!.S3, ...one } },
  });

  test.each<[string, Resources]>([
    ["no endpoint and no route", NONE],
    ["an Internet gateway", routes({ gateway_id: "${aws_internet_gateway.Out.id}" })],
    ["an Internet gateway by id", routes({ gateway_id: "igw-0a1b2c3d" })],
    ["an endpoint of another service", endpoint({ service_name: "com.amazonaws.eu-west-1.dynamodb" })],
    ["an endpoint with another table", endpoint({ route_table_ids: ["rtb-0a1b2c3d"] })],
    ["an interface in another VPC", endpoint({ vpc_endpoint_type: "Interface", vpc_id: "vpc-0a1b2c3d" })],
    [
      "a route in another table",
      {
        ...NONE,
        aws_route: { Nat: { route_table_id: "rtb-0a1b2c3d", nat_gateway_id: "${aws_nat_gateway.Out.id}" } },
      },
    ],
  ])("refused: %s", (_what, change) => expect(found(change)).toEqual([NO_S3]));

  test.each<[string, Resources]>([
    ["a NAT gateway", routes({ nat_gateway_id: "${aws_nat_gateway.Out.id}" })],
    ["a transit gateway", routes({ transit_gateway_id: "tgw-0a1b2c3d" })],
    [
      "a route of its own",
      { ...NONE, aws_route: { Nat: { route_table_id: TABLE, nat_gateway_id: "nat-1" } } },
    ],
    [
      "a table from a variable",
      { ...NONE, aws_route: { Nat: { route_table_id: ELSEWHERE, nat_gateway_id: "nat-1" } } },
    ],
    ["an interface", endpoint({ vpc_endpoint_type: "Interface", route_table_ids: undefined })],
    ["a service from a variable", endpoint({ service_name: ELSEWHERE })],
    ["tables from a variable", endpoint({ route_table_ids: ELSEWHERE })],
    [
      "an association",
      {
        ...endpoint({ route_table_ids: undefined }),
        aws_vpc_endpoint_route_table_association: {
          One: { vpc_endpoint_id: "${aws_vpc_endpoint.S3.id}", route_table_id: TABLE },
        },
      },
    ],
    ["the VPC's main table, which may have a route", { ...NONE, aws_route_table_association: {} }],
    [
      "a table from elsewhere",
      {
        ...NONE,
        aws_route_table_association: { One: { subnet_id: SUBNET, route_table_id: "rtb-0a1b2c3d" } },
      },
    ],
  ])("right, or left open: %s", (_what, change) => expect(found(change)).toEqual([]));

  test("a subnet from elsewhere", () => {
    for (const subnetId of ["subnet-0a1b2c3d", ELSEWHERE]) expect(found(NONE, { subnetId })).toEqual([]);
  });
});

test.each<[string, string[]]>([
  ["eu-west-1b", ["availabilityZone must be the zone of 'subnetId'"]],
  ["eu-west-1a", []],
  ["${aws_subnet.Private.availability_zone}", []],
])("zone %s", (availabilityZone, mistakes) => expect(found({}, { availabilityZone })).toEqual(mistakes));
