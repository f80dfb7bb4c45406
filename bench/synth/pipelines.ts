import { App } from "cdktf";
import { EtlStack, selectEnvironments } from "../../environments";
import { EventsPipeline } from "../../environments/pipelines/events";

/** One environment with as many pipelines as BENCH_PIPELINES says: what a growing platform asks of synth. */

const app = new App();
const pipelines = Number(process.env.BENCH_PIPELINES ?? "1");
const settings = selectEnvironments({
  variables: { ...process.env, ETL_ENVIRONMENTS: "prod" },
  context: {},
})[0]!;
const stack = new EtlStack(app, settings);
for (let number = 2; number <= pipelines; number++)
  new EventsPipeline(stack, `Events${number}`, {
    ...settings.pipelines.events,
    glueVersion: settings.glueVersion,
    name: `${settings.project}-prod-events${number}`,
    lake: stack.lake,
    workgroup: stack.workgroup,
    locks: stack.locks,
    notifications: stack.notifications,
    alerts: stack.alerts,
    environment: settings.environment,
    runbookUrl: settings.runbookUrl,
    account: settings.accountId,
    region: settings.region,
    logRetentionDays: settings.logRetentionDays,
    logExecutionData: settings.logExecutionData,
  });
app.synth();
