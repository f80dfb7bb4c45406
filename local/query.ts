import { type AthenaClient } from "@aws-sdk/client-athena";
import { answerTable, CSV, type Format, JSON_ROWS, type Writer } from "./answers";
import { ask, pages } from "./athena";
import { clientsOf } from "./clients";
import { healAloud } from "./deploy";
import { deployedPipelines } from "./deployed-pipelines";
import { EmbeddedAws } from "./embedded-aws";
import { environmentPipelines, stackName } from "./known-environments";
import { NOTHING } from "./inspect";
import { writeData } from "./lines";
import { missingPipeline } from "./pipeline-choice";
import { BENCH } from "./places";
import { incompleteText, returnPoint } from "./return-point";
import { deployedResources } from "./terraform-state";
import { UserError } from "./user-error";

/** `npm start -- query`: Athena's answer on standard output, and everything else on standard error. */

/** The environment's workgroup has the stack's name. */
const WORKGROUP = stackName(BENCH.environment);
const WRITERS: Readonly<Record<Exclude<Format, "table">, Writer>> = { csv: CSV, json: JSON_ROWS };

export async function query(sql: string, format: Format): Promise<void> {
  await healAloud((line) => console.error(line));
  const resources = deployedResources(WORKGROUP);
  if (resources === 0) throw new UserError(NOTHING);
  const point = returnPoint();
  if (point?.stack === WORKGROUP && point.first)
    throw new UserError(`nothing can be queried yet: ${incompleteText(point, resources, undefined)}`);
  const aws = await EmbeddedAws.start();
  try {
    const { athena } = clientsOf(aws.at);
    if (format === "table") console.log(answerTable(await ask(athena, WORKGROUP, sql)));
    else await writeRows(athena, sql, WRITERS[format]);
  } catch (error) {
    aws.at.gone?.throwIfAborted();
    throw error instanceof UserError ? withHint(error) : error;
  } finally {
    await aws.stop();
  }
}

/** Adds which command makes the missing table, when a pipeline that is not deployed would. */
function withHint(error: UserError): UserError {
  const all = environmentPipelines(BENCH.environment).map(({ name }) => name);
  const deployed = deployedPipelines(WORKGROUP, environmentPipelines(BENCH.environment));
  const pipeline = missingPipeline(
    error.message,
    all.filter((name) => !deployed.includes(name)),
  );
  if (pipeline === undefined) return error;
  return new UserError(
    `${error.message}\n${pipeline} is not deployed here: type npm start -- --pipeline ${pipeline}`,
  );
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
