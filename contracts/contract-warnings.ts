import type { Contract } from "./contract";
import type { Moments } from "./moments";
import { sourceContracts } from "./source-contracts";
import type { Mistake } from "../modules/core/refusals";

/**
 * Lists what a contract leaves to an assumption: a moment without a zone.
 *
 * @param contract a contract without mistakes
 */
export function contractWarnings(contract: Contract): readonly Mistake[] {
  const columns = new Set(sourceContracts(contract).flatMap((one) => one.contract.columns));
  const all = [contract.timestamp?.moments, ...[...columns].map(({ moments }) => moments)];
  return all.flatMap((moments) => (moments === undefined ? [] : zoneWarning(moments)));
}

function zoneWarning({ place, patterns, isZoneDeclared }: Moments): Mistake[] {
  const [bare] = patterns.filter(({ hasZone }) => !hasZone);
  if (isZoneDeclared || bare === undefined) return [];
  const why = `texts in '${bare.pattern}' have no zone, so UTC is assumed`;
  return [
    [`${place}.timeZone`, `is missing: ${why}; name the source's zone, e.g. "Europe/Berlin", or "UTC"`],
  ];
}
