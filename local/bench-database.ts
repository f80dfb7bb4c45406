import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { variableOf } from "../environments/given";
import { PIPELINES } from "../pipelines";
import { EmbeddedAws } from "./embedded-aws";
import { snakeCase } from "./pipeline-choice";
import { BENCH, LOCAL } from "./places";
import { BenchPostgres } from "./postgres";
import { endRemembered } from "./processes";
import { BenchSecrets } from "./secrets";
import { install } from "./setup";

/** The database of pipelines that read one, and the settings of their connection, which a synth gets as an environment's variables. */

/** The default VPC of the embedded account, and its subnet in the first zone. */
const NETWORK = {
  SUBNET_ID: "subnet-00000001",
  AVAILABILITY_ZONE: `${BENCH.region}a`,
  VPC_ID: "vpc-00000001",
};

/** It ends by itself when its command does. */
const GRACE_MS = 20_000;

const recordOf = (pipeline: string): string => join(LOCAL, "connections", `${pipeline}.json`);

type Settings = Readonly<Record<string, string>>;

/** `true`: the pipeline reads a database. */
export const hasDatabase = (pipeline: string): boolean =>
  PIPELINES.some((one) => one.name === pipeline && "hasConnection" in one && one.hasConnection);

/** A database that runs. */
export interface RunningDatabase {
  readonly postgres: BenchPostgres;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the pipeline's database, and remembers the settings of its connection for this synth and later ones. The passwords lie in Secrets Manager,
 * for which the embedded AWS runs meanwhile.
 */
export async function startDatabase(pipeline: string): Promise<RunningDatabase> {
  await install("jdbc,postgres");
  const aws = await EmbeddedAws.start();
  const secrets = new BenchSecrets(aws.at);
  try {
    const tls = join(LOCAL, "tls");
    const database = snakeCase(pipeline);
    const postgres = await BenchPostgres.start({ local: LOCAL, database, tls, secrets });
    remember(pipeline, {
      HOST: "localhost",
      PORT: String(postgres.port),
      DATABASE: database,
      SECRET_ARN: postgres.reader.secretArn,
      CERTIFICATE: join(tls, "ca.pem"),
      ...NETWORK,
    });
    return { postgres, stop: () => postgres.stop() };
  } finally {
    secrets.destroy();
    await aws.stop();
  }
}

function remember(pipeline: string, settings: Settings): void {
  mkdirSync(join(LOCAL, "connections"), { recursive: true });
  writeFileSync(recordOf(pipeline), `${JSON.stringify(settings, null, 2)}\n`);
}

/** The variables of an environment for the connections of the bench's databases. Those that the user has set win. */
export function connectionVariables(environment: string): Record<string, string> {
  const given = PIPELINES.filter(({ name }) => hasDatabase(name) && existsSync(recordOf(name))).flatMap(
    ({ name }) => {
      const settings = JSON.parse(readFileSync(recordOf(name), "utf8")) as Settings;
      const prefix = snakeCase(name).toUpperCase();
      return Object.entries(settings).map(
        ([suffix, value]) => [variableOf(environment, `${prefix}_${suffix}`), value] as const,
      );
    },
  );
  return Object.fromEntries(given.filter(([name]) => (process.env[name] ?? "") === ""));
}

/** Ends the database of a command that was killed. */
export async function endLeftDatabase(): Promise<void> {
  await endRemembered(join(LOCAL, "postgres", "process.json"), GRACE_MS);
}
