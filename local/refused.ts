import { type AthenaClient } from "@aws-sdk/client-athena";
import { ask } from "./athena";
import { type Books, type Rejected } from "./books";
import { wrap } from "./lines";

/** Shows the rejected rows of a refused run. Messages and logs hold no values; the bench asks Athena for some. */

/** Reasons that are shown. */
const MOST_REASONS = 6;
/** Values that are shown for each reason. */
const MOST_VALUES = 3;

/** Delivered values, in the order of the books' reasons. */
export type Examples = readonly (readonly string[])[];

/** Fetches values for the first reasons. A reason without a column has no values. */
export async function findExamples(
  athena: AthenaClient,
  workgroup: string,
  { reasons, refused }: Books,
  runId: string,
): Promise<Examples> {
  const { table = "" } = refused ?? {};
  if (table === "") return [];
  return Promise.all(
    reasons.slice(0, MOST_REASONS).map(async ({ reason, column }) => {
      if (column === "") return [];
      const value = `element_at(reason_values, ${text(column)})`;
      const { rows } = await ask(
        athena,
        workgroup,
        `select distinct ${value} from ${table} where run_id = ${text(runId)} and reason = ${text(reason)} ` +
          `and ${value} is not null order by 1 limit ${MOST_VALUES}`,
      );
      return rows.map(([first]) => first ?? "");
    }),
  );
}

/** Why rows were rejected, and how to see them. */
export function refusedLines({ reasons, refused }: Books, examples: Examples): string[] {
  if (refused === undefined || reasons.length === 0) return [];
  const shown = reasons.slice(0, MOST_REASONS).flatMap((one, index) => linesOf(one, examples[index] ?? []));
  const more = reasons.length - MOST_REASONS;
  const { rows, query = "" } = refused;
  return [
    "",
    "why rows were rejected:",
    ...shown,
    ...(more > 0 ? [`  and ${more} more, in books.json`] : []),
    ...(query === "" ? [] : [`to see all ${rows}:`, queryCommand(query)]),
  ];
}

function linesOf(
  { reason, column, expected, rows, file, line }: Rejected,
  values: readonly string[],
): string[] {
  const about = column === "" ? "the row" : column;
  const place =
    file === undefined
      ? []
      : [`first in ${file.slice(file.lastIndexOf("/dt=") + 1)}${line ? ` line ${line}` : ""}`];
  const told = [...place, ...(values.length === 0 ? [] : [`e.g. ${values.map(quoted).join(", ")}`])];
  return [
    indented(`${reason}: ${about}, expected ${expected}: ${rows} ${rows === 1 ? "row" : "rows"}`, 2),
    ...(told.length === 0 ? [] : [indented(told.join("; "), 4)]),
  ];
}

const queryCommand = (sql: string): string => wrap(`npm start -- query "${sql}"`);

/** Delivered text must not control the terminal: invisible characters are shown as escapes. */
function quoted(value: string): string {
  const seen = value.replaceAll(
    /\p{C}/gu,
    (one) => `\\u${one.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
  return `'${seen.length > 40 ? `${seen.slice(0, 39)}…` : seen}'`;
}

const indented = (line: string, by: number): string =>
  wrap(line, 80 - by)
    .split("\n")
    .map((part) => `${" ".repeat(by)}${part}`)
    .join("\n");

/** As a literal of SQL. */
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
