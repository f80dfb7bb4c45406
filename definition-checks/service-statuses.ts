/**
 * The statuses of job runs, crawls, queries and so on, which a definition must wait for. A test compares the values with the AWS SDK's
 * models.
 */

/** The statuses that one call reports of what another call started. */
export interface StatusKind {
  /** The thing that was started, in words. */
  readonly what: string;
  /** The calls that start it, without waiting. */
  readonly startedBy: readonly string[];
  /** The call that reports the status. */
  readonly call: string;
  /** The status's path in its answer. */
  readonly path: string;
  readonly unfinished: readonly string[];
  /** Ended in success, or just ended if another field holds the verdict. */
  readonly ended: readonly string[];
  readonly failed: readonly string[];
}

const JOB_RUN_STATES = {
  unfinished: ["STARTING", "RUNNING", "STOPPING", "WAITING"],
  ended: ["SUCCEEDED"],
  failed: ["STOPPED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED"],
};

const QUERY_STATES = {
  unfinished: ["QUEUED", "RUNNING"],
  ended: ["SUCCEEDED"],
  failed: ["FAILED", "CANCELLED"],
};

export const STATUSES: readonly StatusKind[] = [
  {
    what: "a job run",
    startedBy: ["glue:startJobRun", "aws-sdk:glue:startJobRun"],
    call: "aws-sdk:glue:getJobRun",
    path: "JobRun.JobRunState",
    ...JOB_RUN_STATES,
  },
  {
    what: "a job run",
    startedBy: ["glue:startJobRun", "aws-sdk:glue:startJobRun"],
    call: "aws-sdk:glue:getJobRuns",
    path: "JobRuns[0].JobRunState",
    ...JOB_RUN_STATES,
  },
  {
    what: "a crawl",
    startedBy: ["aws-sdk:glue:startCrawler"],
    call: "aws-sdk:glue:getCrawler",
    path: "Crawler.State",
    unfinished: ["RUNNING", "STOPPING"],
    ended: ["READY"],
    failed: [],
  },
  {
    what: "a crawl",
    startedBy: ["aws-sdk:glue:startCrawler"],
    call: "aws-sdk:glue:getCrawler",
    path: "Crawler.LastCrawl.Status",
    unfinished: [],
    ended: ["SUCCEEDED"],
    failed: ["CANCELLED", "FAILED"],
  },
  {
    what: "a query",
    startedBy: ["athena:startQueryExecution", "aws-sdk:athena:startQueryExecution"],
    call: "athena:getQueryExecution",
    path: "QueryExecution.Status.State",
    ...QUERY_STATES,
  },
  {
    what: "a query",
    startedBy: ["athena:startQueryExecution", "aws-sdk:athena:startQueryExecution"],
    call: "aws-sdk:athena:getQueryExecution",
    path: "QueryExecution.Status.State",
    ...QUERY_STATES,
  },
  {
    what: "an execution",
    startedBy: ["states:startExecution", "aws-sdk:sfn:startExecution"],
    call: "aws-sdk:sfn:describeExecution",
    path: "Status",
    unfinished: ["RUNNING", "PENDING_REDRIVE"],
    ended: ["SUCCEEDED"],
    failed: ["FAILED", "TIMED_OUT", "ABORTED"],
  },
  {
    what: "an evaluation of quality rules",
    startedBy: ["aws-sdk:glue:startDataQualityRulesetEvaluationRun"],
    call: "aws-sdk:glue:getDataQualityRulesetEvaluationRun",
    path: "Status",
    unfinished: ["STARTING", "RUNNING", "STOPPING"],
    ended: ["SUCCEEDED"],
    failed: ["STOPPED", "FAILED", "TIMEOUT"],
  },
  {
    what: "a run of a Glue workflow",
    startedBy: ["aws-sdk:glue:startWorkflowRun"],
    call: "aws-sdk:glue:getWorkflowRun",
    path: "Run.Status",
    unfinished: ["RUNNING", "STOPPING"],
    ended: ["COMPLETED"],
    failed: ["STOPPED", "ERROR"],
  },
  {
    what: "a statement",
    startedBy: ["aws-sdk:redshiftdata:executeStatement", "aws-sdk:redshiftdata:batchExecuteStatement"],
    call: "aws-sdk:redshiftdata:describeStatement",
    path: "Status",
    unfinished: ["SUBMITTED", "PICKED", "STARTED"],
    ended: ["FINISHED"],
    failed: ["ABORTED", "FAILED"],
  },
];

/** A run of a workflow is COMPLETED even if its jobs failed: its statistics, or its graph, hold the verdict. */
export const WORKFLOW_STATE = "Run.Status";
export const WORKFLOW_VERDICTS = [
  ...["Run.Graph", "Run.Statistics.FailedActions", "Run.Statistics.ErroredActions"],
  ...["Run.Statistics.TimeoutActions", "Run.Statistics.StoppedActions", "Run.Statistics.SucceededActions"],
];

