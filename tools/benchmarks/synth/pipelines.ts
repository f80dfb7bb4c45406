import { join } from "node:path";
import { App } from "cdktf";
import { EtlStack, selectEnvironments } from "../../../environments";
import { ContractPipeline } from "../../../index";

/** One environment with as many pipelines as BENCH_PIPELINES says: what a growing platform asks of synth. */

const EVENTS = join(__dirname, "..", "..", "..", "pipelines", "events");

const app = new App();
const pipelines = Number(process.env.BENCH_PIPELINES ?? "1");
const settings = selectEnvironments({
  variables: { ...process.env, ETL_ENVIRONMENTS: "prod" },
  context: {},
})[0]!;
const stack = new EtlStack(app, settings);
for (let number = 2; number <= pipelines; number++)
  new ContractPipeline(stack, `Events${number}`, {
    ...settings.pipelines.events,
    platform: stack.platform,
    pipeline: `events${number}`,
    contractFile: join(EVENTS, "events.schema.json"),
    rulesFile: join(EVENTS, "events.quality.json"),
    crawlProcessed: true,
  });
app.synth();
