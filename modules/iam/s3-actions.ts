import { viaService } from "../core/partition";
import { type S3Location } from "../core/s3-location";
import { type PolicyStatement } from "./policy-statement";

/** Reading objects below a prefix. */
export const READ_OBJECT = ["s3:GetObject"] as const;
/** Writing and replacing objects: S3A's commit deletes and lists; a failed multipart upload is aborted. */
export const WRITE_OBJECT = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] as const;
/** What a reader of a KMS-encrypted object needs; a multipart writer too. */
export const DECRYPT = ["kms:Decrypt"] as const;
/** What a writer needs. */
export const ENCRYPT = ["kms:Decrypt", "kms:GenerateDataKey"] as const;

/** Lists and reads below the location, and nothing else of the bucket. */
export function readStatements(location: S3Location, region: string): PolicyStatement[] {
  return [
    listStatement(location),
    { actions: READ_OBJECT, resources: [below(location)] },
    ...keyStatements(location, region, DECRYPT),
  ];
}

/**
 * The same for Spark: S3A asks whether the folder is a file, by its key without the slash, and takes a refusal for an error.
 * Source: https://hadoop.apache.org/docs/r3.3.4/hadoop-aws/tools/hadoop-aws/performance.html
 */
export function readFolderStatements(location: S3Location, region: string): PolicyStatement[] {
  return [...readStatements(location, region), ...folderKeyStatements(location)];
}

/** Reads one object, without listing. */
export function readObjectStatements(location: S3Location, region: string): PolicyStatement[] {
  return [
    { actions: READ_OBJECT, resources: [`${location.bucketArn}/${location.prefix}`] },
    ...keyStatements(location, region, DECRYPT),
  ];
}

/** Lists, reads, writes and removes below the location, as Spark does. */
export function writeStatements(location: S3Location, region: string): PolicyStatement[] {
  return [
    listStatement(location),
    { actions: [...READ_OBJECT, ...WRITE_OBJECT], resources: [below(location)] },
    ...folderKeyStatements(location),
    ...keyStatements(location, region, ENCRYPT),
  ];
}

/** Uses the location's key for writing, and nothing else. */
export const encryptStatements = (location: S3Location, region: string): PolicyStatement[] =>
  keyStatements(location, region, ENCRYPT);

function listStatement({ bucketArn, prefix }: S3Location): PolicyStatement {
  if (prefix === "") return { actions: ["s3:ListBucket"], resources: [bucketArn] };
  return {
    actions: ["s3:ListBucket"],
    resources: [bucketArn],
    // S3A asks for the folder without its slash before it asks for what is in it.
    conditions: { StringLike: { "s3:prefix": [prefix.slice(0, -1), prefix, `${prefix}*`] } },
  };
}

const below = ({ bucketArn, prefix }: S3Location): string => `${bucketArn}/${prefix}*`;

function folderKeyStatements({ bucketArn, prefix }: S3Location): PolicyStatement[] {
  if (prefix === "") return [];
  return [{ actions: READ_OBJECT, resources: [`${bucketArn}/${prefix.slice(0, -1)}`] }];
}

function keyStatements(location: S3Location, region: string, actions: readonly string[]): PolicyStatement[] {
  if (location.encryptionKeyArn === undefined) return [];
  return [
    {
      actions,
      resources: [location.encryptionKeyArn],
      conditions: { StringEquals: { "kms:ViaService": viaService("s3", region) } },
    },
  ];
}
