/** The zones of a lake, each a bucket. The first four hold data. */
export enum Zone {
  /** Deliveries; no pipeline changes them. */
  RAW = "raw",
  /** Rows that are checked, typed and without duplicates. */
  PROCESSED = "processed",
  /** Aggregates for readers. */
  CURATED = "curated",
  /** Rejected rows, with the reason. */
  QUARANTINE = "quarantine",
  /** Scripts, modules and contracts of jobs. */
  ARTIFACTS = "artifacts",
  /** Athena's results. */
  QUERY_RESULTS = "query-results",
  /** S3's access logs of the other buckets. */
  ACCESS_LOGS = "access-logs",
}

/** Zones that hold data, each with a catalogue database. */
export const DATA_ZONES: readonly Zone[] = [Zone.RAW, Zone.PROCESSED, Zone.CURATED, Zone.QUARANTINE];

export const BUCKET_NAME_MAX = 63;
/** Source: https://docs.aws.amazon.com/glue/latest/webapi/API_DatabaseInput.html */
const DATABASE_NAME_MAX = 255;

/** A bucket's name, `<prefix>-<zone>-<account>-<region>`, because names of buckets are global. */
export function bucketName(namePrefix: string, zone: Zone, account: string, region: string): string {
  return [namePrefix, zone, account, region].join("-");
}

/**
 * The mistake in the prefix of bucket names, as words that follow `'namePrefix'`.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function namePrefixMistake(namePrefix: string): string | undefined {
  const got = `got ${JSON.stringify(namePrefix)}`;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(namePrefix)) {
    return `must be lower-case letters and digits joined by single hyphens, ${got}`;
  }
  if (/^(sthree|amzn-s3-demo)(-|$)/.test(namePrefix)) {
    return `must not begin with sthree- or amzn-s3-demo-, which S3 reserves, ${got}`;
  }
  return undefined;
}

/** The mistake in the length of bucket names, as words that follow `'namePrefix'`. */
export function nameLengthMistake(namePrefix: string, account: string, region: string): string | undefined {
  const longest = bucketName(namePrefix, Zone.QUERY_RESULTS, account, region);
  const excess = longest.length - BUCKET_NAME_MAX;
  if (excess <= 0) return undefined;
  return (
    `is too long by ${excess} characters: bucket name '${longest}' would have ${longest.length}, ` +
    `S3 allows ${BUCKET_NAME_MAX}; shorten '${namePrefix}'`
  );
}

/** The mistake in the databases' prefix. Athena reads lower-case letters, digits and underscores without quoting. */
export function databasePrefixMistake(databasePrefix: string): string | undefined {
  const got = `got ${JSON.stringify(databasePrefix)}`;
  if (!/^[a-z][a-z0-9_]*$/.test(databasePrefix)) {
    return (
      `must be lower-case letters, digits and underscores, beginning with a letter, ${got}; ` +
      "anything else must be quoted in every query"
    );
  }
  const longest = DATABASE_NAME_MAX - `_${Zone.QUARANTINE}`.length;
  if (databasePrefix.length <= longest) return undefined;
  return (
    `must have at most ${longest} characters ('<databasePrefix>_${Zone.QUARANTINE}' at most ${DATABASE_NAME_MAX}), ` +
    `${got} with ${databasePrefix.length}`
  );
}
