/**
 * The namespace of all pipelines' metrics; the right to put metrics is limited to it. Pipelines record the metrics and alarms read
 * them. A metric is its namespace, name and exact set of dimensions: with one dimension more or less it is another metric, without data.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
 */
export const PIPELINE_NAMESPACE = "EtlPipelines";

/**
 * The only dimension of a run's books: the physical name of the state machine, or of the Glue workflow. It is named after the first, because
 * another name would be another metric, without a history.
 */
export const PIPELINE_DIMENSION = "StateMachineName";

/** The counts of a run's books, in rows: one value per run, summed over a back-fill, zero for an empty delivery. */
export const PIPELINE_METRICS = {
  rowsRead: "RowsRead",
  rowsWritten: "RowsWritten",
  rowsQuarantined: "RowsQuarantined",
  rowsDuplicate: "RowsDuplicate",
  /** Sources that had not delivered, one for each source and date; only of pipelines with several sources. */
  sourcesMissing: "SourcesMissing",
} as const;

/** The only dimension of the runs of a Glue workflow: its physical name. */
export const WORKFLOW_DIMENSION = "WorkflowName";

/**
 * The metrics that a watcher records about the runs of a Glue workflow, for which AWS has no metrics: one value per run. `duration` is in milliseconds,
 * as Step Functions counts; `stillRunning` is a count of runs at each look.
 */
export const WORKFLOW_METRICS = {
  succeeded: "RunsSucceeded",
  failed: "RunsFailed",
  stopped: "RunsStopped",
  duration: "RunTime",
  stillRunning: "RunsStillRunning",
} as const;

/** The only dimension of what arrives: the physical name of the `FileArrival`, a slash, and the pipeline or `none`. */
export const ARRIVAL_DIMENSION = "FileArrival";

/** The counts of `FileArrival`, in files; `half` in deliveries, at each look. */
export const ARRIVAL_METRICS = {
  /** Files of no declared folder. */
  leftAlone: "FilesLeftAlone",
  /** Files of a pipeline that no run can read. */
  quarantined: "FilesQuarantined",
  /** Deliveries that were not complete at their deadline. */
  half: "HalfDeliveries",
} as const;
