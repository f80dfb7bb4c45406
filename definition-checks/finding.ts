import { type Definition, type JsonObject } from "./asl";

/** What a check finds, how it is written, and what may be allowed. Pure. */

export interface Finding {
  /** The check, as docs/definition-checks.md lists it. */
  readonly check: CheckName;
  /** The state it is about; empty for the machine. */
  readonly state: string;
  readonly what: string;
  readonly remedy: string;
}

/** Every check there is, in the order of docs/definition-checks.md. */
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
  "assign",
  "definition-size",
  // calls
  "integration",
  "parameter",
  "function-arn",
  "account-id",
  "place",
  "glue-argument",
  "subject",
  "execution-name",
  "payload-size",
  // time
  "timeout",
  "machine-timeout",
  "timeout-order",
  // waiting for what was started
  "async-start",
  "newest-run",
  "status-value",
  "status-unfinished",
  "status-failed",
  "crawl-verdict",
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
export type CheckName = (typeof CHECKS)[number];

export interface AslCheckOptions {
  /** States that look like a failure's way and may end in success. */
  readonly successAfterFailure?: readonly string[];
  /** Job-run states that may retry every error, because what they run can be repeated. */
  readonly retriesEveryError?: readonly string[];
  /** Checks that are allowed in a state, by its name; the machine's own stand under the empty name. */
  readonly allow?: Readonly<Record<string, readonly string[]>>;
  /** An input as the machine is started with: every field of it must be used, and no other read. */
  readonly input?: JsonObject;
  /** A file that stands for many places: it must name no account and no region. */
  readonly isTemplate?: boolean;
  /** A part of a machine: the whole has the time-out. */
  readonly isFragment?: boolean;
  /** `false` for a string that holds an unresolved token. */
  readonly isKnown?: (value: string) => boolean;
}

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

/** Takes out what is allowed, and reports an allowance that allows nothing. */
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
        what: `its Comment allows ${check}, which ${(CHECKS as readonly string[]).includes(check) ? "finds nothing here" : "is no check"}`,
        remedy: "take the allowance out",
      })),
  );
  return [...findings.filter((finding) => !isAllowed(finding)), ...idle];
}
