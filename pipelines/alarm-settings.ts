import { z } from "zod";

/** When a pipeline's alarms are crossed: the part of its settings. */
export const alarmsSchema = z.strictObject({
  /** `false`: alarms show their state and send nothing. */
  actionsEnabled: z.boolean(),
  /** The usual duration of a run, minutes; a run of more than twice as long is slow. */
  usualMinutes: z.number().positive("must be more than 0").max(10_079),
  /** The share of a run's rows that may be quarantined, percent. */
  quarantineSharePercent: z.number().min(0).lt(100, "must be below 100, which a share never exceeds"),
  /** The fewest rows that a run writes (with the write mode changes: reads); an empty delivery has none. */
  minimumRows: z.int().min(1, "must be at least 1, since no run writes fewer than 0 rows"),
  /**
   * How long a scheduled run may take and be late before it counts as missed, minutes; without it nobody watches for missed
   * runs, as of a schedule that pauses for seven days and more, over which CloudWatch cannot look.
   */
  missedRunGraceMinutes: z.int().min(1).max(10_079).optional(),
});
