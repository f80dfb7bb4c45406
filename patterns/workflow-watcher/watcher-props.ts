import type { S3Location } from "../../modules/core/s3-location";
import type { GlueWorkflow } from "../../modules/glue-workflow/glue-workflow";
import type { EtlPlatform } from "../etl-platform/etl-platform";

/** How a run's date follows from its start, for the command that starts a run again. */
export interface RunDateRule {
  /** The zone of the date, a name of the IANA database. */
  readonly timeZone: string;
  /** How many days before the start the date lies; 0 to 366. */
  readonly lagDays: number;
}

/** Props of `WorkflowWatcher`. */
export interface WorkflowWatcherProps {
  /** Its topics, locks and artifacts are used. */
  readonly platform: EtlPlatform;
  /** The workflow whose runs are judged; its name has at most 47 characters. */
  readonly workflow: GlueWorkflow;
  /** The pipeline's name in messages. */
  readonly pipeline: string;
  /** A run that has not ended after so many minutes is counted as still running; 1 to 10080. */
  readonly lateAfterMinutes: number;
  /**
   * The folder of the books that the workflow's job writes: a run's summary is `<prefix><run id>/summary.json`. A run whose job left none has failed.
   * @default - its jobs write no books: no figures of rows are recorded
   */
  readonly books?: S3Location;
  /**
   * How a run's date follows from its start, as the job derives it.
   * @default - the command to start a run again leaves the date to the job, unless the failed run had properties
   */
  readonly runDate?: RunDateRule;
  /**
   * How often it looks without an event, minutes; 1 to 60. Glue's events are best effort.
   * @default 5
   */
  readonly everyMinutes?: number;
  /**
   * `false`: its own alarms show their state and send nothing.
   * @default true
   */
  readonly actionsEnabled?: boolean;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}
