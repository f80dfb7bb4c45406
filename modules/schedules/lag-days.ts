/** The most days that the delivery date of a run may lie before its start; the job's `--lag_days` has the same bound. */
export const MOST_LAG_DAYS = 366;
