import { got, NOTES, type NodeReader } from "./node-reader";

/** How deliveries become the history of each key: `x-etl.changes`, for the write mode `changes`. */
export interface Changes {
  /** `whole`: a delivery holds every key that is there; `increment`: only the keys that changed. */
  readonly delivery: (typeof DELIVERIES)[number];
  /** Columns, then `file` for the delivery's date, the file's name and the line: the order of the rows of a key. */
  readonly order: readonly string[];
  /** The column with the time from which a row is valid; without it, the delivery's date. */
  readonly validFrom?: string;
  /** The columns that make a row another version; without them, every published one that is no part of the key or the op. */
  readonly compare?: readonly string[];
  /** The proof that a whole delivery is complete. */
  readonly proof?: Proof;
  /** The column that says which rows of an increment are deletes. */
  readonly op?: Op;
}

/** The ways to prove that a whole delivery is complete. */
export type Proof =
  | {
      readonly provedBy: "count";
      /** A JSON file of the delivery, whose member is the number of rows. */
      readonly file: string;
      readonly member: string;
    }
  | {
      readonly provedBy: "marker";
      /** A file that is written last. */
      readonly file: string;
    }
  | {
      readonly provedBy: "floor";
      /** The least share of the present keys, above 0 and at most 1. */
      readonly share: number;
    };

export interface Op {
  readonly column: string;
  /** The values that mean a delete. */
  readonly values: readonly string[];
}

const DELIVERIES = ["whole", "increment"] as const;
const PROOFS = ["count", "marker", "floor"] as const;
const KEYS = ["delivery", "order", "validFrom", "compare", "deletes"];
/** The last word of an order: the delivery's date, the file's name and the line, which no two rows share. */
export const FILE = "file";

/** The columns that a version has besides those of the contract. */
export const VERSION_COLUMNS = [
  ...["change", "valid_from", "sequence", "loaded_at", "run_id", "source_file", "row_hash"],
] as const;

export function readChanges(node: NodeReader | undefined): Changes | undefined {
  if (node === undefined) return undefined;
  node.refuseOthers("changes", KEYS, NOTES);
  const delivery = node.oneOf("delivery", DELIVERIES);
  const order = node.names("order");
  if (order.length > 0 && order.at(-1) !== FILE) refuseTies(node, order);
  if (order.slice(0, -1).includes(FILE))
    node.wrong("order", `must name '${FILE}' last: nothing after it can decide, ${got(order)}`);
  return {
    delivery: delivery ?? "increment",
    order,
    validFrom: node.has("validFrom") ? node.text("validFrom") : undefined,
    compare: node.has("compare") ? readCompare(node) : undefined,
    ...(delivery === undefined ? {} : readDeletes(node, delivery)),
  };
}

function refuseTies(node: NodeReader, order: readonly string[]): void {
  const why = `two rows of a key may have the same ${order.join(", ")}, and then nothing says which is later`;
  node.wrong("order", `must end in '${FILE}' (delivery, file name, line), ${got(order)}: ${why}`);
}

function readCompare(node: NodeReader): readonly string[] {
  const value = node.value("compare");
  if (!Array.isArray(value) || value.length > 0) return node.names("compare");
  node.wrong("compare", "must name a column, got []: with a hash over no column every row is unchanged");
  return [];
}

function readDeletes(node: NodeReader, delivery: Changes["delivery"]): Pick<Changes, "proof" | "op"> {
  if (delivery === "increment")
    return { op: node.has("deletes") ? readOp(node.child("deletes")) : undefined };
  if (node.has("deletes")) return { proof: readProof(node.child("deletes")) };
  const ways = "the reconciled count, an end marker or a floor";
  node.wrong(
    "deletes",
    `must say what proves a whole delivery complete (${ways}), got nothing: a key that a cut-off delivery lacks is not deleted`,
  );
  return {};
}

function readProof(node: NodeReader | undefined): Proof | undefined {
  if (node === undefined) return undefined;
  if (node.has("column")) {
    node.wrong("column", "is for deliveries of increments: in a whole delivery a deleted key is absent");
    return undefined;
  }
  const provedBy = node.oneOf("provedBy", PROOFS);
  if (provedBy === undefined) return undefined;
  const keys = { count: ["file", "member"], marker: ["file"], floor: ["share"] }[provedBy];
  node.refuseOthers(`a proof by ${provedBy}`, ["provedBy", ...keys], NOTES);
  if (provedBy === "floor") return { provedBy, share: readShare(node) };
  const file = readFile(node, provedBy === "count");
  return provedBy === "marker" ? { provedBy, file } : { provedBy, file, member: node.text("member") };
}

function readShare(node: NodeReader): number {
  const share = node.share("share");
  if (node.value("share") === 0)
    node.wrong("share", "must be above 0, got 0: it would take an empty delivery for a whole one");
  return share;
}

/** A name that is not read as rows. */
function readFile(node: NodeReader, isRead: boolean): string {
  const file = node.text("file");
  if (file !== "" && !/^[_.][^/]+$/.test(file)) {
    const what = isRead ? "the count" : "the marker";
    node.wrong(
      "file",
      `must be a file name that begins with '_' or '.', ${got(file)}: otherwise ${what} is read as rows`,
    );
  }
  return file;
}

function readOp(node: NodeReader | undefined): Op | undefined {
  if (node === undefined) return undefined;
  if (node.has("provedBy")) {
    node.wrong("provedBy", "is for whole deliveries: an increment does not hold every key");
    return undefined;
  }
  node.refuseOthers("deletes of increments", ["column", "values"], NOTES);
  return { column: node.text("column"), values: node.names("values") };
}
