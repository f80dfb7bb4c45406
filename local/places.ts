import { join, resolve } from "node:path";

/** The root of the clone. */
export const ROOT = join(__dirname, "..");
/** Installed tools; `down` keeps them. */
export const SETUP = join(ROOT, ".setup");
export const PYTHON = join(SETUP, "venv", "bin", "python");
export const JARS = join(SETUP, "jars");
/** The programs of PostgreSQL; installed when something needs a database. */
export const POSTGRES = join(SETUP, "postgres");
/** The JDBC drivers that Glue has. */
export const JDBC_DRIVERS = join(SETUP, "jars-jdbc");
/** Everything that a run leaves; `down` removes it. ETL_LOCAL sets another folder, for deployments side by side. */
export const LOCAL = resolve(ROOT, process.env.ETL_LOCAL ?? ".local");
/** The share of answers that the embedded AWS loses on purpose, e.g. `0.03`. */
export const LOSE_ANSWERS = process.env.ETL_LOSE_ANSWERS;
export const LOGS = join(LOCAL, "logs");
export const LAST_RUN = join(LOCAL, "last-run.json");
export const SYNTHESISED = join(ROOT, "cdktf.out");

/** The environment that `npm start` deploys, and the bench's account and region. */
export const BENCH = {
  environment: "dev",
  accountId: "000000000000",
  region: "us-east-1",
} as const;
