import type { JsonObject } from "../../definition-checks/asl";
import { resourceNameOf, type WorkflowNode } from "../../modules/glue-workflow/workflow-node";

/** The states of runs that have ended, all of them: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html */
const JOB_ENDS = ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"];
const CRAWL_ENDS = ["Succeeded", "Failed"];

/** The pattern of the events with which the jobs and crawlers of a workflow end, in whatever way. Glue has no events of workflows. */
export function endedPattern(nodes: readonly WorkflowNode[]): JsonObject {
  const names = (kind: WorkflowNode["kind"]): string[] =>
    nodes.filter((node) => node.kind === kind).map(resourceNameOf);
  const jobs = names("job");
  const crawlers = names("crawl");
  const ends: JsonObject[] = [
    ...(jobs.length === 0 ? [] : [{ jobName: jobs, state: JOB_ENDS }]),
    ...(crawlers.length === 0 ? [] : [{ crawlerName: crawlers, state: CRAWL_ENDS }]),
  ];
  return {
    source: ["aws.glue"],
    "detail-type": ["Glue Job State Change", "Glue Crawler State Change"],
    detail: ends.length === 1 ? ends[0]! : { $or: ends },
  };
}
