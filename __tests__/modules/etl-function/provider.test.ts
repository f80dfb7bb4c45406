import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EncryptionKey } from "../../../modules/encryption/encryption-key";
import { EtlFunction } from "../../../modules/etl-function/etl-function";
import { FunctionLayer } from "../../../modules/etl-function/function-layer";
import { packLayer } from "../../../modules/etl-function/layer-archive";
import { type FunctionArchitecture, type FunctionRuntime } from "../../../modules/etl-function/runtimes";
import { ROOT } from "../../support/clone";
import { ARTIFACTS, KEY_ARN } from "../../support/places";
import { ACCOUNT, REGION, synth } from "../../support/synth";
import { type ModuleJson, validateStacks } from "../../support/validated-modules";

/** A function with every prop and its layer, judged by Terraform and the provider. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-function-provider-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const alerts = {
  topicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:alerts`,
  allowPublishFromAlarms: () => undefined,
};

function stack(runtime: FunctionRuntime, architecture: FunctionArchitecture): ModuleJson {
  const file = join(folder, `${runtime}.zip`);
  writeFileSync(file, packLayer(new Map(), { runtime, architecture, packages: [], unzippedBytes: 0 }));
  const { json } = synth((scope) => {
    const layer = new FunctionLayer(scope, "Layer", { name: "tiny", file, artifacts: ARTIFACTS });
    return new EtlFunction(scope, "Count", {
      name: "etl-dev-count",
      handler: "count_objects.handler",
      folder: join(ROOT, "glue-scripts", "functions", "count_objects"),
      artifacts: ARTIFACTS,
      runtime,
      architecture,
      layers: [layer],
      memoryMegabytes: 10_240,
      timeoutSeconds: 900,
      temporaryStorageMegabytes: 10_240,
      environment: { PLACE: "raw" },
      reservedConcurrency: 1,
      asynchronous: { retries: 0, maximumAgeSeconds: 60 },
      alarms: { alerts },
      vpc: { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] },
      encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN),
      tracing: true,
      account: ACCOUNT,
      region: REGION,
    });
  });
  return JSON.parse(json) as ModuleJson;
}

test("it knows every runtime that is accepted, and not the one that is refused for its sake", async () => {
  const known = [stack("python3.11", "x86_64"), stack("python3.12", "arm64"), stack("python3.13", "x86_64")];
  const newer = JSON.parse(JSON.stringify(known[2]).replaceAll("python3.13", "python3.14")) as ModuleJson;
  const found = await validateStacks(join(folder, "together"), [...known, newer]);
  // The function of that stack refers to the layer, so Terraform does not reach it.
  expect(found).toEqual([
    expect.stringMatching(
      /^stack-3\/.*: error: expected compatible_runtimes to be one of .*, got python3\.14/,
    ),
  ]);
}, 120_000);
