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

/** The name in the certificate of the bench. */
const HOST = "localhost";
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
  readonly at: {
    readonly host: string;
    readonly port: number;
    /** `true`: its own port was taken, so that what is deployed names another one. */
    readonly isMoved: boolean;
  };
  readonly stop: () => Promise<void>;
}

/** Starts the pipeline's database; the embedded AWS runs meanwhile, because the passwords lie in its Secrets Manager. */
export async function startDatabase(pipeline: string): Promise<RunningDatabase> {
  await install("jdbc,postgres");
  const aws = await EmbeddedAws.start();
  try {
    return await startDatabaseBeside(aws, pipeline);
  } finally {
    await aws.stop();
  }
}

/** Starts the pipeline's database, and remembers the settings of its connection for this synth and later ones. */
export async function startDatabaseBeside(aws: EmbeddedAws, pipeline: string): Promise<RunningDatabase> {
  const secrets = new BenchSecrets(aws.at);
  try {
    const tls = join(LOCAL, "tls");
    const database = snakeCase(pipeline);
    const before = recalled(pipeline)?.PORT;
    const postgres = await BenchPostgres.start({ local: LOCAL, database, tls, secrets });
    const port = String(postgres.port);
    remember(pipeline, {
      HOST,
      PORT: port,
      DATABASE: database,
      SECRET_ARN: postgres.reader.secretArn,
      CERTIFICATE: join(tls, "ca.pem"),
      ...NETWORK,
    });
    const at = { host: HOST, port: postgres.port, isMoved: before !== undefined && before !== port };
    return { postgres, at, stop: () => postgres.stop() };
  } finally {
    secrets.destroy();
  }
}

function recalled(pipeline: string): Settings | undefined {
  const file = recordOf(pipeline);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Settings) : undefined;
}

function remember(pipeline: string, settings: Settings): void {
  mkdirSync(join(LOCAL, "connections"), { recursive: true });
  writeFileSync(recordOf(pipeline), `${JSON.stringify(settings, null, 2)}\n`);
}

/** The variables of an environment for the connections of the bench's databases. Those that the user has set win. */
export function connectionVariables(environment: string): Record<string, string> {
  const given = PIPELINES.filter(({ name }) => hasDatabase(name)).flatMap(({ name }) => {
    const settings = recalled(name) ?? {};
    const prefix = snakeCase(name).toUpperCase();
    return Object.entries(settings).map(
      ([suffix, value]) => [variableOf(environment, `${prefix}_${suffix}`), value] as const,
    );
  });
  return Object.fromEntries(given.filter(([name]) => (process.env[name] ?? "") === ""));
}

/** Ends the database of a command that was killed. */
export async function endLeftDatabase(): Promise<void> {
  await endRemembered(join(LOCAL, "postgres", "process.json"), GRACE_MS);
}
