import { App } from "cdktf";
import { EtlStack, selectEnvironments } from "../../../environments";
import { EventsPipeline } from "../../../pipelines/events/pipeline";

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
    ...stack.sharedWith(`events${number}`),
  });
app.synth();
