// The limit: all rows of the table by one `COPY … TO STDOUT`, over TLS like the job, whose text is counted and thrown away.
//
// usage: copy_limit.mjs SCHEMA, with the database in PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD and the authority's certificate in CA

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import pg from "pg";

const [schema] = process.argv.slice(2);
const started = performance.now();
const client = new pg.Client({ ssl: { ca: readFileSync(process.env.CA), servername: "localhost" } });
await client.connect();
let bytes = 0;
client.connection.on("copyData", ({ chunk }) => (bytes += chunk.length));
const { rowCount } = await client.query(
  `copy ${client.escapeIdentifier(schema)}.invoice_lines (invoice_id, line_no, product_id, quantity, unit_price) to stdout`,
);
await client.end();
const figures = {
  work: (performance.now() - started) / 1_000,
  rows: rowCount,
  "text MiB": bytes / 1_048_576,
};
// Its own, because it may have ended before anybody looked.
console.log(JSON.stringify({ ...figures, "peak MiB": process.resourceUsage().maxRSS / 1_024 }));