/** A crawler that is `READY` may have failed: its last crawl's status is the verdict. */
export const CRAWL_STATE = "Crawler.State";
export const CRAWL_VERDICT = "Crawler.LastCrawl.Status";

export interface AsyncStart {
  readonly what: string;
  readonly remedy: string;
}

const pollOf = (call: string, id: string) =>
  `or poll it: Wait, ${call} with ${id}, Choice, and back to the Wait`;

/** Calls that return when the work has begun, not when it is done. */
export const ASYNC_STARTS: Readonly<Record<string, AsyncStart>> = {
  "glue:startJobRun": {
    what: "a job run",
    remedy: `write glue:startJobRun.sync, ${pollOf("getJobRun", "RunId from $.JobRunId")}`,
  },
  "aws-sdk:glue:startJobRun": {
    what: "a job run",
    remedy: `write glue:startJobRun.sync, ${pollOf("getJobRun", "RunId from $.JobRunId")}`,
  },
  "aws-sdk:glue:startCrawler": {
    what: "a crawl",
    remedy: "poll getCrawler until it is READY again, then read LastCrawl.Status (Step.crawl does)",
  },
  "athena:startQueryExecution": {
    what: "a query",
    remedy: `write athena:startQueryExecution.sync, ${pollOf("getQueryExecution", "QueryExecutionId")}`,
  },
  "aws-sdk:athena:startQueryExecution": {
    what: "a query",
    remedy: `write athena:startQueryExecution.sync, ${pollOf("getQueryExecution", "QueryExecutionId")}`,
  },
  "states:startExecution": {
    what: "an execution",
    remedy: "write states:startExecution.sync:2, or allow(async-start) when nothing depends on its end",
  },
  "aws-sdk:sfn:startExecution": {
    what: "an execution",
    remedy: "write states:startExecution.sync:2, or allow(async-start) when nothing depends on its end",
  },
  "aws-sdk:glue:startDataQualityRulesetEvaluationRun": {
    what: "an evaluation of quality rules",
    remedy: `poll it: ${pollOf("getDataQualityRulesetEvaluationRun", "RunId").slice("or poll it: ".length)}`,
  },
  "aws-sdk:glue:startWorkflowRun": {
    what: "a run of a Glue workflow",
    remedy:
      "poll it: Wait, getWorkflowRun with Name and RunId, Choice, and back to the Wait; a workflow has no .sync",
  },
  ...Object.fromEntries(
    ["executeStatement", "batchExecuteStatement"].map((call) => [
      `aws-sdk:redshiftdata:${call}`,
      {
        what: "a statement",
        remedy: "poll it: Wait, describeStatement with Id, Choice, and back to the Wait",
      },
    ]),
  ),
  "aws-sdk:glue:startBlueprintRun": {
    what: "a run of a blueprint",
    remedy: "poll it: Wait, getBlueprintRun with RunId, Choice, and back to the Wait",
  },
  "aws-sdk:glue:startColumnStatisticsTaskRun": {
    what: "a run for column statistics",
    remedy: "poll it: Wait, getColumnStatisticsTaskRun, Choice, and back to the Wait",
  },
  "aws-sdk:glue:startDataQualityRuleRecommendationRun": {
    what: "a recommendation of quality rules",
    remedy: "poll it: Wait, getDataQualityRuleRecommendationRun with RunId, Choice, and back to the Wait",
  },
  "aws-sdk:batch:submitJob": { what: "a batch job", remedy: "write batch:submitJob.sync" },
  "aws-sdk:codebuild:startBuild": { what: "a build", remedy: "write codebuild:startBuild.sync" },
  "aws-sdk:databrew:startJobRun": { what: "a job run", remedy: "write databrew:startJobRun.sync" },
  "aws-sdk:ecs:runTask": { what: "a task", remedy: "write ecs:runTask.sync" },
  "aws-sdk:emr:addJobFlowSteps": { what: "a step", remedy: "write elasticmapreduce:addStep.sync" },
  "aws-sdk:emrserverless:startJobRun": { what: "a job run", remedy: "write emr-serverless:startJobRun.sync" },
  "elasticmapreduce:addStep": { what: "a step", remedy: "write elasticmapreduce:addStep.sync" },
  "batch:submitJob": { what: "a batch job", remedy: "write batch:submitJob.sync" },
  "codebuild:startBuild": { what: "a build", remedy: "write codebuild:startBuild.sync" },
  "databrew:startJobRun": { what: "a job run", remedy: "write databrew:startJobRun.sync" },
  "ecs:runTask": { what: "a task", remedy: "write ecs:runTask.sync" },
  "emr-serverless:startJobRun": { what: "a job run", remedy: "write emr-serverless:startJobRun.sync" },
};
