import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InternetGateway } from "@cdktf/provider-aws/lib/internet-gateway";
import { RouteTable } from "@cdktf/provider-aws/lib/route-table";
import { RouteTableAssociation } from "@cdktf/provider-aws/lib/route-table-association";
import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group";
import { SecurityGroupRule } from "@cdktf/provider-aws/lib/security-group-rule";
import { Subnet } from "@cdktf/provider-aws/lib/subnet";
import { Vpc } from "@cdktf/provider-aws/lib/vpc";
import { type TerraformStack } from "cdktf";
import { GlueConnection, type GlueConnectionProps, GlueSparkJob } from "../../../index";
import { ServiceRole } from "../../../modules/iam/service-role";
import { ARTIFACTS, KEY_ARN, place, PROCESSED, ROLE } from "../../support/places";
import { ACCOUNT, byText, refusal, REGION, type Statement, synth, unknownText } from "../../support/synth";

const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:shop/reader-a1B2c3`;
const SHOP: GlueConnectionProps = {
  name: "etl-dev-shop",
  engine: "postgresql",
  host: "shop.example",
  database: "shop",
  secretArn: SECRET,
  subnetId: "subnet-0a1b2c3d",
  availabilityZone: "eu-west-1a",
  vpcId: "vpc-0a1b2c3d",
  region: REGION,
};
const GROUPS = { vpcId: undefined, securityGroupIds: ["sg-0a1b2c3d"] };
const PASSWORD = "hunter2-" + "x9";

/** Rights to a connection, its secret, the secret's key and its network. */
const isOfConnection = (statement: Statement): boolean =>
  /glue:|ec2:|secretsmanager/.test(JSON.stringify([statement.Action, statement.Condition]));

const make = (stack: TerraformStack, change: Partial<GlueConnectionProps> = {}, id = "Shop") =>
  new GlueConnection(stack, id, { ...SHOP, ...change });
const refused = (change: Partial<Record<keyof GlueConnectionProps, unknown>>): string[] =>
  refusal((stack) => make(stack, change as Partial<GlueConnectionProps>))
    .replace("GlueConnection 'etl-dev/Shop': ", "")
    .split("; '")
    .map((one, index) => (index === 0 ? one : `'${one}`));

test("the minimum: TLS, the secret's reference, and a group of its own that lets itself in", () => {
  const { at, built, counts, reference } = synth((stack) => make(stack));
  expect(at("Shop/Resource")).toEqual({
    name: "etl-dev-shop",
    connection_type: "JDBC",
    connection_properties: {
      JDBC_CONNECTION_URL: built.jdbcUrl,
      JDBC_ENFORCE_SSL: "true",
      SECRET_ID: SECRET,
    },
    physical_connection_requirements: {
      subnet_id: "subnet-0a1b2c3d",
      availability_zone: "eu-west-1a",
      security_group_id_list: [reference("Shop/SecurityGroup", "id")],
    },
  });
  expect(built.jdbcUrl).toMatch(/^jdbc:postgresql:\/\/shop\.example:5432\/shop\?sslmode=verify-full&/);
  expect(built).toMatchObject({
    connectionName: "etl-dev-shop",
    engine: "postgresql",
    tls: true,
    secretArn: SECRET,
  });
  expect(counts).toEqual({
    aws_glue_connection: 1,
    aws_security_group: 1,
    aws_vpc_security_group_ingress_rule: 1,
    aws_vpc_security_group_egress_rule: 3,
  });
  const group = reference("Shop/SecurityGroup", "id");
  const toItself = {
    security_group_id: group,
    referenced_security_group_id: group,
    ip_protocol: "tcp",
    from_port: 0,
    to_port: 65_535,
  };
  expect(at("Shop/FromItself")).toMatchObject(toItself);
  expect(at("Shop/ToItself")).toMatchObject(toItself);
  expect(at("Shop/ToAws")).toMatchObject({ from_port: 443, to_port: 443, cidr_ipv4: "0.0.0.0/0" });
  expect(at("Shop/ToDatabase")).toMatchObject({ from_port: 5432, to_port: 5432, cidr_ipv4: "0.0.0.0/0" });
});

test.each([
  ["postgresql", 5432, 5432],
  ["mysql", 3306, 3306],
  ["sqlserver", 1433, 1433],
  ["oracle", 2484, 1521],
] as const)("%s listens on %i, and without TLS on %i", (engine, port, plain) => {
  for (const [tls, wanted] of [
    [true, port],
    [false, plain],
  ] as const) {
    const { at, built } = synth((stack) => make(stack, { engine, tls, allowUnencrypted: !tls }));
    expect(at("Shop/ToDatabase")).toMatchObject({ from_port: wanted, to_port: wanted });
    expect(built.jdbcUrl).toContain(`shop.example:${wanted}`);
    expect(at("Shop/Resource").connection_properties).toMatchObject({ JDBC_ENFORCE_SSL: String(tls) });
  }
});

