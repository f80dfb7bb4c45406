import { GlueCatalogDatabase } from "@cdktf/provider-aws/lib/glue-catalog-database";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf, viaService } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals, shownPath } from "../core/refusals";
import { prefixMistake, type S3Location } from "../core/s3-location";
import { EncryptionKey, type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable } from "../iam/grantable";
import { type ResourcePolicyStatement } from "../iam/policy-statement";
import { ENCRYPT, readStatements, writeStatements } from "../iam/s3-actions";
import {
  bucketName,
  DATA_ZONES,
  databasePrefixMistake,
  nameLengthMistake,
  namePrefixMistake,
  Zone,
} from "./zone";
import { ZoneBucket } from "./zone-bucket";

/** Props of {@link DataLake}. */
export interface DataLakeProps {
  /** First part of every bucket's name, e.g. `etl-dev`: names are `<namePrefix>-<zone>-<account>-<region>`. */
  readonly namePrefix: string;
  /** First part of every database's name, e.g. `etl_dev`: names are `<databasePrefix>_<zone>`. */
  readonly databasePrefix: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * The key that encrypts the data.
   * @default - a new key that rotates every year
   */
  readonly encryptionKey?: IEncryptionKey;
  /**
   * `true`: Terraform refuses to destroy the buckets and the key. `false`: destroying the stack empties the buckets; needs
   * `allowDataDestruction` too.
   * @default true
   */
  readonly retainData?: boolean;
  /**
   * The environment's permission to destroy data, needed by `retainData: false`.
   * @default false
   */
  readonly allowDataDestruction?: boolean;
  /**
   * Days that replaced and deleted objects can be restored, at least 1.
   * @default 30
   */
  readonly noncurrentVersionDays?: number;
  /**
   * Days that Athena's results are kept, at least 1.
   * @default 14
   */
  readonly queryResultDays?: number;
  /**
   * Days that the rejected rows of refused runs are kept below `refused/` of the quarantine zone, at least 1; old versions are kept
   * `noncurrentVersionDays` longer.
   * @default 30
   */
  readonly refusedDays?: number;
  /**
   * Days that access logs are kept, at least 1.
   * @default 365
   */
  readonly accessLogDays?: number;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A reference to a bucket. */
export interface BucketReference {
  /** The bucket's name. */
  readonly bucketName: string;
  /** The bucket's ARN. */
  readonly bucketArn: string;
}

/** A reference to a catalogue database. */
export interface DatabaseReference {
  /** The database's name. */
  readonly name: string;
  /** The database's ARN. */
  readonly arn: string;
  /** The ARN of its catalogue, on which rights on a database are needed as well. */
  readonly catalogArn: string;
}

/** The prefix in the quarantine zone for the rejected rows of refused runs, which expire after `refusedDays`. */
export const REFUSED_PREFIX = "refused/";

const ID_OF_ZONE: Readonly<Record<Zone, string>> = {
  [Zone.RAW]: "Raw",
  [Zone.PROCESSED]: "Processed",
  [Zone.CURATED]: "Curated",
  [Zone.QUARANTINE]: "Quarantine",
  [Zone.ARTIFACTS]: "Artifacts",
  [Zone.QUERY_RESULTS]: "QueryResults",
  [Zone.ACCESS_LOGS]: "AccessLogs",
};

/**
 * The buckets of a lake, secured alike, with one key, and a catalogue database per data zone.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class DataLake extends Construct {
  /** The key of all buckets but the access logs', for which S3 allows only its own encryption. */
  readonly key: IEncryptionKey;
  /** Days that the rejected rows of refused runs are kept. */
  readonly refusedDays: number;
  private readonly buckets: Readonly<Record<Zone, ZoneBucket>>;
  private readonly databases: ReadonlyMap<Zone, GlueCatalogDatabase>;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: DataLakeProps,
  ) {
    super(scope, id);
    this.refuse();

    const retainData = props.retainData ?? true;
    this.refusedDays = props.refusedDays ?? 30;

    this.key = props.encryptionKey ?? this.defineKey(retainData);
    const accessLogs = this.defineAccessLogs(retainData);
    const bucket = (zone: Zone) => this.defineBucket(zone, accessLogs, retainData);
    this.buckets = {
      [Zone.RAW]: bucket(Zone.RAW),
      [Zone.PROCESSED]: bucket(Zone.PROCESSED),
      [Zone.CURATED]: bucket(Zone.CURATED),
      [Zone.QUARANTINE]: bucket(Zone.QUARANTINE),
      [Zone.ARTIFACTS]: bucket(Zone.ARTIFACTS),
      [Zone.QUERY_RESULTS]: bucket(Zone.QUERY_RESULTS),
      [Zone.ACCESS_LOGS]: accessLogs,
    };
    this.databases = new Map(DATA_ZONES.map((zone) => [zone, this.defineDatabase(zone)]));
  }

  /** The bucket of a zone. */
  bucket(zone: Zone): BucketReference {
    const { bucketName: name, bucketArn } = this.buckets[zone];
    return { bucketName: name, bucketArn };
  }

  /** The resource of a zone's bucket, for settings without a prop. */
  bucketResource(zone: Zone): ZoneBucket["resource"] {
    return this.buckets[zone].resource;
  }

  /**
   * A location in a zone.
   *
   * @param prefix a prefix that ends in a slash and does not begin with one; the whole bucket by default
   * @throws Error if the prefix is invalid
   */
  location(zone: Zone, prefix = ""): S3Location {
    const refusals = new Refusals("DataLake", this.node.path);
    if (!Token.isUnresolved(prefix)) refusals.note("prefix", prefixMistake(prefix));
    refusals.throwIfAny();
    const encryptionKeyArn = zone === Zone.ACCESS_LOGS ? undefined : this.key.keyArn;
    return { ...this.bucket(zone), prefix, encryptionKeyArn };
  }

  /**
   * The catalogue database of a data zone.
   *
   * @throws Error for a zone without data
   */
  database(zone: Zone): DatabaseReference {
    const database = this.databases.get(zone);
    if (database === undefined) {
      throw new Error(
        `DataLake '${shownPath(this.node.path)}': zone '${zone}' has no database; the zones with one are ${DATA_ZONES.join(", ")}`,
      );
    }
    const catalogue = `arn:${partitionOf(this.props.region)}:glue:${this.props.region}:${this.props.account}`;
    return { name: database.name, arn: database.arn, catalogArn: `${catalogue}:catalog` };
  }

  /** Lets a role list and read below a prefix of a zone. */
  grantRead(grantable: IGrantable, zone: Zone, prefix = ""): void {
    grantable.grantee.addToPolicy(...readStatements(this.location(zone, prefix), this.props.region));
  }

  /** Lets a role list, read, write and remove below a prefix of a zone. */
  grantWrite(grantable: IGrantable, zone: Zone, prefix = ""): void {
    grantable.grantee.addToPolicy(...writeStatements(this.location(zone, prefix), this.props.region));
  }

  /**
   * Lets another account's roles put objects below a prefix of a zone, and nothing else: not list, not read, not remove. That account must allow
   * its roles the same. The objects belong to the lake, encrypted with its key; for an existing key its owner must allow the account.
   * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html,
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions (a multipart upload decrypts its parts)
   *
   * @param accountId 12 digits
   * @throws Error if the account or the prefix is invalid
   */
  grantDeliver(accountId: string, zone: Zone, prefix: string): void {
    const refusals = new Refusals("DataLake", this.node.path);
    const isAccount = Token.isUnresolved(accountId) || /^\d{12}$/.test(accountId);
    refusals.check(isAccount, "accountId", `must be 12 digits, got ${JSON.stringify(accountId)}`);
    refusals.check(
      prefix !== "",
      "prefix",
      "must not be empty: a producer is given its own folder, not the zone",
    );
    refusals.throwIfAny();
    const { bucketArn } = this.location(zone, prefix);
    const { region } = this.props;
    const principal = `arn:${partitionOf(region)}:iam::${accountId}:root`;
    this.buckets[zone].addToPolicy({
      principal: { AWS: principal },
      actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
      resources: [`${bucketArn}/${prefix}*`],
    });
    // With bucket keys the context is the bucket's ARN: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    const conditions = {
      StringEquals: {
        "kms:ViaService": viaService("s3", region),
        "kms:EncryptionContext:aws:s3:arn": bucketArn,
      },
    };
    this.key.allowAccount(principal, ENCRYPT, conditions);
  }

  /** Lets a role read one table's entry in the catalogue: its columns, not its partitions. */
  grantDescribeTable(grantable: IGrantable, zone: Zone, table: string): void {
    grantable.grantee.addToPolicy({
      actions: ["glue:GetTable"],
      resources: this.tableArns(zone, table),
    });
  }

  /**
   * Lets a role query one table through Athena, which reads the catalogue with the caller's rights. Reading the files needs
   * {@link grantRead}.
   * Source: https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
   */
  grantQueryTable(grantable: IGrantable, zone: Zone, table: string): void {
    const [catalog, database, ...tables] = this.tableArns(zone, table);
    grantable.grantee.addToPolicy(
      { actions: ["glue:GetDatabase"], resources: [catalog, database] },
      {
        actions: ["glue:BatchGetPartition", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable"],
        resources: [catalog, database, ...tables],
      },
    );
  }

  /**
   * Lets a role register and remove partitions of one table.
   * Source: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html (rights on partitions are those on
   * the table and its ancestors)
   */
  grantRegisterPartitions(grantable: IGrantable, zone: Zone, table: string): void {
    grantable.grantee.addToPolicy({
      actions: [
        "glue:BatchCreatePartition",
        "glue:BatchDeletePartition",
        "glue:GetPartitions",
        "glue:GetTable",
      ],
      resources: this.tableArns(zone, table),
    });
  }

  /** The ARNs of a table and its ancestors, because rights on a table are checked on all of them. */
  private tableArns(zone: Zone, table: string): [catalog: string, database: string, table: string] {
    const { arn, catalogArn } = this.database(zone);
    return [
      catalogArn,
      arn,
      `${catalogArn.replace(/catalog$/, "table/")}${this.database(zone).name}/${table}`,
    ];
  }

  private refuse(): void {
    const { namePrefix, databasePrefix, account, region, retainData, allowDataDestruction } = this.props;
    const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
    const refusals = new Refusals("DataLake", this.node.path);
    refusals.noteUnfilled(placeholderMistakes(this.props, isKnown));
    refusals.noteAll(placeMistakes(this.props, isKnown));
    if (isKnown(namePrefix)) {
      // The length shows only when all parts of the name are known.
      const all = isKnown(account) && isKnown(region);
      const tooLong = all ? nameLengthMistake(namePrefix, account, region) : undefined;
      refusals.note("namePrefix", namePrefixMistake(namePrefix) ?? tooLong);
    }
    if (isKnown(databasePrefix)) refusals.note("databasePrefix", databasePrefixMistake(databasePrefix));
    refusals.check(
      retainData !== false || allowDataDestruction === true,
      "retainData",
      "must be true unless 'allowDataDestruction' is true as well, got false; destroying data needs both",
    );
    for (const field of [
      "noncurrentVersionDays",
      "queryResultDays",
      "refusedDays",
      "accessLogDays",
    ] as const) {
      const days = this.props[field];
      const fits = days === undefined || !isKnown(days) || (Number.isInteger(days) && days >= 1);
      refusals.check(fits, field, `must be a whole number of days, at least 1, got ${days}`);
    }
    refusals.throwIfAny();
  }

  private defineKey(retain: boolean): EncryptionKey {
    const { namePrefix, account, region, tags } = this.props;
    return new EncryptionKey(this, "Key", {
      name: `${namePrefix}-lake`,
      description: `Encrypts the data of ${namePrefix}`,
      account,
      region,
      retain,
      tags,
    });
  }

  private defineAccessLogs(retainData: boolean): ZoneBucket {
    const { account } = this.props;
    const letLogsIn = (bucketArn: string): ResourcePolicyStatement[] => [
      {
        sid: "AllowAccessLogDelivery",
        principal: { Service: "logging.s3.amazonaws.com" },
        actions: ["s3:PutObject"],
        resources: [`${bucketArn}/*`],
        conditions: { StringEquals: { "aws:SourceAccount": account } },
      },
    ];
    return new ZoneBucket(this, ID_OF_ZONE[Zone.ACCESS_LOGS], {
      ...this.commonProps(Zone.ACCESS_LOGS, retainData),
      expirationDays: this.props.accessLogDays ?? 365,
      statements: letLogsIn,
    });
  }

  private defineBucket(zone: Zone, accessLogs: ZoneBucket, retainData: boolean): ZoneBucket {
    return new ZoneBucket(this, ID_OF_ZONE[zone], {
      ...this.commonProps(zone, retainData),
      encryptionKeyArn: this.key.keyArn,
      accessLogs,
      expirationDays: zone === Zone.QUERY_RESULTS ? (this.props.queryResultDays ?? 14) : undefined,
      temporaryPrefix: zone === Zone.ARTIFACTS ? "temp/" : undefined,
      expiringPrefixes: zone === Zone.QUARANTINE ? { [REFUSED_PREFIX]: this.refusedDays } : undefined,
    });
  }

  private commonProps(zone: Zone, retainData: boolean) {
    const { namePrefix, account, region, noncurrentVersionDays = 30, tags } = this.props;
    return { name: bucketName(namePrefix, zone, account, region), retainData, noncurrentVersionDays, tags };
  }

  private defineDatabase(zone: Zone): GlueCatalogDatabase {
    const { databasePrefix, tags } = this.props;
    return new GlueCatalogDatabase(this.buckets[zone], "Database", {
      name: `${databasePrefix}_${zone}`,
      description: `Tables of the ${zone} zone`,
      tags: tags && { ...tags },
    });
  }
}
