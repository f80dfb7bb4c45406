/**
 * The rules of a quality file, as `readQuality` returns them. The job applies the same file before it writes; an Athena query applies it
 * to what readers see.
 */

/** `warn` lowers the score; `halt` fails the run; `quarantine` removes the rows in the job, and fails the run if one is left. */
export type RuleAction = "warn" | "halt" | "quarantine";

/** The keys that every rule has. */
interface CommonRule {
  /** At most 60 small letters, digits and underscores, beginning with a letter; unique in the file. */
  readonly name: string;
  /** The consequence of a failed rule. */
  readonly action: RuleAction;
  /** The rule's weight in the score, 1 to 100; 0 for the default limit. */
  readonly weight: number;
}

/** The share of rows whose column is not null. */
export interface CompletenessRule extends CommonRule {
  /** The rule's type. */
  readonly type: "completeness";
  /** A published column. */
  readonly column: string;
  /** A share, 0 to 1 with at most six decimals; 1 for a rule that quarantines. */
  readonly atLeast: number;
}

/** The number of distinct combinations, as a share of all rows; nulls equal each other. */
export interface UniquenessRule extends CommonRule {
  /** The rule's type. */
  readonly type: "uniqueness";
  /** At least one published column, without arrays and maps. */
  readonly columns: readonly string[];
  /** A share, 0 to 1 with at most six decimals. */
  readonly atLeast: number;
}

/** The share of rows whose value is in the list, or null. */
export interface AllowedValuesRule extends CommonRule {
  /** The rule's type. */
  readonly type: "allowedValues";
  /** A published column of type string. */
  readonly column: string;
  /** At least one value; null is always allowed. */
  readonly values: readonly string[];
  /** A share, 0 to 1 with at most six decimals; 1 for a rule that quarantines. */
  readonly atLeast: number;
}

/** The share of rows for which the expression is true; null is not true. */
export interface CustomSqlRule extends CommonRule {
  /** The rule's type. */
  readonly type: "customSql";
  /** An expression in the SQL that Spark and Trino read alike. */
  readonly expression: string;
  /** A share, 0 to 1 with at most six decimals; 1 for a rule that quarantines. */
  readonly atLeast: number;
}

/** The number of rows. */
export interface RowCountRule extends CommonRule {
  /** The rule's type. */
  readonly type: "rowCount";
  /** A whole number; 0 if the file gives only `atMost`. */
  readonly atLeast: number;
  /** @default - no upper bound */
  readonly atMost?: number;
}

/** The newest value is at most `atMostHours` older than the end of the run's last date, UTC. */
export interface FreshnessRule extends CommonRule {
  /** The rule's type. */
  readonly type: "freshness";
  /** A published column of type timestamp. */
  readonly column: string;
  /** Hours, 0 to 1,000,000. */
  readonly atMostHours: number;
}

/** The share of the rows read that were quarantined for one reason. */
export interface QuarantineLimitRule extends CommonRule {
  /** The rule's type. */
  readonly type: "quarantineLimit";
  /** A reason of the contract, or the name of a rule that quarantines. */
  readonly reason: string;
  /** A share, 0 to 1 with at most six decimals. */
  readonly atMost: number;
}

/** A rule of a quality file. */
export type QualityRule =
  | CompletenessRule
  | UniquenessRule
  | AllowedValuesRule
  | CustomSqlRule
  | RowCountRule
  | FreshnessRule
  | QuarantineLimitRule;

/** The type of a rule. */
export type RuleType = QualityRule["type"];

/** The rules of a quality file, with the score that a run must reach. */
export interface Quality {
  /** The lowest score that is not a failure, whole percent. */
  readonly threshold: number;
  /** At least one rule, in the order of the file; then the default limit of unreadable lines, unless a rule sets one. */
  readonly rules: readonly QualityRule[];
}

/** The columns and reasons that rules may name, as the contract declares them. */
export interface Judged {
  /**
   * The kinds of the published columns: string, bigint, double, decimal, boolean, timestamp, date, array, map.
   * @default - columns are not checked
   */
  readonly columns?: ReadonlyMap<string, string>;
  /**
   * The contract's reasons; the first is that of a line that the job cannot read.
   * @default - reasons are not checked
   */
  readonly reasons?: readonly string[];
}

/**
 * The limit of unreadable lines if no rule sets one: without it a run whose every line is unreadable would succeed. Its weight is 0, so
 * it does not change the score.
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

/** The share of lines that may be unreadable by default. */
const MOST_UNREADABLE = 0.1;

/** Follows the counts if the default limit is exceeded. The job has the same words. */
export const DEFAULT_RULE_FAILED = ` (at most ${MOST_UNREADABLE * 100} % by default; a quarantineLimit rule sets another share)`;

/** Tells whether a rule fails the run when too many lines, fewer than all, are quarantined for a reason. */
export const limits = (rule: QualityRule, reason: string): boolean =>
  rule.type === "quarantineLimit" && rule.reason === reason && rule.action === "halt" && rule.atMost < 1;

/** The query's own check: readers see at least as many rows as were written. */
export const VISIBILITY_RULE = "rows_are_visible";

interface TypeOfRule {
  readonly actions: readonly RuleAction[];
  /** Keys besides name, type, action and weight. */
  readonly keys: readonly string[];
  /** Kinds of the columns that it can judge. */
  readonly kinds?: readonly string[];
}

const SCALARS = ["string", "bigint", "double", "decimal", "boolean", "timestamp", "date"];
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

/** A failed fatal rule fails the run, regardless of the score. */
export const isFatal = (rule: QualityRule): boolean => rule.action !== "warn";
