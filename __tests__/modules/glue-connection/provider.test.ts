import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EncryptionKey, GlueConnection, type JdbcEngine } from "../../../index";
import { KEY_ARN, place } from "../../support/places";
import { ACCOUNT, REGION, synth } from "../../support/synth";
import { type ModuleJson, validateStacks } from "../../support/validated-modules";

/** Terraform's own verdict on a connection of each engine, with a made group and with given ones. */

const ENGINES: readonly JdbcEngine[] = ["mysql", "oracle", "postgresql", "sqlserver"];

test("Terraform validates them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "etl-connection-"));
  const { json } = synth((stack) => {
    for (const [index, engine] of ENGINES.entries())
      new GlueConnection(stack, engine, {
        name: `shop-${engine}`,
        description: "The shop",
        engine,
        host: "shop.example",
        database: "shop",
        certificate: { location: place("certificates", "ca.pem") },
        secretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:shop-a1B2c3`,
        secretKeyArn: EncryptionKey.fromKeyArn(KEY_ARN).keyArn,
        subnetId: "subnet-0a1b2c3d",
        availabilityZone: "eu-west-1a",
        ...(index % 2 === 0 ? { vpcId: "vpc-0a1b2c3d" } : { securityGroupIds: ["sg-0a1b2c3d"] }),
        region: REGION,
        tags: { team: "data" },
      });
  });
  try {
    expect(await validateStacks(folder, [JSON.parse(json) as ModuleJson])).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
