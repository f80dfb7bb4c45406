import { viaService } from "../core/partition";
import { type S3Location } from "../core/s3-location";
import { type PolicyStatement } from "./policy-statement";

/** The actions to read objects. */
export const READ_OBJECT = ["s3:GetObject"] as const;
/** The actions to write and replace objects: S3A's commit deletes objects, and failed multipart uploads are aborted. */
export const WRITE_OBJECT = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] as const;
/** The actions on a key to read encrypted objects. */
export const DECRYPT = ["kms:Decrypt"] as const;
/** The actions on a key to write encrypted objects; a multipart upload decrypts too. */
export const ENCRYPT = ["kms:Decrypt", "kms:GenerateDataKey"] as const;

/** The rights to list and read below a location. */
export function readStatements(location: S3Location, region: string): PolicyStatement[] {
  return [
    listStatement(location),
    { actions: READ_OBJECT, resources: [below(location)] },
    ...keyStatements(location, region, DECRYPT),
  ];
}

/**
 * The rights for Spark to list and read below a location. S3A first looks for an object with the folder's key without the slash, and
 * fails if that is denied.
 * Source: https://hadoop.apache.org/docs/r3.3.4/hadoop-aws/tools/hadoop-aws/performance.html
 */
export function readFolderStatements(location: S3Location, region: string): PolicyStatement[] {
  return [...readStatements(location, region), ...folderKeyStatements(location)];
}

/** The rights to read one object, without listing. */
export function readObjectStatements(location: S3Location, region: string): PolicyStatement[] {
  return [
    { actions: READ_OBJECT, resources: [`${location.bucketArn}/${location.prefix}`] },
    ...keyStatements(location, region, DECRYPT),
  ];
}

/** The rights for Spark to list, read, write and delete below a location. */
export function writeStatements(location: S3Location, region: string): PolicyStatement[] {
  return [
    listStatement(location),
    { actions: [...READ_OBJECT, ...WRITE_OBJECT], resources: [below(location)] },
    ...folderKeyStatements(location),
    ...keyStatements(location, region, ENCRYPT),
  ];
}

/** The rights to use the location's key for writing. */
export const encryptStatements = (location: S3Location, region: string): PolicyStatement[] =>
  keyStatements(location, region, ENCRYPT);

function listStatement({ bucketArn, prefix }: S3Location): PolicyStatement {
  if (prefix === "") return { actions: ["s3:ListBucket"], resources: [bucketArn] };
  return {
    actions: ["s3:ListBucket"],
    resources: [bucketArn],
    // S3A lists the folder without its slash before it lists its content.
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
