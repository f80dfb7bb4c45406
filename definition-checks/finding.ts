import { type Definition, type JsonObject } from "./asl";

/** A mistake that a check found in a definition. */
export interface Finding {
  /** The check's name, as docs/definition-checks.md lists it. */
  readonly check: CheckName;
  /** The state it is about; empty for the machine. */
  readonly state: string;
  /** A sentence about the state, without its subject. */
  readonly what: string;
  /** How to correct it. */
  readonly remedy: string;
}

/** The names of all checks, in the order of docs/definition-checks.md. */
export const CHECKS = [
  // a file, which only the lint reads
  "json",
  "schema",
  // the shape of a definition
  "start",
  "dangling",
  "unreachable",
  "no-end",
  "next-and-end",
  "state-type",
  "name-length",
  "choice-default",
  "fail-words",
  "query-language",
  "jsonata-field",
  "jsonpath-field",
  "jsonata-expression",
  "assign",
  "definition-size",
  // maps
  "map-mode",
  "map-tolerance",
  "express-child",
  // calls
  "integration",
  "parameter",
  "function-arn",
  "account-id",
  "place",
  "glue-argument",
  "run-parameter",
  "task-token",
  "subject",
  "execution-name",
  "payload-size",
  // time
  "timeout",
  "machine-timeout",
  "timeout-order",
  // waiting for what was started
  "async-start",
  "blind-wait",
  "newest-run",
  "status-value",
  "status-unfinished",
  "status-failed",
  "crawl-verdict",
  "workflow-verdict",
  // errors
  "retry-missing",
  "retry-run",
  "retry-deterministic",
  "retry-fields",
  "error-order",
  "error-name",
  "uncatchable",
  "catch-result-path",
  // failures
  "caught-success",
  "named-failure",
  "redrive",
  // data
  "lost-input",
  "answer-member",
  "function-answer",
  "optional-member",
  "text-as-number",
  "undeclared-input",
  "unused-input",
  // allowances
  "allowance",
] as const;
/** The name of a check. */
export type CheckName = (typeof CHECKS)[number];

/** Options of the definition checks. */
export interface AslCheckOptions {
  /** States that look like part of a failure path but may end in success. */
  readonly successAfterFailure?: readonly string[];
  /** Job-run states that may retry every error, because their runs can be repeated. */
  readonly retriesEveryError?: readonly string[];
  /** Findings to accept: names of checks by state; those of the machine itself are under the empty name. */
  readonly allow?: Readonly<Record<string, readonly string[]>>;
  /** A sample input of the machine: every field must be used, and no other may be read. */
  readonly input?: JsonObject;
  /** The file is deployed to several places: it must name no account and no region. */
  readonly isTemplate?: boolean;
  /** JSONata is judged instead of refused: rights are derived from JSONPath states only, so synth refuses it. */
  readonly takesJsonata?: boolean;
  /** The file is part of a machine, and the whole has the time-out. */
  readonly isFragment?: boolean;
  /** Returns `false` for a string that holds an unresolved token. */
  readonly isKnown?: (value: string) => boolean;
}

/** Writes a finding as `state <name>: <what> (<remedy>)`. */
export const formatFinding = ({ state, what, remedy }: Pick<Finding, "state" | "what" | "remedy">): string =>
  `${state === "" ? "the definition" : `state ${state}`}: ${what} (${remedy})`;

/** Collects the findings of one check file about one state. */
export class Findings {
  readonly all: Finding[] = [];
  constructor(readonly about: string) {}
  find(check: CheckName, what: string, remedy: string): void {
    this.all.push({ check, state: this.about, what, remedy });
  }
}

const ALLOWANCE = /\ballow\(([^)]*)\)/g;

/** The checks that a Comment allows: `"Comment": "allow(caught-success): the lock is somebody else's by now"`. */
export const allowancesIn = (comment: unknown): string[] =>
  typeof comment === "string" ? [...comment.matchAll(ALLOWANCE)].map((match) => match[1] ?? "") : [];

/** Removes allowed findings, and reports allowances that match no finding. */
export function withoutAllowed(
  findings: readonly Finding[],
  letBe: readonly Finding[],
  states: readonly { readonly name: string; readonly state: JsonObject }[],
  definition: Definition,
  options: AslCheckOptions,
): Finding[] {
  const written = [
    { name: "", checks: allowancesIn(definition.Comment) },
    ...states.map(({ name, state }) => ({ name, checks: allowancesIn(state.Comment) })),
  ];
  const isAllowed = ({ check, state }: Finding) =>
    [
      ...(options.allow?.[state] ?? []),
      ...written.flatMap((one) => (one.name === state ? one.checks : [])),
    ].includes(check);
  const idle = written.flatMap(({ name, checks }) =>
    checks
      .filter(
        (check) =>
          ![...findings, ...letBe].some((finding) => finding.state === name && finding.check === check),
      )
      .map((check): Finding => ({
        check: "allowance",
        state: name,
        what: `its Comment allows ${check}, which ${(CHECKS as readonly string[]).includes(check) ? "finds nothing here" : "is not a check"}`,
        remedy: "take the allowance out",
      })),
  );
  return [...findings.filter((finding) => !isAllowed(finding)), ...idle];
}
