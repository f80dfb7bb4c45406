import { contains } from "../plan-review/globs";

/** Compares a scanner's findings with the recorded exceptions. */

/** A check that a resource failed. */
export interface Finding {
  readonly environment: string;
  /** Terraform's address of the resource. */
  readonly address: string;
  readonly check: string;
  readonly name: string;
}

/** One entry of `checkov-exceptions.json`. */
export interface Exception {
  /** Address, with `*` for anything. */
  readonly address: string;
  readonly check: string;
  readonly reason: string;
  /** Environments that it speaks of; every one when left out. */
  readonly environments?: readonly string[];
}

const SHORTEST_REASON = 20;

/**
 * Everything that is wrong, empty when nothing is: findings without an exception, exceptions that nothing was found for (any
 * more), and exceptions that give no reason.
 *
 * @param scanned the environments that were looked at: an exception for others only is not stale
 */
export function scanProblems(
  findings: readonly Finding[],
  exceptions: readonly Exception[],
  scanned: readonly string[],
): string[] {
  const open = findings.filter((finding) => !exceptions.some((exception) => covers(exception, finding)));
  const stale = exceptions.filter(
    (exception) =>
      (exception.environments ?? scanned).some((environment) => scanned.includes(environment)) &&
      !findings.some((finding) => covers(exception, finding)),
  );
  const empty = exceptions.filter(({ reason }) => reason.trim().length < SHORTEST_REASON);
  return [
    ...open.map(
      ({ environment, address, check, name }) =>
        `${environment}: ${address} fails ${check} (${name}): fix it, or add an exception with a reason to checkov-exceptions.json`,
    ),
    ...stale.map(
      ({ address, check }) =>
        `checkov-exceptions.json: no resource fails ${check} at '${address}' now; remove the exception`,
    ),
    ...empty.map(
      ({ address, check }) =>
        `checkov-exceptions.json: ${check} at '${address}' needs a reason of at least ${SHORTEST_REASON} characters`,
    ),
  ];
}

function covers({ address, check, environments }: Exception, finding: Finding): boolean {
  return (
    check === finding.check &&
    contains(address, finding.address) &&
    (environments?.includes(finding.environment) ?? true)
  );
}

/** Checkov's own report, as `--output json` writes it. @throws Error when it could not read the plan */
export function findingsOf(report: string, environment: string): Finding[] {
  const { results, summary } = JSON.parse(report) as {
    results?: { failed_checks: { check_id: string; check_name: string; resource: string }[] };
    summary?: { parsing_errors: number; resource_count: number };
  };
  if (
    results === undefined ||
    summary === undefined ||
    summary.parsing_errors > 0 ||
    summary.resource_count === 0
  )
    throw new Error(`checkov found no plan to read for ${environment}: ${report.slice(0, 500)}`);
  return results.failed_checks.map(({ check_id: check, check_name: name, resource: address }) => ({
    environment,
    address,
    check,
    name,
  }));
}
