import type { Construct } from "constructs";
import { workflowChain, type WorkflowChainStep } from "../../modules/glue-workflow/workflow-trigger";
import { GlueWorkflow } from "../../modules/glue-workflow/glue-workflow";
import { WorkflowNode } from "../../modules/glue-workflow/workflow-node";
import type { GlueCrawler } from "../../modules/glue-crawler/glue-crawler";
import type { EtlPlatform } from "../etl-platform/etl-platform";
import type { IngestTask } from "../ingest-task/ingest-task";
import { type WorkflowSettings } from "./unfit-for-workflow";
import { WorkflowWatcher } from "../workflow-watcher/workflow-watcher";

/** A pipeline whose runs are those of a Glue workflow: crawls one after the other, the job, the crawl of its table. */

interface Parts extends WorkflowSettings {
  readonly platform: EtlPlatform;
  readonly pipeline: string;
  /** Physical name. */
  readonly name: string;
  readonly task: IngestTask;
  /** By the name of the source, `raw` without one. */
  readonly rawCrawlers: Readonly<Record<string, GlueCrawler>>;
  readonly processedCrawler: GlueCrawler | undefined;
  readonly jobTimeoutMinutes: number;
  /** A run that has not ended after so many minutes is late. */
  readonly lateAfterMinutes: number;
  readonly timeZone: string;
  readonly lagDays: number;
  /** `false`: alarms show their state and send nothing. */
  readonly actionsEnabled: boolean | undefined;
}

export interface WatchedWorkflow {
  readonly workflow: GlueWorkflow;
  readonly watcher: WorkflowWatcher;
}

/** Defines the workflow, its triggers and its watcher, and lets the job read its run. */
export function defineWorkflow(scope: Construct, parts: Parts): WatchedWorkflow {
  const { platform, pipeline, name, task, schedule, onCrawl } = parts;
  const { account, region } = platform;
  const workflow = new GlueWorkflow(scope, "Workflow", {
    name,
    description: `Runs the pipeline ${pipeline}`,
    ...workflowChain(stepsOf(parts)),
    schedule: schedule && { cron: schedule.cron, timeZone: schedule.timeZone, enabled: schedule.enabled },
    onCrawl,
    account,
    region,
  });
  workflow.grantReadRun(task.job.role);
  const { timeZone, lagDays, lateAfterMinutes, actionsEnabled } = parts;
  const watcher = new WorkflowWatcher(scope, "Watcher", {
    platform,
    workflow,
    pipeline,
    books: task.books,
    runDate: { timeZone, lagDays },
    lateAfterMinutes,
    actionsEnabled,
  });
  return { workflow, watcher };
}

function stepsOf(parts: Parts): WorkflowChainStep[] {
  const { task, rawCrawlers, processedCrawler, runOverrides, jobTimeoutMinutes } = parts;
  const raw = Object.entries(rawCrawlers).map(
    ([key, { crawlerName }]) =>
      [key, WorkflowNode.crawl(`Crawl${upperCamel(key)}`, { crawlerName, mayFail: true })] as const,
  );
  const timeoutMinutes = runOverrides?.timeoutMinutes ?? jobTimeoutMinutes;
  const job = ["job", WorkflowNode.runJob("RunJob", { jobName: task.job.jobName, timeoutMinutes })] as const;
  const processed =
    processedCrawler === undefined
      ? []
      : [["processed", WorkflowNode.crawl("CrawlProcessed", processedCrawler)] as const];
  return [...raw, job, ...processed].map(([key, node], index) => ({
    trigger: triggerName(parts, key, index === 0),
    node,
  }));
}

function triggerName(
  { platform, name, triggerNames = {} }: Parts,
  started: string,
  isFirst: boolean,
): string {
  const given = triggerNames[started];
  if (given !== undefined) return `${platform.name}-${given}`;
  return isFirst ? `${name}-start` : `${name}-${started}-trigger`;
}

/** `web_shop` as `WebShop`. */
export const upperCamel = (name: string): string =>
  name
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
