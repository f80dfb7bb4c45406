/**
 * The figures of a run as CloudWatch metrics: what a pipeline records, and what alarms look at.
 *
 * A metric is its namespace, name and exact set of dimensions,
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html: whoever asks with one dimension more
 * or less asks for another metric, which never has data.
 */

/** The namespace of all pipelines' metrics; the right to put metrics is limited to it. */
export const PIPELINE_NAMESPACE = "EtlPipelines";

/** The one dimension: the physical name of the state machine. */
export const PIPELINE_DIMENSION = "StateMachineName";

/** What a run's books say, in rows: one value for each run, back-fills summed, zero for an empty delivery. */
export const PIPELINE_METRICS = {
  rowsRead: "RowsRead",
  rowsWritten: "RowsWritten",
  rowsQuarantined: "RowsQuarantined",
  rowsDuplicate: "RowsDuplicate",
} as const;
