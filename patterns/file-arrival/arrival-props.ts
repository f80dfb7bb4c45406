import type { ContractPipeline } from "../contract-pipeline/contract-pipeline";
import type { EtlPlatform } from "../etl-platform/etl-platform";

/** Says when a delivery, the files of one source and date, is complete. */
export type CompleteRule =
  /** Nothing more has arrived for so many seconds; 1 to 900. */
  | { readonly rule: "quiet"; readonly seconds: number }
  /** A file of this name lies in the folder of the date, and no waiting file is newer: it is put last. */
  | { readonly rule: "marker"; readonly name: string }
  /** A JSON file of this name lists the files, `{"files": ["a.csv", {"name": "b.csv", "bytes": 12}]}`, and all of them are there. */
  | { readonly rule: "manifest"; readonly name: string }
  /** So many files are there, or more; 1 to 10000. */
  | { readonly rule: "count"; readonly files: number };

/** How arriving files start a pipeline. */
export interface ArrivalRule {
  /** When a delivery of a source is complete. All sources of the pipeline must have delivered. */
  readonly complete: CompleteRule;
  /**
   * A delivery that is not complete so many minutes after its first file counts as half, and an alarm rings; 1 to 10080.
   * @default 240
   */
  readonly deadlineMinutes?: number;
  /**
   * The zone, a name of the IANA database, of the day to whose folder a file is copied that lies below the source's prefix and in no folder
   * of a date: the day that it arrived. The original stays, so named sources of the contract must say
   * `"unknownFolders": "skip"`. The function may then read and write below the prefix.
   * @default - such a file is quarantined: no run can read it
   */
  readonly undatedZone?: string;
  /**
   * The endings of names, such as `.csv.gz`, that start runs. A run reads its folder whole, so files with other endings are read with it.
   * @default - all files start runs
   */
  readonly endings?: readonly string[];
}

/** A pipeline that is started by its files. */
export interface ArrivingPipeline extends ArrivalRule {
  /** A state machine must orchestrate it. Its sources in the raw zone are the declared prefixes. */
  readonly pipeline: ContractPipeline;
}

/** Props of {@link FileArrival}. */
export interface FileArrivalProps {
  /** Its raw zone is watched; its topics and artifacts are used. */
  readonly platform: EtlPlatform;
  /** The pipelines, each once. What arrives for no pipeline is counted and left alone. */
  readonly pipelines: readonly ArrivingPipeline[];
  /**
   * Physical name of queue, function and ledger, at most 55 characters; the names of rules, alarms and dead letters begin with it.
   * @default - the platform's name and "-arrival"
   */
  readonly name?: string;
  /**
   * How often it looks without an event, minutes; 1 to 60. It finds deadlines that have passed, and what an event that was lost would have said.
   * @default 5
   */
  readonly lookEveryMinutes?: number;
  /**
   * How long messages are gathered for one call of the function, seconds; 1 to 300.
   * @default 5
   */
  readonly batchWindowSeconds?: number;
  /**
   * How often a message is worked on before it goes to the dead letters; 1 to 1000. AWS advises 5 or more.
   * @default 5
   */
  readonly maxReceives?: number;
  /**
   * `false`: its alarms show their state and send nothing.
   * @default true
   */
  readonly actionsEnabled?: boolean;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}
