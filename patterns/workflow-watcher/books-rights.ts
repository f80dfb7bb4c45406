import type { S3Location } from "../../modules/core/s3-location";
import { viaService } from "../../modules/core/partition";
import { DECRYPT, READ_OBJECT } from "../../modules/iam/s3-actions";
import type { PolicyStatement } from "../../modules/iam/policy-statement";

/**
 * The rights to find and read the summaries of runs. Listing tells a missing summary from one that may not be read, which GetObject alone does not:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export const summaryStatements = (books: S3Location, region: string): PolicyStatement[] => [
  {
    actions: ["s3:ListBucket"],
    resources: [books.bucketArn],
    conditions: { StringLike: { "s3:prefix": `${books.prefix}*/summary.json` } },
  },
  { actions: READ_OBJECT, resources: [`${books.bucketArn}/${books.prefix}*/summary.json`] },
  ...(books.encryptionKeyArn === undefined
    ? []
    : [
        {
          actions: DECRYPT,
          resources: [books.encryptionKeyArn],
          conditions: { StringEquals: { "kms:ViaService": viaService("s3", region) } },
        },
      ]),
];
