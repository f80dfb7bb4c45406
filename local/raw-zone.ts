import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DeleteObjectsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type Deliveries } from "./deliveries";
import { LOCAL } from "./places";

/** The raw zone as a mirror of the input folder. Another folder starts with an empty lake, so that runs do not mix. */

const RECORD = join(LOCAL, "input.json");

interface InputRecord {
  readonly folder: string;
  readonly uploaded: Readonly<Record<string, string>>;
}

/** What was changed, for the user to read. */
export interface Mirrored {
  readonly uploaded: number;
  readonly removed: number;
  readonly startedEmpty: boolean;
}

/**
 * @param buckets raw, processed and quarantine, each with the pipeline's data under `<pipeline>/`
 */
export async function mirrorInput(
  s3: S3Client,
  pipeline: string,
  buckets: { readonly raw: string; readonly processed: string; readonly quarantine: string },
  folder: string,
  { files }: Deliveries,
): Promise<Mirrored> {
  const prefix = `${pipeline}/`;
  const before = record(pipeline);
  const startedEmpty = before !== undefined && before.folder !== folder;
  if (startedEmpty) {
    for (const bucket of Object.values(buckets)) await remove(s3, bucket, await keysOf(s3, bucket, prefix));
  }
  const wanted = new Map(files.map((file) => [`${prefix}${file.name}`, file]));
  const stale = (await keysOf(s3, buckets.raw, prefix)).filter((key) => !wanted.has(key));
  await remove(s3, buckets.raw, stale);
  const known = startedEmpty ? {} : (before?.uploaded ?? {});
  const changed = [...wanted].filter(([key, { sha256 }]) => known[key] !== sha256);
  for (const [key, { path }] of changed) {
    const Body = readFileSync(path);
    // Of an empty file the client would not say the length, and would warn of it.
    await s3.send(
      new PutObjectCommand({ Bucket: buckets.raw, Key: key, Body, ContentLength: Body.byteLength }),
    );
  }
  const uploaded = Object.fromEntries([...wanted].map(([key, { sha256 }]) => [key, sha256]));
  const records = { ...allRecords(), [pipeline]: { folder, uploaded } satisfies InputRecord };
  writeFileSync(RECORD, JSON.stringify(records, null, 2));
  return { uploaded: changed.length, removed: stale.length, startedEmpty };
}

function allRecords(): Record<string, InputRecord> {
  if (!existsSync(RECORD)) return {};
  return JSON.parse(readFileSync(RECORD, "utf8")) as Record<string, InputRecord>;
}

function record(pipeline: string): InputRecord | undefined {
  return allRecords()[pipeline];
}

async function keysOf(s3: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix })) {
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
  }
  return keys;
}

async function remove(s3: S3Client, bucket: string, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += 1000) {
    const batch = keys.slice(start, start + 1000).map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: batch, Quiet: true } }));
  }
}
