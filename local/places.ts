import { join, resolve } from "node:path";

/** The root of the clone. */
export const ROOT = join(__dirname, "..");
/** What set-up installed; `down` keeps it. */
export const SETUP = join(ROOT, ".setup");
export const PYTHON = join(SETUP, "venv", "bin", "python");
export const JARS = join(SETUP, "jars");
/** Everything that a run leaves; `down` removes it. ETL_LOCAL names another folder, for deployments side by side. */
export const LOCAL = resolve(ROOT, process.env.ETL_LOCAL ?? ".local");
/** The share of answers that the embedded AWS loses on purpose, e.g. `0.03`. */
export const LOSE_ANSWERS = process.env.ETL_LOSE_ANSWERS;
export const LOGS = join(LOCAL, "logs");
export const LAST_RUN = join(LOCAL, "last-run.json");
export const SYNTHESISED = join(ROOT, "cdktf.out");

/** What the bench deploys and where it pretends to be. */
export const BENCH = {
  environment: "dev",
  accountId: "000000000000",
  region: "us-east-1",
} as const;
