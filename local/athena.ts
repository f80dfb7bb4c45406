import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsCommandOutput,
  InvalidRequestException,
  StartQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import { pause } from "./interrupts";
import { UserError } from "./user-error";

export interface Column {
  readonly name: string;
  /** Athena's name of its type: `varchar`, `bigint`, `decimal`, … */
  readonly type: string;
}

/** A value as Athena writes it. */
export type Value = string | null;

/** The columns and rows of an answer, the values as text. */
export interface Answer {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Value[])[];
  /** `true`: not all rows were fetched. */
  readonly more: boolean;
}

/** Athena's largest page. */
const MOST_ROWS = 1000;

/** The first rows of an answer. @throws UserError with Athena's reason when the query fails */
export async function ask(athena: AthenaClient, workgroup: string, sql: string): Promise<Answer> {
  const { value } = await pages(athena, workgroup, sql).next();
  return value as Answer;
}

/** An answer page by page, at least one. @throws UserError with Athena's reason when the query fails */
export async function* pages(
  athena: AthenaClient,
  workgroup: string,
  sql: string,
): AsyncGenerator<Answer, undefined> {
  const QueryExecutionId = await execute(athena, workgroup, sql);
  let NextToken: string | undefined;
  let isFirst = true;
  do {
    const page = new GetQueryResultsCommand({ QueryExecutionId, MaxResults: MOST_ROWS, NextToken });
    const answered: GetQueryResultsCommandOutput = await athena.send(page);
    const { ResultSet } = answered;
    NextToken = answered.NextToken;
    const columns = (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name, Type }) => ({
      name: Name ?? "",
      type: Type ?? "varchar",
    }));
    // The first row of the first page holds the column names.
    const rows = (ResultSet?.Rows ?? [])
      .slice(isFirst ? 1 : 0)
      .map(({ Data = [] }) => Data.map((value) => value.VarCharValue ?? null));
    isFirst = false;
    yield { columns, rows, more: NextToken !== undefined };
  } while (NextToken !== undefined);
  return undefined;
}

async function execute(athena: AthenaClient, workgroup: string, sql: string): Promise<string> {
  const QueryExecutionId = await started(athena, workgroup, sql);
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const { State, StateChangeReason } = QueryExecution?.Status ?? {};
    if (State === "SUCCEEDED") return QueryExecutionId;
    if (State === "FAILED" || State === "CANCELLED") {
      throw new UserError(`the query ended ${State}: ${StateChangeReason ?? "no reason given"}`);
    }
    await pause(100);
  }
}

async function started(athena: AthenaClient, workgroup: string, sql: string): Promise<string> {
  try {
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: workgroup }),
    );
    return QueryExecutionId!;
  } catch (error) {
    // After a destroy the server still runs, but has no workgroup.
    if (error instanceof InvalidRequestException && /workgroup/i.test(error.message))
      throw new UserError(`nothing is deployed here: workgroup ${workgroup} does not exist; type npm start`);
    if (error instanceof InvalidRequestException)
      throw new UserError(`Athena refuses the query: ${error.message}`);
    throw error;
  }
}
