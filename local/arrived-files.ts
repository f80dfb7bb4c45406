import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { clientOptions } from "./clients";
import { type Endpoint } from "./endpoint";

/** The files of the ledger of `FileArrival`, by their state. */

/** The states of files that are in; the others are counted apart. */
const IN = ["waiting", "done", "quarantined"] as const;
const APART: Readonly<Record<string, string>> = { leftAlone: "left alone", gone: "gone", copied: "copied" };

/** The counts in one line: files in = waiting + done + quarantined. */
export function arrivedLine(states: readonly string[]): string {
  const count = (state: string) => states.filter((one) => one === state).length;
  const counted = IN.map((state) => `${count(state)} ${state}`);
  const apart = Object.entries(APART).flatMap(([state, words]) =>
    count(state) === 0 ? [] : [`${count(state)} ${words}`],
  );
  const all = IN.reduce((sum, state) => sum + count(state), 0);
  return [`files in: ${all} = ${counted.join(" + ")}`, ...apart].join("; ");
}

/** The state of every file. */
export async function arrivedStates(at: Endpoint, table: string): Promise<string[]> {
  const client = new DynamoDBClient(clientOptions(at));
  const states: string[] = [];
  const asked = {
    TableName: table,
    ConsistentRead: true,
    ProjectionExpression: "#s",
    FilterExpression: "attribute_exists(#s)",
    ExpressionAttributeNames: { "#s": "state" },
  };
  for await (const { Items = [] } of paginateScan({ client }, asked))
    states.push(...Items.map(({ state }) => state!.S!));
  client.destroy();
  return states;
}
