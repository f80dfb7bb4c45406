import type { Contract } from "./contract";
import { type Format, isXml } from "./format";
import { baseTypes } from "./contract-types";
import { folderOf } from "./dms";
import { crawledName, type DeliverySource, type Given, type SourceLayout } from "./sources";
import type { Mistake } from "../modules/core/refusals";

/** A contract as the rows of one source see it. */
export interface SourceContract {
  /** `undefined` where the contract declares no sources. */
  readonly source?: DeliverySource;
  readonly contract: Contract;
}

/** A contract as each of its sources sees it. A contract without sources is its own only view. */
export function sourceContracts(contract: Contract): readonly SourceContract[] {
  const { sources } = contract;
  if (sources.length === 0) return [{ contract }];
  const seen = sources.map((source): SourceContract => {
    const { columns, format, shapes } = source;
    return { source, contract: { ...contract, columns, format, shapes, sources: [], given: [] } };
  });
  const all = new Map(seen.flatMap((one) => [...baseTypes(one.contract)]));
  return seen.map(({ source, contract: one }) => ({
    source,
    contract: { ...one, given: givenOf(one, all, source!.name) },
  }));
}

/** The columns of `all` that a contract does not deliver. */
function givenOf(contract: Contract, all: ReadonlyMap<string, string>, name: string): readonly Given[] {
  const own = baseTypes(contract);
  const absent = [...all].filter(([column]) => !own.has(column));
  return [
    ...(contract.sourceColumn === undefined
      ? []
      : [{ name: contract.sourceColumn, type: "string", value: name }]),
    ...absent.map(([column, type]) => ({ name: column, type, value: null })),
  ];
}

/** Finds what does not fit between sources, and between them and the column of their names. */
export function sourceMistakes(contract: Contract): Mistake[] {
  const { sources, sourceColumn, output } = contract;
  if (sources.length === 0) return [];
  const types = new Map<string, readonly [type: string, source: string]>();
  const mistakes: Mistake[] = [];
  for (const { name, columns, place } of sources)
    for (const [column, type] of baseTypes({ ...contract, columns, sources: [], given: [] })) {
      const [known, other] = types.get(column) ?? [type, name];
      types.set(column, [known, other]);
      if (known !== type)
        mistakes.push([
          `${place}.properties.${column}`,
          `must be of one type in every source, got ${type}, and ${known} in ${other}`,
        ]);
    }
  if (sourceColumn !== undefined && !output.includes(sourceColumn))
    mistakes.push(["x-etl.output", `must hold '${sourceColumn}', the x-etl.sourceColumn`]);
  return mistakes;
}

/** A source as the infrastructure sees it. */
export interface ContractSource {
  /**
   * Its name.
   * @default - the contract declares no sources, and the pipeline's folder is the only one
   */
  readonly name?: string;
  /** The folder of its days, below the pipeline's; "" or ending in a slash. */
  readonly folder: string;
  /**
   * The ends of the names of its files.
   * @default - every file of the folder
   */
  readonly endings?: readonly string[];
  /** The names of the folders of days: `dt=2025-11-21`, or the milliseconds of a UTC midnight. */
  readonly layout: SourceLayout;
  /**
   * Its files are XML, for which Spark 3.5 needs a jar.
   * @default false
   */
  readonly isXml?: boolean;
  /**
   * A file beside the folders of its days ends a run.
   * @default false
   */
  readonly refusesStrangers?: boolean;
  /** The name that a crawler gives to its table, without a prefix; "" where the source has no name. */
  readonly table: string;
}

const xmlOf = (format: Format) => (isXml(format) ? { isXml: true } : {});

/** The places that the deliveries of a contract without mistakes come from; at least one. */
export const placesOf = ({ sources, format, dms }: Contract): readonly ContractSource[] =>
  sources.length === 0
    ? [
        dms === undefined
          ? { folder: "", layout: "dt", table: "", ...xmlOf(format) }
          : { folder: folderOf(dms), layout: "dms", table: "" },
      ]
    : sources.map((source) => {
        const { name, folder, endings, layout, unknownFolders } = source;
        return {
          name,
          folder,
          layout,
          table: crawledName(source),
          ...xmlOf(source.format),
          ...(endings.length > 0 ? { endings } : {}),
          ...(unknownFolders === "refuse" ? { refusesStrangers: true } : {}),
        };
      });

/** The names of the sources whose runs end at a file beside the folders of days. */
export const refusingNames = (
  sources: readonly Pick<ContractSource, "name" | "refusesStrangers">[],
): string[] =>
  sources.flatMap(({ name, refusesStrangers }) =>
    refusesStrangers === true && name !== undefined ? [name] : [],
  );
