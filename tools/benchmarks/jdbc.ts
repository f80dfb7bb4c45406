import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateConnectionCommand } from "@aws-sdk/client-glue";
import { type Extract, extractText, readExtract } from "../../contracts/extracts";
import { clientOptions, clientsOf } from "../../local/clients";
import { findDeliveries } from "../../local/deliveries";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH } from "../../local/places";
import { BenchPostgres } from "../../local/postgres";
import { BenchSecrets } from "../../local/secrets";
import { install } from "../../local/setup";
import { daysOf, ShopDatabase } from "../../local/shop-days";
import { jdbcUrl } from "../../modules/glue-connection/jdbc-url";
import { type BenchOptions } from "./bench-options";
import { type Contender, measureInTurn, printTable, ratio, type Sample } from "./measure";

/**
 * Compares the extract of `invoice_lines` by several connections with that by one, and with `COPY … TO STDOUT` as the limit, on the shop's
 * database in several sizes.
 */

const root = join(__dirname, "..", "..");
const python = join(root, ".setup", "venv", "bin", "python");
const programs = join(root, "tools", "benchmarks", "jdbc");
const DATABASE = "shop";
const TABLE = "invoice_lines";
const CONNECTION = "bench-shop";
const LOCKS = "bench-locks";

export async function measureJdbc({ rounds, copies, days }: BenchOptions): Promise<void> {
  await install("jdbc,postgres");
  const scratch = mkdtempSync(join(tmpdir(), "etl-bench-"));
  // Everybody may enter it, because root starts the database as another user.
  chmodSync(scratch, 0o755);
  const aws = await EmbeddedAws.start(scratch);
  const secrets = new BenchSecrets(aws.at);
  let postgres: BenchPostgres | undefined;
  try {
    postgres = await BenchPostgres.start({
      ...{ local: scratch, database: DATABASE, tls: join(scratch, "tls"), secrets },
    });
    await fill(postgres, resolve(days));
    await prepare(aws, postgres);
    const peaks: Sample[] = [];
    for (const times of copies) {
      const schema = `x${times}`;
      const rows = await multiply(postgres, schema, times);
      const measured = await measureInTurn(contenders({ aws, postgres, scratch, schema }), rounds);
      refuseOtherRows(rows, measured);
      printTable(`${times} × ${TABLE}: ${rows} rows`, measured);
      peaks.push({ rows, ...peaksOf(measured) });
    }
    printGrowth(peaks);
    console.log(
      "seconds: the whole process; work: seconds after Spark started, of COPY from its connection on",
    );
  } finally {
    await postgres?.stop();
    secrets.destroy();
    await aws.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The shop after these days. */
async function fill(postgres: BenchPostgres, days: string): Promise<void> {
  const { files } = findDeliveries(days, { pipeline: "shop" });
  const shop = await ShopDatabase.open(postgres);
  try {
    await shop.fillAfresh(daysOf(files));
  } finally {
    await shop.close();
  }
}

/** The connection and the table of locks, as a deployment makes them. */
async function prepare({ at }: EmbeddedAws, { port, reader }: BenchPostgres): Promise<void> {
  const address = {
    engine: "postgresql",
    host: "localhost",
    port: String(port),
    database: DATABASE,
  } as const;
  const { glue } = clientsOf(at);
  await glue.send(
    new CreateConnectionCommand({
      ConnectionInput: {
        Name: CONNECTION,
        ConnectionType: "JDBC",
        ConnectionProperties: {
          JDBC_CONNECTION_URL: jdbcUrl({ ...address, tls: true, options: {} }, () => true),
          JDBC_ENFORCE_SSL: "true",
          SECRET_ID: reader.secretArn,
          CUSTOM_JDBC_CERT: at.caBundle,
        },
      },
    }),
  );
  const dynamodb = new DynamoDBClient(clientOptions(at));
  await dynamodb.send(
    new CreateTableCommand({
      TableName: LOCKS,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "pipeline", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pipeline", AttributeType: "S" }],
    }),
  );
  dynamodb.destroy();
}

/** A schema with the table so many times over, each copy with its own invoices. @returns its rows */
async function multiply(postgres: BenchPostgres, schema: string, times: number): Promise<number> {
  const owner = await postgres.connect();
  try {
    await owner.query(`create schema ${schema}`);
    await owner.query(`create table ${schema}.${TABLE} (like shop.${TABLE} including all)`);
    const { rowCount } = await owner.query(
      `insert into ${schema}.${TABLE} select invoice_id || '-' || copy, line_no, product_id, quantity, unit_price ` +
        `from shop.${TABLE}, generate_series(1, $1) as copy`,
      [times],
    );
    // So that autovacuum does not work while rounds are measured.
    await owner.query(`vacuum analyze ${schema}.${TABLE}`);
    return rowCount!;
  } finally {
    await owner.end();
  }
}

interface Place {
  readonly aws: EmbeddedAws;
  readonly postgres: BenchPostgres;
  readonly scratch: string;
  readonly schema: string;
}

function contenders({ aws: { at }, postgres, scratch, schema }: Place): Contender[] {
  const read = (output: string) => JSON.parse(output.trim().split("\n").at(-1)!) as Record<string, number>;
  const awsVariables = {
    AWS_ENDPOINT_URL: at.endpoint,
    AWS_CA_BUNDLE: at.caBundle,
    AWS_ACCESS_KEY_ID: at.accessKeyId,
    AWS_SECRET_ACCESS_KEY: at.secretAccessKey,
    AWS_REGION: BENCH.region,
    AWS_DEFAULT_REGION: BENCH.region,
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const extract = (name: string, file: string, isShared: boolean): Contender => {
    const document = join(scratch, `${schema}-${file}.json`);
    writeFileSync(document, extractText(extractOf(schema, isShared)));
    mkdirSync(join(scratch, "out"), { recursive: true });
    const args = [join(programs, "run_extract.py"), join(scratch, "out", file), document, CONNECTION, LOCKS];
    return { name, command: python, args, env: awsVariables, read };
  };
  const { username, password } = postgres.reader;
  const env = {
    ...{ PGHOST: "127.0.0.1", PGPORT: String(postgres.port), PGDATABASE: DATABASE },
    ...{ PGUSER: username, PGPASSWORD: password, CA: at.caBundle },
  };
  return [
    extract("parallel", "shared", true),
    extract("a single connection", "single", false),
    {
      name: "COPY, the limit",
      command: process.execPath,
      args: [join(programs, "copy_limit.mjs"), schema],
      ...{ env, read },
    },
  ];
}

/** The shop's extract as it is declared, of this table alone. @param isShared several connections share its rows */
function extractOf(schema: string, isShared: boolean): Extract {
  const file = join(root, "pipelines", "shop", "shop.extract.json");
  const { extract, mistakes } = readExtract(JSON.parse(readFileSync(file, "utf8")));
  if (mistakes.length > 0) throw new Error(mistakes.map(String).join("; "));
  const tables = extract.tables
    .filter(({ name }) => name === TABLE)
    .map(({ partitionColumn, ...table }) => (isShared ? { ...table, partitionColumn } : table));
  return { ...extract, schema, tables };
}

/** Only programs that read all rows can be compared, and one connection must be one. */
function refuseOtherRows(rows: number, measured: ReadonlyMap<Contender, Sample>): void {
  for (const [{ name }, sample] of measured)
    if (sample.rows !== rows) throw new Error(`${name} read ${sample.rows} rows of ${rows}`);
  const [, single] = [...measured.values()];
  if (single!.connections !== 1) throw new Error(`the single one used ${single!.connections} connections`);
}

const peaksOf = (measured: ReadonlyMap<Contender, Sample>): Sample =>
  Object.fromEntries([...measured].map(([{ name }, sample]) => [name, sample["peak MiB"]!]));

/** How memory grows from the smallest to the largest table. */
function printGrowth(peaks: readonly Sample[]): void {
  const [least, most] = [peaks[0]!, peaks.at(-1)!];
  if (peaks.length < 2) return;
  const of = Object.keys(least)
    .filter((name) => name !== "rows")
    .map((name) => `${name} × ${ratio(most[name], least[name])!.toFixed(2)}`)
    .join(", ");
  console.log(`peak memory from the first size to the last: ${of}`);
}
