import { App } from "cdktf";
import { selectEnvironments, StateStack } from "./environments";

/** Composition root of the state buckets: one stack for each selected environment that keeps Terraform's state in S3. */
function main(): void {
  const app = new App();
  const environments = selectEnvironments({
    variables: process.env,
    context: app.node.tryGetContext("etl"),
    hasPipelines: false,
  });
  for (const settings of environments.filter(({ backend }) => backend.kind === "s3")) {
    new StateStack(app, settings);
  }
  app.synth();
}

try {
  main();
} catch (error) {
  console.error(process.env.ETL_TRACE === undefined && error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
