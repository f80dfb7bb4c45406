import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformOutput, TerraformStack } from "cdktf";
import { EtlPlatform, Zone } from "cdktf-aws-etl";
import { defineDepotReports } from "./depot-reports";

const { ACCOUNT_ID: account, AWS_REGION: region } = process.env;
if (account === undefined || region === undefined) throw new Error("set ACCOUNT_ID and AWS_REGION");

const app = new App();
const stack = new TerraformStack(app, "depot-reports");
new AwsProvider(stack, "Aws", { region, allowedAccountIds: [account] });
// To be undone when it was tried: a lake of data that is kept goes without the two last props.
const destroyable = { retainData: false, allowDataDestruction: true };
const platform = new EtlPlatform(stack, "Platform", { name: "depots", account, region, ...destroyable });
const { nightly, oneReport } = defineDepotReports(stack, platform);
new TerraformOutput(stack, "raw_bucket", { value: platform.lake.bucket(Zone.RAW).bucketName });
new TerraformOutput(stack, "curated_bucket", { value: platform.lake.bucket(Zone.CURATED).bucketName });
new TerraformOutput(stack, "nightly_arn", { value: nightly.stateMachineArn });
new TerraformOutput(stack, "one_report_arn", { value: oneReport.stateMachineArn });
new TerraformOutput(stack, "topic_arn", { value: platform.notifications.topicArn });
app.synth();
