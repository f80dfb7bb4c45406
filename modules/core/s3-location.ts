/**
 * A place in S3: a bucket and everything below a prefix. Constructs meet in this type, so that a bucket made here and a
 * bucket brought from elsewhere are the same to them.
 */
export interface S3Location {
  readonly bucketName: string;
  readonly bucketArn: string;
  /** `""` for the whole bucket; otherwise without a leading slash and ending in one. */
  readonly prefix: string;
  /**
   * The KMS key that the bucket encrypts with.
   * @default - no key: the bucket uses S3's own encryption, and readers need no right to a key
   */
  readonly encryptionKeyArn?: string;
}

/** `s3://bucket/prefix`, or `s3://bucket/prefix` + `key`. */
export function s3Uri(location: S3Location, key = ""): string {
  return `s3://${location.bucketName}/${location.prefix}${key}`;
}

/** What is wrong with a prefix, in words that follow its name; `undefined` when nothing is. */
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
