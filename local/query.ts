import { type AthenaClient } from "@aws-sdk/client-athena";
import { answerTable, CSV, type Format, JSON_ROWS, type Writer } from "./answers";
import { ask, pages } from "./athena";
import { clientsOf } from "./clients";
import { healAloud } from "./deploy";
import { EmbeddedAws } from "./embedded-aws";
import { NOTHING } from "./inspect";
import { writeData } from "./lines";
import { deployedResources, incompleteText, returnPoint } from "./return-point";
import { UserError } from "./user-error";

/** `npm start -- query`: Athena's answer on standard output, and everything else on standard error. */

const WORKGROUP = "etl-dev";
const WRITERS: Readonly<Record<Exclude<Format, "table">, Writer>> = { csv: CSV, json: JSON_ROWS };

export async function query(sql: string, format: Format): Promise<void> {
  await healAloud((line) => console.error(line));
  const resources = deployedResources(WORKGROUP);
  if (resources === 0) throw new UserError(NOTHING);
  const point = returnPoint();
  if (point?.stack === WORKGROUP && point.first)
    throw new UserError(`there is nothing to ask yet: ${incompleteText(point, resources, undefined)}`);
  const aws = await EmbeddedAws.start();
  try {
    const { athena } = clientsOf(aws.at);
    if (format === "table") console.log(answerTable(await ask(athena, WORKGROUP, sql)));
    else await writeRows(athena, sql, WRITERS[format]);
  } finally {
    await aws.stop();
  }
}

/** All rows, a page at a time. */
async function writeRows(athena: AthenaClient, sql: string, writer: Writer): Promise<void> {
  let isFirst = true;
  for await (const page of pages(athena, WORKGROUP, sql)) {
    await writeData(`${isFirst ? writer.head(page.columns) : ""}${writer.page(page, isFirst)}`);
    isFirst = false;
  }
  await writeData(writer.foot);
}