test("given groups are used, and none is made", () => {
  const { at, built, counts } = synth((stack) => make(stack, GROUPS));
  expect(counts).toEqual({ aws_glue_connection: 1 });
  expect(built.securityGroupIds).toEqual(["sg-0a1b2c3d"]);
  expect(at("Shop/Resource").physical_connection_requirements).toMatchObject({
    security_group_id_list: ["sg-0a1b2c3d"],
  });
});

test("two in one stack have a group each", () => {
  const { counts } = synth((stack) => [make(stack), make(stack, { name: "other" }, "Other")]);
  expect(counts).toMatchObject({ aws_glue_connection: 2, aws_security_group: 2 });
});

test.each<[string, Partial<Record<keyof GlueConnectionProps, unknown>>, string]>([
  ["a name with a space", { name: "a b" }, "'name' must be 1 to 200 letters, digits or _.-, got \"a b\""],
  [
    "no zone",
    { availabilityZone: undefined },
    "'availabilityZone' must be a zone such as eu-west-1a, got \"\"",
  ],
  [
    "a zone of another region",
    { availabilityZone: "eu-west-2a" },
    "'availabilityZone' must be a zone of 'region', eu-west-1, got eu-west-2a",
  ],
  [
    "no subnet",
    { subnetId: undefined },
    "'subnetId' must be an id such as subnet-0a1b2c3d4e5f67890, got \"\"",
  ],
  ["no group and no VPC", { vpcId: undefined }, "'vpcId' must be given without 'securityGroupIds'"],
  ["a VPC by name", { vpcId: "main" }, "'vpcId' must be an id such as vpc-"],
  [
    "a group and a VPC",
    { securityGroupIds: ["sg-0a1b2c3d"] },
    "'vpcId' must be left out with 'securityGroupIds'",
  ],
  [
    "an empty list of groups",
    { ...GROUPS, securityGroupIds: [] },
    "'securityGroupIds' must be 1 to 50 groups, got 0",
  ],
  [
    "a group by name",
    { ...GROUPS, securityGroupIds: ["workers"] },
    "'securityGroupIds[0]' must be an id such as sg-",
  ],
  [
    "TLS off",
    { tls: false },
    "'tls' must be true unless 'allowUnencrypted' is true as well, got false and false",
  ],
  ["a secret by name", { secretArn: "shop" }, "'secretArn' must be the whole ARN of a secret"],
  [
    "a secret's ARN without its end",
    { secretArn: SECRET.slice(0, -7) },
    "'secretArn' must be the whole ARN of a secret",
  ],
  [
    "an alias of a key",
    { secretKeyArn: KEY_ARN.replace("key/", "alias/") },
    "'secretKeyArn' must be a key's ARN",
  ],
  [
    "a certificate without TLS",
    { certificate: { location: place("b", "ca.pem") }, tls: false, allowUnencrypted: true },
    "'certificate' needs 'tls'",
  ],
  [
    "a trust store",
    { certificate: { location: place("b", "ca.jks") } },
    "'certificate' must be a file that ends in .pem",
  ],
  [
    "a secret of another region",
    { secretArn: SECRET.replace(REGION, "eu-west-2") },
    "'secretArn' must be a secret of 'region', eu-west-1, got one of eu-west-2",
  ],
  ["a placeholder", { host: "<host>" }, "'host' still holds a placeholder"],
])("refused: %s", (_what, change, message) => {
  const found = refused(change);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(message);
});

