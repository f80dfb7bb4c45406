import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import { pause } from "./interrupts";
import { UserError } from "./user-error";

/** An answer: the names of its columns, and its rows as text. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether there are more rows than were fetched. */
  readonly more: boolean;
}

/** Athena's page. */
const MOST_ROWS = 1000;

/** @throws UserError with Athena's reason when the query fails */
export async function ask(athena: AthenaClient, workgroup: string, sql: string): Promise<Answer> {
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: workgroup }),
  );
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const { State, StateChangeReason } = QueryExecution?.Status ?? {};
    if (State === "SUCCEEDED") break;
    if (State === "FAILED" || State === "CANCELLED") {
      throw new UserError(`the query ended ${State}: ${StateChangeReason ?? "no reason was given"}`);
    }
    await pause(100);
  }
  const { ResultSet, NextToken } = await athena.send(
    new GetQueryResultsCommand({ QueryExecutionId, MaxResults: MOST_ROWS }),
  );
  const columns = (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name }) => Name ?? "");
  // The first row repeats the columns' names.
  const rows = (ResultSet?.Rows ?? [])
    .slice(1)
    .map(({ Data = [] }) => Data.map((value) => value.VarCharValue ?? ""));
  return { columns, rows, more: NextToken !== undefined };
}
