import { App } from "cdktf";
import { EtlStack, selectEnvironments } from "./environments";

/** Composition root: one stack per selected environment. The only reader of environment variables. */
function main(): void {
  const app = new App();
  const environments = selectEnvironments({ variables: process.env, context: app.node.tryGetContext("etl") });
  for (const settings of environments) new EtlStack(app, settings);
  app.synth();
}

// CDKTF records where each token was made, through source maps: a third of the time, and useful only with a trace.
if (process.env.ETL_TRACE === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
try {
  main();
} catch (error) {
  // The user can fix a mistake in settings or props: the message helps, the stack trace does not.
  console.error(process.env.ETL_TRACE === undefined && error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
