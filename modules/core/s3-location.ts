/**
 * A bucket and everything below a prefix. Constructs take and return this type, so that they work alike with buckets of the lake and
 * with existing buckets.
 */
export interface S3Location {
  /** The bucket's name. */
  readonly bucketName: string;
  /** The bucket's ARN, e.g. `arn:aws:s3:::my-bucket`. */
  readonly bucketArn: string;
  /** `""` for the whole bucket; otherwise without a leading slash and ending in one. */
  readonly prefix: string;
  /**
   * The KMS key that the bucket encrypts with.
   * @default - no key: the bucket uses S3's own encryption, and readers need no right to a key
   */
  readonly encryptionKeyArn?: string;
}

/** The URI of a location, `s3://<bucket>/<prefix>`, or of a key below it. */
export function s3Uri(location: S3Location, key = ""): string {
  return `s3://${location.bucketName}/${location.prefix}${key}`;
}

/** The mistake in a prefix, as words that follow its field, or `undefined`. */
export function prefixMistake(prefix: string): string | undefined {
  if (prefix === "") return undefined;
  const got = `got ${JSON.stringify(prefix)}`;
  if (prefix.startsWith("s3://")) return `must be a prefix inside the bucket, not a URI, ${got}`;
  if (prefix.startsWith("/"))
    return `must not start with a slash, ${got}; S3 would take it as a folder without a name`;
  if (!prefix.endsWith("/"))
    return `must end in a slash, ${got}; without it a sibling such as 'events-old/' matches too`;
  if (prefix.includes("//")) return `must not hold an empty segment, ${got}`;
  return undefined;
}
