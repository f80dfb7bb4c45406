import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { type Deliveries } from "./deliveries";
import { type Lake } from "./lake";
import { LOCAL } from "./places";

/** Mirrors the input into the raw zone. Another input starts with an empty lake, so that runs do not mix. */

const RECORD = join(LOCAL, "input.json");

interface InputRecord {
  /** The folder or file that was given. */
  readonly folder: string;
  readonly uploaded: Readonly<Record<string, string>>;
}

/** Changes, for the user to read. */
export interface Mirrored {
  readonly uploaded: number;
  readonly removed: number;
  readonly startedEmpty: boolean;
  /** Names of the uploaded files, below the folder of the deliveries. */
  readonly names: readonly string[];
}

/** @param input the folder or file that the deliveries were found in. @param prefix the folder of the pipeline's deliveries */
export async function mirrorInput(
  s3: S3Client,
  lake: Lake,
  pipeline: string,
  input: string,
  { files }: Deliveries,
  prefix = `${pipeline}/`,
): Promise<Mirrored> {
  const before = allRecords()[pipeline];
  const startedEmpty = isAnotherInput(pipeline, input);
  if (startedEmpty) await lake.empty();
  const wanted = new Map(files.map((file) => [`${prefix}${file.name}`, file]));
  const present = new Set(await lake.keysOf(lake.rawBucket, prefix));
  const stale = [...present].filter((key) => !wanted.has(key));
  await lake.remove(lake.rawBucket, stale);
  // A destroy may have removed what is recorded.
  const changed = [...wanted].filter(
    ([key, { sha256 }]) => !present.has(key) || before?.uploaded[key] !== sha256,
  );
  for (const [key, { path }] of changed) {
    const Body = readFileSync(path);
    // Without a length the client warns about an empty file.
    await s3.send(
      new PutObjectCommand({ Bucket: lake.rawBucket, Key: key, Body, ContentLength: Body.byteLength }),
    );
  }
  const uploaded = Object.fromEntries([...wanted].map(([key, { sha256 }]) => [key, sha256]));
  recordInput(pipeline, input, uploaded);
  const names = changed.map(([, { name }]) => name);
  return { uploaded: changed.length, removed: stale.length, startedEmpty, names };
}

/** `true`: the pipeline ran on another input last time. */
export function isAnotherInput(pipeline: string, input: string): boolean {
  const before = allRecords()[pipeline];
  return before !== undefined && before.folder !== input;
}

/** @param content digests of what was taken from it, by name */
export function recordInput(
  pipeline: string,
  input: string,
  content: Readonly<Record<string, string>>,
): void {
  const records = { ...allRecords(), [pipeline]: { folder: input, uploaded: content } satisfies InputRecord };
  writeFileSync(RECORD, JSON.stringify(records, null, 2));
}

function allRecords(): Record<string, InputRecord | undefined> {
  if (!existsSync(RECORD)) return {};
  return JSON.parse(readFileSync(RECORD, "utf8")) as Record<string, InputRecord>;
}