test.each<[string, Partial<Record<keyof GlueConnectionProps, unknown>>]>([
  ["instead of the secret's ARN", { secretArn: PASSWORD }],
  ["in the host", { host: `etl:${PASSWORD}@shop.example` }],
  ["in the database", { database: `shop?password=${PASSWORD}` }],
  ["as an option", { options: { password: PASSWORD } }],
  ["in the description", { description: `password=${PASSWORD}` }],
  ["in a tag", { tags: { password: PASSWORD } }],
])("a password %s is refused, and not repeated", (_where, change) => {
  const message = refusal((stack) => make(stack, change as Partial<GlueConnectionProps>));
  expect(message).toMatch(/^GlueConnection 'etl-dev\/Shop': '/);
  expect(message).not.toContain(PASSWORD);
});

test("a wrong region is refused, and what is not in it", () => {
  expect(refused({ region: "eu_west" }).map((one) => one.split(" ")[0])).toEqual([
    "'region'",
    "'secretArn'",
    "'availabilityZone'",
  ]);
});

test("all mistakes at once, before anything is created", () => {
  expect(
    refused({
      availabilityZone: "",
      secretArn: "shop",
      tls: false,
      host: "",
      port: 0,
      options: { user: "a" },
    }).map((one) => one.split(" ")[0]),
  ).toEqual(["'host'", "'port'", "'options.user'", "'tls'", "'secretArn'", "'availabilityZone'"]);
});

test.each(["USERNAME", "PASSWORD", "ENCRYPTED_PASSWORD"])("an override cannot set %s", (property) => {
  const message = refusal((stack) =>
    make(stack).resource.addOverride(`connection_properties.${property}`, PASSWORD),
  );
  expect(message).toContain(`'connection_properties.${property}' must be left out`);
  expect(message).not.toContain(PASSWORD);
});

test("an override cannot put a password into the URL", () => {
  const message = refusal((stack) =>
    make(stack).resource.addOverride(
      "connection_properties.JDBC_CONNECTION_URL",
      `jdbc:postgresql://shop.example/shop?password=${PASSWORD}`,
    ),
  );
  expect(message).toContain("'connection_properties.JDBC_CONNECTION_URL' looks like a password");
  expect(message).not.toContain(PASSWORD);
});

test("what only Terraform can resolve is left alone", () => {
  const text = unknownText();
  const change = {
    host: text,
    database: text,
    secretArn: text,
    secretKeyArn: text,
    subnetId: text,
    availabilityZone: text,
    vpcId: text,
  };
  expect(() => synth((stack) => make(stack, change))).not.toThrow();
});

describe("the network of the stack", () => {
  /** A subnet with a route table, and a group with the given rules. */
  function network(stack: TerraformStack, { isPublic = false, lets = true } = {}) {
    const vpc = new Vpc(stack, "Vpc", { cidrBlock: "10.0.0.0/16" });
    const subnet = new Subnet(stack, "Subnet", {
      vpcId: vpc.id,
      cidrBlock: "10.0.1.0/24",
      availabilityZone: "eu-west-1b",
    });
    const gateway = new InternetGateway(stack, "Gateway", { vpcId: vpc.id });
    const way = isPublic ? { gatewayId: gateway.id } : { natGatewayId: "nat-0a1b2c3d" };
    const table = new RouteTable(stack, "Table", {
      vpcId: vpc.id,
      route: [{ cidrBlock: "0.0.0.0/0", ...way }],
    });
    new RouteTableAssociation(stack, "Association", { subnetId: subnet.id, routeTableId: table.id });
    const group = new SecurityGroup(stack, "Group", { vpcId: vpc.id });
    const connection = make(stack, {
      ...GROUPS,
      subnetId: subnet.id,
      availabilityZone: "eu-west-1b",
      securityGroupIds: [group.id],
    });
    // Rules may come after the connection.
    const rule = { securityGroupId: group.id, protocol: "-1", fromPort: 0, toPort: 0 };
    if (lets)
      new SecurityGroupRule(stack, "Self", {
        ...rule,
        type: "ingress",
        selfAttribute: true,
        fromPort: 0,
        toPort: 0,
      });
    new SecurityGroupRule(stack, "Out", { ...rule, type: "egress", cidrBlocks: ["0.0.0.0/0"] });
    return { connection, subnet };
  }

  test("a right one", () => expect(() => synth((stack) => network(stack))).not.toThrow());

  test("its mistakes, all at once, validations skipped or not", () => {
    const message = refusal((stack) => {
      const { connection } = network(stack, { isPublic: true, lets: false });
      connection.resource.addOverride("physical_connection_requirements.availability_zone", "eu-west-1a");
    });
    expect(message).toMatch(
      /^GlueConnection 'etl-dev\/Shop': 'availabilityZone' must be the zone of 'subnetId', eu-west-1b, got eu-west-1a; /,
    );
    expect(message).toContain("'securityGroupIds' must have a group that lets itself in on all TCP ports");
    expect(message).toContain("'subnetId' must be a subnet from which S3 can be reached");
  });

  test("an override of the made group's rule is seen", () => {
    const message = refusal((stack) => {
      const shop = make(stack);
      const rule = shop.node.findChild("FromItself") as SecurityGroupRule;
      rule.addOverride("to_port", 1024);
    });
    expect(message).toContain("'securityGroupIds' must have a group that lets itself in on all TCP ports");
  });
});

describe("a job that lists it", () => {
  const folder = mkdtempSync(join(tmpdir(), "etl-connection-"));
  const script = join(folder, "extract.py");
  writeFileSync(script, "print(1)\n");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const job = (
    stack: TerraformStack,
    connections: readonly GlueConnection[],
    change: object = {},
    id = "Job",
  ): GlueSparkJob =>
    new GlueSparkJob(stack, id, {
      name: `etl-dev-${id.toLowerCase()}`,
      script,
      artifacts: { ...ARTIFACTS, prefix: `${id}/` },
      inputs: [],
      outputs: [PROCESSED],
      connections,
      capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
      account: ACCOUNT,
      region: REGION,
      ...change,
    });

  test("gets exactly the rights to use it, and waits for its rules", () => {
    const certificate = { location: place("certificates", "shop/ca.pem") };
    const { address, at, statements } = synth((stack) =>
      job(stack, [make(stack, { secretKeyArn: KEY_ARN, certificate })]),
    );
    expect(at("Job/Resource").connections).toEqual(["etl-dev-shop"]);
    for (const child of ["Resource", "FromItself", "ToItself", "ToAws", "ToDatabase"])
      expect(at("Job/Resource").depends_on).toContain(address(`Shop/${child}`));
    const glue = `arn:aws:glue:${REGION}:${ACCOUNT}`;
    const found = statements("Job/Role/Policy/Resource");
    expect(byText(found.filter(isOfConnection))).toEqual(
      byText([
        {
          Effect: "Allow",
          Action: "glue:GetConnection",
          Resource: [`${glue}:catalog`, `${glue}:connection/etl-dev-shop`],
        },
        { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: SECRET },
        {
          Effect: "Allow",
          Action: "kms:Decrypt",
          Resource: KEY_ARN,
          Condition: { StringEquals: { "kms:ViaService": `secretsmanager.${REGION}.amazonaws.com` } },
        },
        {
          Effect: "Allow",
          Action: [
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcEndpoints",
          ],
          Resource: "*",
        },
        {
          Effect: "Allow",
          Action: ["ec2:CreateTags", "ec2:DeleteTags"],
          Resource: `arn:aws:ec2:${REGION}:${ACCOUNT}:network-interface/*`,
          Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": "aws-glue-service-resource" } },
        },
      ]),
    );
    expect(JSON.stringify(found)).toContain("arn:aws:s3:::certificates/shop/ca.pem");
  });

  test("two jobs with one role and one connection have the rights once", () => {
    const policies = [1, 2].map((jobs) => {
      const { statements } = synth((stack) => {
        const shop = make(stack);
        const role = ServiceRole.fromRoleAttributes(stack, "Brought", ROLE);
        for (let index = 0; index < jobs; index += 1) job(stack, [shop], { role }, `Job${index}`);
      });
      return statements("Brought/Policy/Resource").filter(isOfConnection);
    });
    expect(policies[1]).toEqual(policies[0]);
    expect(policies[0]!.length).toBe(4);
  });

  test("neither plan nor state nor arguments hold more of the secret than its ARN", () => {
    const { json } = synth((stack) => job(stack, [make(stack)]));
    expect(json).toContain(SECRET);
    expect(json).not.toMatch(/password|PASSWORD|username|USERNAME/);
  });

  test.each<[string, string, string]>([
    ["ids", "subnet-0a1b2c3d", "subnet-1a1b2c3d"],
    ["resources", "A", "B"],
  ])("is refused with two subnets, by their %s", (kind, one, other) => {
    const message = refusal((stack) => {
      const subnet = (name: string) =>
        kind === "ids"
          ? name
          : new Subnet(stack, `Subnet${name}`, { vpcId: "vpc-0a1b2c3d", cidrBlock: "10.0.0.0/24" }).id;
      const first = make(stack, { subnetId: subnet(one) }, "First");
      const second = make(stack, { name: "second", subnetId: subnet(other) }, "Second");
      job(stack, [first, second]);
    });
    expect(message).toContain("'connections[1].subnetId' must be the subnet of 'connections[0]', ");
  });

  test("one subnet by two references is one subnet", () => {
    const build = (stack: TerraformStack) => {
      const subnet = new Subnet(stack, "Subnet", { vpcId: "vpc-0a1b2c3d", cidrBlock: "10.0.0.0/24" });
      const first = make(stack, { subnetId: subnet.id }, "First");
      job(stack, [first, make(stack, { name: "second", subnetId: subnet.id }, "Second")]);
    };
    expect(() => synth(build)).not.toThrow();
  });
});
