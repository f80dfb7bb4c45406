import {
  PIPELINE_DIMENSION,
  PIPELINE_METRICS,
  PIPELINE_NAMESPACE,
  WORKFLOW_DIMENSION,
  WORKFLOW_METRICS,
} from "../../modules/core/pipeline-metrics";
import { runbookLink } from "../../modules/core/runbook";
import { title } from "../../modules/etl-orchestrator/message-text";
import type { WorkflowWatcherProps } from "./watcher-props";

/**
 * The settings of the function `watch_workflow` as JSON. Names of metrics come from here, so that alarms and the function use the same.
 * Multi-line, because `cdktf synth --hcl` drops backslashes from one-line strings.
 */
export function watcherSettings(props: WorkflowWatcherProps): string {
  const { platform, workflow, pipeline, books, lateAfterMinutes, runDate } = props;
  const { environment, region, runbookUrl } = platform;
  const mayFail = workflow.nodes.flatMap((node) =>
    node.kind === "crawl" && node.mayFail ? [node.crawlerName] : [],
  );
  return JSON.stringify(
    {
      workflow: workflow.workflowName,
      region,
      pipeline,
      environment,
      title: title({ pipeline, environment, name: workflow.workflowName }),
      console: workflow.run.consoleUrl,
      topic: platform.notifications.topicArn,
      claims: platform.locks.tableName,
      books: books === undefined ? null : { bucket: books.bucketName, prefix: books.prefix },
      mayFail,
      lateAfterMinutes,
      runDate: runDate === undefined ? null : { timeZone: runDate.timeZone, lagDays: runDate.lagDays },
      namespace: PIPELINE_NAMESPACE,
      runs: { dimension: WORKFLOW_DIMENSION, ...WORKFLOW_METRICS },
      rows: { dimension: PIPELINE_DIMENSION, ...PIPELINE_METRICS },
      runbook: {
        failed: runbookPage(runbookUrl, "workflow-run"),
        missing: runbookPage(runbookUrl, "missing-delivery"),
      },
    },
    undefined,
    1,
  );
}

/** Without an address of the runbook the page's path and repository are given, as the messages of executions do. */
const runbookPage = (runbookUrl: string | undefined, page: Parameters<typeof runbookLink>[1]): string =>
  `${runbookLink(runbookUrl, page)}${runbookUrl === undefined ? ", in the repository that deployed this pipeline" : ""}`;
