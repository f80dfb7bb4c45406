import { type Changes, FILE, VERSION_COLUMNS } from "./changes";
import type { Contract } from "./contract";
import { outputTypes } from "./contract-types";
import type { Mistake } from "../modules/core/refusals";

/** Judges `x-etl.changes` against the columns of its contract. */

/** The columns that make a row another version. */
export function comparedColumns({ output, businessKey, changes }: Contract): readonly string[] {
  const others = new Set([...businessKey, changes?.op?.column]);
  return changes?.compare ?? output.filter((name) => !others.has(name));
}

export function wrongChanges(contract: Contract): Mistake[] {
  const { changes } = contract;
  if (changes === undefined) return [];
  const named = [...namedColumns(changes)].flatMap(([field, names]) =>
    names.flatMap((name) => columnMistake(contract, field, name)),
  );
  return [
    ...named,
    ...(named.length > 0 ? [] : wrongTogether(contract, changes)),
    ...unfit(contract),
    ...takenNames(contract),
  ];
}

function namedColumns({ order, validFrom, compare = [], op }: Changes): Map<string, readonly string[]> {
  return new Map([
    ["order", order.filter((name) => name !== FILE)],
    ["validFrom", validFrom === undefined ? [] : [validFrom]],
    ["compare", compare],
    ["deletes.column", op === undefined ? [] : [op.column]],
  ]);
}

function columnMistake(contract: Contract, part: string, name: string): Mistake[] {
  const field = `x-etl.changes.${part}`;
  const type = outputTypes(contract).get(name);
  if (type === undefined) {
    const published = contract.output.join(", ");
    return [[field, `must name columns of x-etl.output (${published}), got '${name}'`]];
  }
  const demand = DEMANDS[part];
  if (demand !== undefined && !demand.types.test(type))
    return [[field, `must name ${demand.words}, got '${name}', which is ${type}`]];
  if (part === "compare" || contract.required.includes(name)) return [];
  return [[field, `must name a required column, got '${name}': a row without it has no place in the order`]];
}

const DEMANDS: Readonly<Record<string, { readonly types: RegExp; readonly words: string }>> = {
  order: { types: /^[^<]*$/, words: "columns that are not lists" },
  validFrom: { types: /^(date|timestamp)$/, words: "a date or a timestamp" },
  compare: { types: /^(?!map<)/, words: "columns whose values can be compared" },
  "deletes.column": { types: /^string$/, words: "a string" },
};

function wrongTogether(contract: Contract, changes: Changes): Mistake[] {
  const { delivery, order, validFrom, op } = changes;
  const sequence = contract.dms?.changeSequence;
  const mistakes: Mistake[] = [];
  const wrong = (field: string, words: string) => mistakes.push([`x-etl.changes.${field}`, words]);
  const [first = FILE] = order;
  // The sequence of AWS DMS follows the time of the commit.
  if (delivery === "increment" && validFrom !== undefined && first !== validFrom && first !== sequence)
    wrong("validFrom", `must come first in the order of increments, got '${validFrom}' before '${first}'`);
  const compared = comparedColumns(contract);
  if (compared.length === 0)
    wrong(
      "compare",
      "must name a column, got none: the contract publishes its key alone, and with a hash over no column every row is unchanged",
    );
  const key = compared.find((name) => contract.businessKey.includes(name));
  if (key !== undefined)
    wrong(
      "compare",
      `must not name '${key}', a column of x-etl.businessKey: it is the same in every version`,
    );
  if (op !== undefined && compared.includes(op.column))
    wrong("compare", `must not name '${op.column}', the column of deletes`);
  const uncompared = order.find((name) => name !== FILE && !compared.includes(name));
  if (delivery === "increment" && uncompared !== undefined && !contract.businessKey.includes(uncompared))
    wrong(
      "compare",
      `must hold '${uncompared}' of the order: a row that moves in the order of increments is a version`,
    );
  return mistakes;
}

/** Parts that a history cannot have. */
function unfit({ sources, aggregate, orderColumn, format, changes }: Contract): Mistake[] {
  const isWhole = changes?.delivery === "whole";
  const parts: [field: string, isThere: boolean, why: string][] = [
    ["sources", isWhole && sources.length > 0, "a whole delivery holds every key, and has one source"],
    ["aggregate", aggregate !== undefined, "versions of a key cannot be added up"],
    ["orderColumn", orderColumn !== undefined, "x-etl.changes.order says it"],
    ["format.unknownColumns", format.unknownColumns === "keep", "maps cannot be compared"],
  ];
  return parts.flatMap(([field, isThere, why]) =>
    isThere ? [[`x-etl.${field}`, `must be left out beside x-etl.changes: ${why}`] as const] : [],
  );
}

function takenNames({ output }: Contract): Mistake[] {
  const own = new Set<string>(VERSION_COLUMNS);
  return output
    .filter((name) => own.has(name.toLowerCase()))
    .map((name) => ["x-etl.output", `must not hold '${name}': a version has a column of this name`]);
}
