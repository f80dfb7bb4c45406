import { join } from "node:path";

/** The root of the clone. */
export const ROOT = join(__dirname, "..");
/** What set-up installed; `down` keeps it. */
export const SETUP = join(ROOT, ".setup");
export const PYTHON = join(SETUP, "venv", "bin", "python");
export const JARS = join(SETUP, "jars");
/** Everything that a run leaves; `down` removes it. */
export const LOCAL = join(ROOT, ".local");
export const LOGS = join(LOCAL, "logs");
export const LAST_RUN = join(LOCAL, "last-run.json");
export const SYNTHESISED = join(ROOT, "cdktf.out");

/** What the bench deploys and where it pretends to be. */
export const BENCH = {
  environment: "dev",
  accountId: "000000000000",
  region: "us-east-1",
} as const;
