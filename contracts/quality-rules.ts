/**
 * What a quality file says, once it has been read by {@link readQuality}. The job judges by the same file before it writes;
 * an Athena query judges what readers see. Pure.
 */

/** `warn` lowers the score; `halt` fails the run; `quarantine` takes the rows out in the job, and fails where one is left. */
export type RuleAction = "warn" | "halt" | "quarantine";

interface CommonRule {
  readonly name: string;
  readonly action: RuleAction;
  /** What it counts in the score, 1 to 100; 0 of the rule that holds by default. */
  readonly weight: number;
}

/** Rows whose column is not null, of all rows. */
export interface CompletenessRule extends CommonRule {
  readonly type: "completeness";
  readonly column: string;
  /** A share, 0 to 1 with at most six decimals; of a rule that quarantines it is 1. */
  readonly atLeast: number;
}

/** Distinct combinations, of all rows; nulls equal each other. */
export interface UniquenessRule extends CommonRule {
  readonly type: "uniqueness";
  readonly columns: readonly string[];
  readonly atLeast: number;
}

/** Rows whose value is in the list, or null, of all rows. */
export interface AllowedValuesRule extends CommonRule {
  readonly type: "allowedValues";
  readonly column: string;
  readonly values: readonly string[];
  readonly atLeast: number;
}

/** Rows for which the expression is true, of all rows; null is not true. */
export interface CustomSqlRule extends CommonRule {
  readonly type: "customSql";
  /** In the SQL that Spark and Trino read alike. */
  readonly expression: string;
  readonly atLeast: number;
}

/** How many rows there are. */
export interface RowCountRule extends CommonRule {
  readonly type: "rowCount";
  readonly atLeast: number;
  /** @default - no upper bound */
  readonly atMost?: number;
}

/** Whether the newest value lies at most so many hours before the end of the run's last date, UTC. */
export interface FreshnessRule extends CommonRule {
  readonly type: "freshness";
  readonly column: string;
  readonly atMostHours: number;
}

/** Rows quarantined for a reason, of the rows read. */
export interface QuarantineLimitRule extends CommonRule {
  readonly type: "quarantineLimit";
  /** One of the contract's, or the name of a rule that quarantines. */
  readonly reason: string;
  /** A share, 0 to 1 with at most six decimals. */
  readonly atMost: number;
}

export type QualityRule =
  | CompletenessRule
  | UniquenessRule
  | AllowedValuesRule
  | CustomSqlRule
  | RowCountRule
  | FreshnessRule
  | QuarantineLimitRule;

export type RuleType = QualityRule["type"];

export interface Quality {
  /** The lowest score that is not a failure, whole percent. */
  readonly threshold: number;
  /** In the order of the file, at least one; then the limit of unreadable lines that holds by default, where none sets one. */
  readonly rules: readonly QualityRule[];
}

/** What a contract knows of the rows that are judged. */
export interface Judged {
  /**
   * The kinds of the published columns: string, bigint, double, decimal, timestamp, date, array, map.
   * @default - columns are taken as they are written
   */
  readonly columns?: ReadonlyMap<string, string>;
  /**
   * Why the job quarantines by itself; the first is that of a line that it cannot read.
   * @default - reasons are taken as they are written
   */
  readonly reasons?: readonly string[];
}

/**
 * The rule that holds where none limits the lines that the job cannot read: without it a delivery of nothing but rubbish would be a
 * success. It weighs nothing, so that the score is that of the file's rules.
 */
export const defaultLimit = (reason: string): QuarantineLimitRule => ({
  name: DEFAULT_RULE,
  type: "quarantineLimit",
  action: "halt",
  weight: 0,
  reason,
  atMost: MOST_UNREADABLE,
});

export const DEFAULT_RULE = "lines_are_readable";

/** The share of lines that may be unreadable where no rule says another one. */
const MOST_UNREADABLE = 0.1;

/** What is said of it where it fails, behind the counts. In the job `etl/run/quality.py` says the same. */
export const DEFAULT_RULE_FAILED = ` (at most ${MOST_UNREADABLE * 100} % by default; a quarantineLimit rule sets another share)`;

/** Whether a rule limits the lines that are quarantined for a reason: it fails the run, and not all lines may be. */
export const limits = (rule: QualityRule, reason: string): boolean =>
  rule.type === "quarantineLimit" && rule.reason === reason && rule.action === "halt" && rule.atMost < 1;

/** What the query itself says when readers see fewer rows than were written. */
export const VISIBILITY_RULE = "rows_are_visible";

interface TypeOfRule {
  readonly actions: readonly RuleAction[];
  /** Beside name, type, action and weight. */
  readonly keys: readonly string[];
  /** Of the columns that it can judge. */
  readonly kinds?: readonly string[];
}

const SCALARS = ["string", "bigint", "double", "decimal", "timestamp", "date"];
const ROW_BY_ROW = ["warn", "halt", "quarantine"] as const;
const AS_A_WHOLE = ["warn", "halt"] as const;

export const RULE_TYPES: Readonly<Record<RuleType, TypeOfRule>> = {
  completeness: { actions: ROW_BY_ROW, keys: ["column", "atLeast"], kinds: [...SCALARS, "array", "map"] },
  uniqueness: { actions: AS_A_WHOLE, keys: ["columns", "atLeast"], kinds: SCALARS },
  allowedValues: { actions: ROW_BY_ROW, keys: ["column", "values", "atLeast"], kinds: ["string"] },
  customSql: { actions: ROW_BY_ROW, keys: ["expression", "atLeast"] },
  rowCount: { actions: AS_A_WHOLE, keys: ["atLeast", "atMost"] },
  freshness: { actions: AS_A_WHOLE, keys: ["column", "atMostHours"], kinds: ["timestamp"] },
  quarantineLimit: { actions: AS_A_WHOLE, keys: ["reason", "atMost"] },
};

/** Failing it fails the run, whatever the score. */
export const isFatal = (rule: QualityRule): boolean => rule.action !== "warn";
