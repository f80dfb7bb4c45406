import { type S3Location } from "../../modules/core/s3-location";
import { type Statement } from "./synth";

/** Brought places: what a construct is given when its bucket, key, database and role come from elsewhere. */

export const KEY_ARN = "arn:aws:kms:eu-west-1:000000000000:key/11111111-2222-3333-4444-555555555555";

export function place(bucketName: string, prefix: string, encryptionKeyArn?: string): S3Location {
  return { bucketName, bucketArn: `arn:aws:s3:::${bucketName}`, prefix, encryptionKeyArn };
}

export const RAW = place("raw-bucket", "events/", KEY_ARN);
export const PROCESSED = place("processed-bucket", "events/", KEY_ARN);
export const ARTIFACTS = place("artifacts-bucket", "", KEY_ARN);

export const DATABASE = {
  name: "analytics_raw",
  arn: "arn:aws:glue:eu-west-1:000000000000:database/analytics_raw",
  catalogArn: "arn:aws:glue:eu-west-1:000000000000:catalog",
};

export const ROLE = { roleName: "brought", roleArn: "arn:aws:iam::000000000000:role/brought" };

/** Rights to a key, only through S3. */
export function keyStatement(action: string | string[], key = KEY_ARN): Statement {
  return {
    Effect: "Allow",
    Action: action,
    Resource: key,
    Condition: { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } },
  };
}

/** Listing below a prefix, with and without its slash. */
export function listStatement(bucketArn: string, prefix: string): Statement {
  return {
    Effect: "Allow",
    Action: "s3:ListBucket",
    Resource: bucketArn,
    Condition: { StringLike: { "s3:prefix": [prefix.slice(0, -1), prefix, `${prefix}*`] } },
  };
}
