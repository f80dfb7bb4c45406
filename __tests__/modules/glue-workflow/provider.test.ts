import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import {
  EtlPlatform,
  GlueWorkflow,
  PipelineAlarms,
  PipelineDashboard,
  PipelineSchedule,
  WorkflowNode,
  workflowChain,
  WorkflowWatcher,
  Zone,
} from "../../../index";
import { ACCOUNT, REGION, synth } from "../../support/synth";
import { type ModuleJson, validateStacks } from "../../support/validated-modules";

/** Terraform's own verdict on a workflow with all that watches it, scheduled by Glue and by EventBridge Scheduler. */

const place = { account: ACCOUNT, region: REGION };

function build(stack: TerraformStack, isScheduled: boolean): void {
  const platform = new EtlPlatform(stack, "Platform", { name: "etl-dev", ...place });
  const name = "etl-dev-mobile-users";
  const workflow = new GlueWorkflow(stack, "Workflow", {
    name,
    ...place,
    schedule: isScheduled ? { cron: "cron(0 14 * * ? *)" } : undefined,
    ...workflowChain([
      { trigger: "start", node: WorkflowNode.crawl("CrawlRaw", { crawlerName: "raw", mayFail: true }) },
      {
        trigger: "job",
        node: WorkflowNode.runJob("RunJob", {
          jobName: "load",
          timeoutMinutes: 5,
          arguments: { mode: "all" },
        }),
      },
      { trigger: "last", node: WorkflowNode.crawl("CrawlLast", { crawlerName: "last" }) },
    ]),
  });
  new WorkflowWatcher(stack, "Watcher", {
    platform,
    workflow,
    pipeline: "mobile-users",
    books: platform.lake.location(Zone.PROCESSED, "books/mobile-users/"),
    lateAfterMinutes: 180,
    runDate: { timeZone: "America/Los_Angeles", lagDays: 1 },
  });
  const { run } = workflow;
  new PipelineAlarms(stack, "Alarms", {
    ...{ name, pipeline: "mobile-users", environment: "dev", run, alerts: platform.alerts, usualMinutes: 30 },
    ...place,
  });
  new PipelineDashboard(stack, "Dashboard", {
    name: "etl-dev",
    pipelines: [{ pipeline: "mobile-users", run, jobName: "load" }],
    region: REGION,
  });
  if (!isScheduled)
    new PipelineSchedule(stack, "Schedule", {
      ...{ name, run, expression: "cron(0 6 * * ? *)", timeZone: "America/Los_Angeles" },
      ...place,
    });
}

test("Terraform validates it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "etl-workflow-"));
  try {
    const stacks = [true, false].map(
      (isScheduled) => JSON.parse(synth((stack) => build(stack, isScheduled)).json) as ModuleJson,
    );
    expect(await validateStacks(folder, stacks)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
