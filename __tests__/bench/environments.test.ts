import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { clientsOf } from "../../local/clients";
import { digests } from "../../local/digests";
import { EmbeddedAws } from "../../local/embedded-aws";
import { cloneWorkingTree } from "../support/clone";
import { type CommandResult, said } from "./commands";

/**
 * Production as it is applied, defended and changed, and the bucket of its state, each in a clone of its own and at the same
 * time, because both wait for a minute until S3 has taken lifecycle settings. The tests build on each other.
 */

const MINUTES = 60_000;
const RAW = "etl-prod-raw-000000000000-us-east-1";
const STATE = "etl-prod-terraform-state-000000000000-us-east-1";
const STATE_KEY = "etl-prod-state.tfstate";
const DELIVERY = { Bucket: RAW, Key: "events/dt=2010-12-01/events.json" };

let prod: string;
let state: string;
let deployed: Promise<CommandResult>;
let lane: Promise<StateDay>;

beforeAll(() => {
  prod = cloneWorkingTree("prod");
  state = cloneWorkingTree("state");
  deployed = npm(prod, "start", "deploy", "--environment", "prod");
  lane = bootstrapThrice();
});

afterAll(async () => {
  await Promise.allSettled([deployed, lane]);
  for (const clone of [prod, state]) rmSync(dirname(clone), { recursive: true, force: true });
});

/** Types `npm <verb> -- <args>` in a clone, without waiting for others. */
function npm(clone: string, verb: string, ...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn("npm", [...verb.split(" "), "--", ...args], {
      cwd: clone,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    child.once("close", (exitCode) => resolve({ exitCode, output }));
  });
}

function expectExit({ exitCode, output }: CommandResult, wanted: number): void {
  if (exitCode !== wanted) throw new Error(`exit code ${exitCode}, wanted ${wanted}:\n${output}`);
}

async function withS3<T>(clone: string, use: (s3: S3Client) => Promise<T>): Promise<T> {
  const aws = await EmbeddedAws.start(join(clone, ".local"));
  try {
    return await use(clientsOf(aws.at).s3);
  } finally {
    await aws.stop();
  }
}

/** A bucket and an object that differ from others of the same name. */
async function identityOf(s3: S3Client): Promise<unknown> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const { VersionId, ETag, LastModified } = await s3.send(new HeadObjectCommand(DELIVERY));
  const created = Buckets.find(({ Name }) => Name === RAW)?.CreationDate;
  return { created, VersionId, ETag, LastModified };
}

function addressesInState(): string[] {
  const file = join(prod, ".local", "terraform", "etl-prod", "terraform.tfstate");
  const { resources } = JSON.parse(readFileSync(file, "utf8")) as {
    resources: { type: string; name: string }[];
  };
  return resources.map(({ type, name }) => `${type}.${name}`);
}

/** Changes one file of a clone, where `from` stands once. */
function change(clone: string, file: string, from: string, to: string): void {
  const path = join(clone, file);
  const text = readFileSync(path, "utf8");
  expect(text.split(from)).toHaveLength(2);
  writeFileSync(path, text.replace(from, to));
}

let before: unknown;

