/** Starts runs without a person. Anybody may start one by hand, with `StartExecution`. */
export type Trigger = ScheduleTrigger;

/** The clock of a time zone. */
export interface ScheduleTrigger {
  /** `cron(minutes hours day-of-month month day-of-week year)`. */
  readonly cron: string;
  /**
   * A name of the IANA database: the zone of the clock, and of the run date that the job derives from the scheduled time.
   * @default "UTC"
   */
  readonly timeZone?: string;
  /**
   * How many days before its start the delivery date of a run lies; 0 to 366.
   * @default 1
   */
  readonly lagDays?: number;
  /**
   * `false` leaves the schedule in place and starts nothing.
   * @default true
   */
  readonly enabled?: boolean;
  /**
   * First instant, `YYYY-MM-DDThh:mm:ssZ`. AWS refuses to create a schedule whose start has passed.
   * @default - none
   */
  readonly start?: string;
  /**
   * Last instant, `YYYY-MM-DDThh:mm:ssZ`.
   * @default - none
   */
  readonly end?: string;
}

/** Without a schedule too: a run that is started with a scheduled time has a date. */
export const DEFAULT_TIME_ZONE = "UTC";
export const DEFAULT_LAG_DAYS = 1;
