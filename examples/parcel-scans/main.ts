import { join } from "node:path";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformOutput, TerraformStack } from "cdktf";
import { ContractPipeline, EtlPlatform, Step, Zone } from "cdktf-aws-etl";
import { defineShipments } from "./shipments/pipeline";

const { ACCOUNT_ID: account, AWS_REGION: region } = process.env;
if (account === undefined || region === undefined) throw new Error("set ACCOUNT_ID and AWS_REGION");

const app = new App();
const stack = new TerraformStack(app, "parcel-scans");
new AwsProvider(stack, "Aws", { region, allowedAccountIds: [account] });
// To be undone when it was tried: a lake of data that is kept goes without the two last props.
const destroyable = { retainData: false, allowDataDestruction: true };
const platform = new EtlPlatform(stack, "Platform", { name: "parcels", account, region, ...destroyable });
const lock = Step.acquireLock("AcquireLock", { table: platform.locks, waitMinutes: 30 });
const { orchestrator } = new ContractPipeline(stack, "Scans", {
  platform,
  pipeline: "scans",
  contractFile: join(__dirname, "scans.schema.json"),
  rulesFile: join(__dirname, "scans.quality.json"),
  steps: (steps) => steps.replace("AcquireLock", lock),
});
const shipments = defineShipments(stack, "Shipments", platform);
new TerraformOutput(stack, "raw_bucket", { value: platform.lake.bucket(Zone.RAW).bucketName });
new TerraformOutput(stack, "state_machine_arn", { value: orchestrator.stateMachineArn });
new TerraformOutput(stack, "shipments_arn", { value: shipments.orchestrator.stateMachineArn });
new TerraformOutput(stack, "topic_arn", { value: platform.notifications.topicArn });
app.synth();
