import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetConnectionCommand } from "@aws-sdk/client-glue";
import { RouteTable } from "@cdktf/provider-aws/lib/route-table";
import { RouteTableAssociation } from "@cdktf/provider-aws/lib/route-table-association";
import { Subnet } from "@cdktf/provider-aws/lib/subnet";
import { Vpc } from "@cdktf/provider-aws/lib/vpc";
import { VpcEndpoint } from "@cdktf/provider-aws/lib/vpc-endpoint";
import { type TerraformStack } from "cdktf";
import { GlueConnection } from "../../index";
import { clientsOf } from "../../local/clients";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH } from "../../local/places";
import { BenchSecrets } from "../../local/secrets";
import { providerOverride } from "../../local/provider-override";
import { providerSource } from "../../local/provider-source";
import { CREDENTIALS } from "../support/drivers";
import { synthToFolder } from "../support/synth";

/** A connection with its network, applied by Terraform to the embedded AWS. */

const local = mkdtempSync(join(tmpdir(), "etl-connection-"));
let aws: EmbeddedAws;
let secrets: BenchSecrets;

beforeAll(async () => {
  aws = await EmbeddedAws.start(local);
  secrets = new BenchSecrets(aws.at);
}, 60_000);
afterAll(async () => {
  secrets?.destroy();
  await aws?.stop();
  rmSync(local, { recursive: true, force: true });
}, 60_000);

function build(stack: TerraformStack, secretArn: string): void {
  const { region } = BENCH;
  const vpc = new Vpc(stack, "Vpc", { cidrBlock: "10.0.0.0/16" });
  const availabilityZone = `${region}a`;
  const subnet = new Subnet(stack, "Subnet", { vpcId: vpc.id, cidrBlock: "10.0.1.0/24", availabilityZone });
  const table = new RouteTable(stack, "Table", { vpcId: vpc.id });
  new RouteTableAssociation(stack, "Association", { subnetId: subnet.id, routeTableId: table.id });
  new VpcEndpoint(stack, "S3", {
    vpcId: vpc.id,
    serviceName: `com.amazonaws.${region}.s3`,
    routeTableIds: [table.id],
  });
  new GlueConnection(stack, "Shop", {
    name: "shop",
    engine: "postgresql",
    host: "shop.example",
    database: "shop",
    secretArn,
    subnetId: subnet.id,
    availabilityZone,
    vpcId: vpc.id,
    region,
  });
}

/** @throws Error with Terraform's message */
async function apply(folder: string): Promise<void> {
  const override = {
    ...providerOverride(aws.at),
    terraform: { backend: { local: { path: "terraform.tfstate" } } },
  };
  writeFileSync(join(folder, "override.tf.json"), JSON.stringify(override));
  const source = await providerSource(join(local, "settings"), process.env);
  const env = {
    ...process.env,
    ...source.variables,
    AWS_CA_BUNDLE: aws.at.caBundle,
    AWS_EC2_METADATA_DISABLED: "true",
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
  for (const words of [["init"], ["apply", "-auto-approve"]]) {
    const options = { cwd: folder, encoding: "utf8", env } as const;
    const { status, stdout, stderr } = spawnSync(
      "terraform",
      [...words, "-input=false", "-no-color"],
      options,
    );
    if (status !== 0) throw new Error(`${stdout}${stderr}`);
  }
}

test("Glue has the connection with its group, and neither Terraform nor Glue has the password", async () => {
  const arn = await secrets.write("shop/reader", {
    username: CREDENTIALS.user,
    password: CREDENTIALS.password,
  });
  const folder = join(local, "terraform");
  synthToFolder(
    (stack) => build(stack, arn),
    (made) => cpSync(made, folder, { recursive: true }),
  );
  await apply(folder);

  const { glue } = clientsOf(aws.at);
  const { Connection } = await glue.send(new GetConnectionCommand({ Name: "shop" }));
  expect(Connection).toMatchObject({
    ConnectionType: "JDBC",
    ConnectionProperties: {
      JDBC_CONNECTION_URL: expect.stringContaining("sslmode=verify-full") as string,
      JDBC_ENFORCE_SSL: "true",
      SECRET_ID: arn,
    },
    PhysicalConnectionRequirements: {
      AvailabilityZone: `${BENCH.region}a`,
      SubnetId: expect.stringMatching(/^subnet-/) as string,
      SecurityGroupIdList: [expect.stringMatching(/^sg-/) as string],
    },
  });
  expect(JSON.stringify(Connection)).not.toContain(CREDENTIALS.password);
  glue.destroy();
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (file.isFile() && !file.parentPath.includes(".terraform/"))
      expect(readFileSync(join(file.parentPath, file.name)).includes(CREDENTIALS.password)).toBe(false);
}, 240_000);
