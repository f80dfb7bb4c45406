/**
 * The retention periods that CloudWatch Logs accepts, days.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
export const LOG_RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** The mistake in a retention period, as words that follow its field. */
export function logRetentionMistake(days: number): string | undefined {
  if (LOG_RETENTION_DAYS.includes(days)) return undefined;
  return `must be one of ${LOG_RETENTION_DAYS.join(", ")}, got ${days}`;
}