describe("production", () => {
  test(
    "is applied as it was synthesised, byte for byte",
    async () => {
      expectExit(await deployed, 0);
      const synthesised = digests(join(prod, ".local", "cdktf.out-prod", "stacks", "etl-prod"));
      const applied = digests(join(prod, ".local", "terraform", "etl-prod"));
      expect(Object.keys(synthesised)).toContain("cdk.tf.json");
      expect(applied).toMatchObject(synthesised);
      const json = readFileSync(join(prod, ".local", "terraform", "etl-prod", "cdk.tf.json"), "utf8");
      expect(json).toContain('"use_lockfile": true');
    },
    5 * MINUTES,
  );

  test(
    "refuses its destroy, and everything is still there",
    async () => {
      before = await withS3(prod, async (s3) => {
        await s3.send(new PutObjectCommand({ ...DELIVERY, Body: '{"event_id":"1"}\n', ContentLength: 17 }));
        return identityOf(s3);
      });
      const addresses = addressesInState();
      const refused = await npm(prod, "start", "destroy", "--environment", "prod");
      expectExit(refused, 1);
      expect(refused.output).toContain("Error: Instance cannot be destroyed");
      expect(addressesInState()).toEqual(addresses);
      expect(await withS3(prod, identityOf)).toEqual(before);
    },
    3 * MINUTES,
  );

  test(
    "has no second key: with both turned it does not synthesise, and its destroy stays refused",
    async () => {
      const file = "environments/prod.ts";
      change(prod, file, "retainData: true", "retainData: false");
      change(prod, file, "allowDataDestruction: false", "allowDataDestruction: true");
      const refused = await npm(prod, "start", "deploy", "--environment", "prod");
      change(prod, file, "retainData: false", "retainData: true");
      change(prod, file, "allowDataDestruction: true", "allowDataDestruction: false");
      expectExit(refused, 1);
      expect(said(refused)).toContain("'retainData' must be true and 'allowDataDestruction' false in prod");
      expect(refused.output).not.toMatch(/terraform (init|plan|apply|destroy)/);
    },
    MINUTES,
  );

  test(
    "a renamed construct is moved as the message says, and keeps its bucket and the object in it",
    async () => {
      change(prod, "modules/data-lake/data-lake.ts", '[Zone.RAW]: "Raw"', '[Zone.RAW]: "Landing"');
      const told = await npm(prod, "run addresses");
      expectExit(told, 1);
      const moves = told.output.match(
        /^ {2}\{ from: "aws_\w+\.Lake_Raw_\w+", to: "aws_\w+\.Lake_Landing_\w+" \},.*$/gm,
      );
      // The bucket, its eight settings and the database, in three stacks.
      const lines = [...new Set((moves ?? []).map((line) => line.replace(/ \/\/.*/, "")))];
      expect(lines).toHaveLength(10);
      change(prod, "environments/moved.ts", "[] = [];", `[] = [\n${lines.join("\n")}\n];`);
      expectExit(await npm(prod, "run addresses"), 0);

      const applied = await npm(prod, "start", "deploy", "--environment", "prod");
      expectExit(applied, 0);
      expect(applied.output).toMatch(
        /Plan: 0 to add, \d+ to change, 0 to destroy|Resources: 0 added, \d+ changed, 0 destroyed/,
      );
      expect(addressesInState().filter((address) => address.includes("Lake_Raw_"))).toEqual([]);
      expect(addressesInState().filter((address) => address.includes("Lake_Landing_"))).toHaveLength(10);
      expect(await withS3(prod, identityOf)).toEqual(before);
    },
    5 * MINUTES,
  );
});

const LOCK = {
  ID: "11111111-2222-3333-4444-555555555555",
  Operation: "OperationTypeApply",
  Who: "somebody@elsewhere",
  Version: "1.11.4",
  Created: "2026-01-01T00:00:00Z",
  Path: `${STATE}/${STATE_KEY}`,
};

/** Results of each step with the state bucket. */
interface StateDay {
  readonly first: CommandResult;
  readonly stored: string;
  readonly lockLeft: boolean;
  readonly stopped: CommandResult;
  readonly unlocked: CommandResult;
  readonly finished: CommandResult;
}

/** Bootstraps; then again with a lock that was left behind, and again without it. */
async function bootstrapThrice(): Promise<StateDay> {
  const bootstrap = (...args: string[]) =>
    npm(state, "run bootstrap", "--environment", "prod", "--embedded", ...args);
  const first = await bootstrap();
  expectExit(first, 0);
  const lock = { Bucket: STATE, Key: `${STATE_KEY}.tflock` };
  const seen = await withS3(state, async (s3) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: STATE, Key: STATE_KEY }));
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: STATE }));
    const text = JSON.stringify(LOCK);
    await s3.send(new PutObjectCommand({ ...lock, Body: text, ContentLength: Buffer.byteLength(text) }));
    return {
      stored: await Body!.transformToString(),
      lockLeft: Contents.some(({ Key }) => Key === lock.Key),
    };
  });
  const stopped = await bootstrap();
  const unlocked = await bootstrap("--unlock", LOCK.ID);
  return { first, ...seen, stopped, unlocked, finished: await bootstrap() };
}

describe("the bucket of its state", () => {
  test(
    "holds its own state, and its lock was given back",
    async () => {
      const { first, stored, lockLeft } = await lane;
      expect(first.output).toContain(
        `ready: s3://${STATE}/${STATE_KEY}, locked by ${STATE_KEY}.tflock beside it`,
      );
      expect(stored).toContain('"aws_s3_bucket_versioning"');
      expect(lockLeft).toBe(false);
    },
    10 * MINUTES,
  );

  test("stops at a lock that was left behind, and says whose it is and where the way back stands", async () => {
    const { stopped } = await lane;
    expectExit(stopped, 1);
    expect(stopped.output).toMatch(
      /Error acquiring the state lock[^]*ID: +11111111-2222-3333-4444-555555555555/,
    );
    expect(stopped.output).toContain("somebody@elsewhere");
    expect(stopped.output).toContain("to recover, see docs/state.md");
  });

  test("goes on when that is removed as the page says, and then there is nothing to do", async () => {
    const { unlocked, finished } = await lane;
    expectExit(unlocked, 0);
    expectExit(finished, 0);
    expect(finished.output).toContain(`nothing to do: s3://${STATE} exists and is up to date`);
  });
});
