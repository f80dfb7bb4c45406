import { GlueCrawler as GlueCrawlerResource } from "@cdktf/provider-aws/lib/glue-crawler";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { type Mistake, Refusals } from "../core/refusals";
import { prefixMistake, type S3Location, s3Uri } from "../core/s3-location";
import { type IRole } from "../iam/grantable";
import { type PolicyStatement } from "../iam/policy-statement";
import { logStatements } from "../iam/log-actions";
import { readStatements } from "../iam/s3-actions";
import { ServiceRole } from "../iam/service-role";
import { type CrawlerGrouping, crawlerConfiguration } from "./crawler-configuration";

/** The catalogue database that a crawler fills, of the crawler's own account and region. */
export interface CrawledDatabase {
  readonly name: string;
  readonly arn: string;
  readonly catalogArn: string;
}

/** What a crawl does about a table whose files changed. */
export interface SchemaChangePolicy {
  /** New and changed columns. @default "UPDATE_IN_DATABASE" */
  readonly update?: "LOG" | "UPDATE_IN_DATABASE";
  /** Tables and partitions whose files are gone. @default "LOG" */
  readonly delete?: "LOG" | "DELETE_FROM_DATABASE" | "DEPRECATE_IN_DATABASE";
}

export interface GlueCrawlerProps {
  /** Physical name: letters, digits and `_.-`, at most 56, or 255 with a brought role (its own is called `<name>-crawler`). */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** What it crawls: the folders below become tables. */
  readonly target: S3Location;
  readonly database: CrawledDatabase;
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
  /**
   * Globs relative to the target; `*` stays within a folder, `**` does not.
   * @default - what Spark and Hadoop leave behind: `**.tmp`, `**\/_SUCCESS`, `**\/_temporary/**`, `**\/.spark-staging-*\/**`
   */
  readonly exclusions?: readonly string[];
  /**
   * Put before every table's name: at most 128 lower-case letters, digits and underscores.
   * @default - none
   */
  readonly tablePrefix?: string;
  /**
   * How folders become tables.
   * @default - one table for files of compatible schemas
   */
  readonly grouping?: CrawlerGrouping;
  /** @default - `UPDATE_IN_DATABASE`, `LOG` */
  readonly schemaChange?: SchemaChangePolicy;
  /**
   * Which folders a crawl reads. `CRAWL_NEW_FOLDERS_ONLY` misses changed files and takes `LOG` for both schema changes.
   * @default "CRAWL_EVERYTHING"
   */
  readonly recrawl?: "CRAWL_EVERYTHING" | "CRAWL_NEW_FOLDERS_ONLY";
  /**
   * A role that Glue may assume; what the crawler needs is granted to it.
   * @default - a role of its own
   */
  readonly role?: IRole;
  /** @default - none beside the provider's */
  readonly tags?: Readonly<Record<string, string>>;
}

const DEFAULT_UPDATE = "UPDATE_IN_DATABASE";
const DEFAULT_DELETE = "LOG";
const LEFTOVERS = ["**.tmp", "**/_SUCCESS", "**/_temporary/**", "**/.spark-staging-*/**"];

/** Where crawlers write their logs; fixed by Glue. */
const LOG_GROUP = "/aws-glue/crawlers";

/**
 * A crawler of one S3 location with a role that may read it and fill one database. It has no schedule: whoever starts it
 * also waits for it.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class GlueCrawler extends Construct {
  readonly resource: GlueCrawlerResource;
  readonly role: IRole;
  readonly crawlerName: string;
  readonly crawlerArn: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: GlueCrawlerProps,
  ) {
    super(scope, id);
    this.refuse();

    const { update = DEFAULT_UPDATE, delete: remove = DEFAULT_DELETE } = props.schemaChange ?? {};

    this.role = props.role ?? this.defineRole();
    this.role.addToPolicy(...this.statements(remove));
    this.resource = new GlueCrawlerResource(this, "Resource", {
      name: props.name,
      description: props.description,
      role: this.role.roleArn,
      databaseName: props.database.name,
      tablePrefix: props.tablePrefix,
      s3Target: [{ path: s3Uri(props.target), exclusions: [...(props.exclusions ?? LEFTOVERS)] }],
      schemaChangePolicy: { updateBehavior: update, deleteBehavior: remove },
      recrawlPolicy: { recrawlBehavior: props.recrawl ?? "CRAWL_EVERYTHING" },
      configuration: crawlerConfiguration(props.grouping),
      tags: props.tags && { ...props.tags },
      dependsOn: this.role.dependencies,
    });

    this.crawlerName = this.resource.name;
    this.crawlerArn = this.resource.arn;
  }

  private refuse(): void {
    const { name, role, target, tablePrefix, exclusions = [], grouping } = this.props;
    const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
    const refusals = new Refusals("GlueCrawler", this.node.path);
    refusals.noteUnfilled(placeholderMistakes(this.props, isKnown));
    const place = placeMistakes(this.props, isKnown);
    refusals.noteAll(place);
    if (isKnown(name)) refusals.note("name", nameMistake(name, role !== undefined));
    if (isKnown(target.prefix)) refusals.note("target.prefix", prefixMistake(target.prefix));
    refusals.check(
      tablePrefix === undefined || !isKnown(tablePrefix) || /^[a-z0-9_]{1,128}$/.test(tablePrefix),
      "tablePrefix",
      `must be 1 to 128 lower-case letters, digits or underscores, got ${JSON.stringify(tablePrefix)}; ` +
        "anything else must be quoted in every query",
    );
    exclusions.forEach((glob, index) =>
      refusals.check(
        !isKnown(glob) || (glob !== "" && !/^(\/|s3:\/\/)/.test(glob)),
        `exclusions[${index}]`,
        `must be a glob relative to the target, got ${JSON.stringify(glob)}; remove what comes before the folder's name`,
      ),
    );
    const level = grouping?.tableLevel;
    refusals.check(
      level === undefined || !isKnown(level) || (Number.isInteger(level) && level >= 1),
      "grouping.tableLevel",
      `must be a whole number, at least 1 (the bucket), got ${level}`,
    );
    refusals.note("recrawl", recrawlMistake(this.props));
    // What is wrong with the place is told by itself.
    if (place.length === 0) refusals.noteAll(databaseMistakes(this.props, isKnown));
    refusals.throwIfAny();
  }

  private defineRole(): IRole {
    const { name, account, tags } = this.props;
    return new ServiceRole(this, "Role", {
      name: `${name}${ROLE_SUFFIX}`,
      description: `Runs the crawler ${name}`,
      service: "glue.amazonaws.com",
      trustConditions: { StringEquals: { "aws:SourceAccount": account } },
      tags,
    });
  }

  private statements(remove: SchemaChangePolicy["delete"]): PolicyStatement[] {
    const { target, database, account, region } = this.props;
    const arn = `arn:${partitionOf(region)}`;
    const removing = remove === "DELETE_FROM_DATABASE";
    return [
      ...readStatements(target, region),
      {
        actions: ["glue:GetDatabase"],
        resources: [database.catalogArn, database.arn],
      },
      {
        // The catalogue asks for rights on a table, its database and itself.
        actions: [...FILL_CATALOGUE, ...(removing ? EMPTY_CATALOGUE : [])],
        resources: [
          database.catalogArn,
          database.arn,
          `${arn}:glue:${region}:${account}:table/${database.name}/*`,
        ],
      },
      ...logStatements([`${arn}:logs:${region}:${account}:log-group:${LOG_GROUP}`]),
    ];
  }
}

const ROLE_SUFFIX = "-crawler";
/** A role's name has at most 64 characters. */
const LONGEST_NAME_WITH_ROLE = 64 - ROLE_SUFFIX.length;

function nameMistake(name: string, roleBrought: boolean): string | undefined {
  const longest = roleBrought ? 255 : LONGEST_NAME_WITH_ROLE;
  if (/^[A-Za-z0-9_.-]+$/.test(name) && name.length <= longest) return undefined;
  const why = roleBrought ? "" : ` (its role is called '<name>${ROLE_SUFFIX}')`;
  return `must be 1 to ${longest} letters, digits or _.-${why}, got ${JSON.stringify(name)} with ${name.length}`;
}

/**
 * What Glue refuses when it is applied, and the provider lets through.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html
 */
function recrawlMistake({ recrawl, schemaChange = {} }: GlueCrawlerProps): string | undefined {
  const { update = DEFAULT_UPDATE, delete: remove = DEFAULT_DELETE } = schemaChange;
  if (recrawl !== "CRAWL_NEW_FOLDERS_ONLY" || (update === "LOG" && remove === "LOG")) return undefined;
  return (
    `CRAWL_NEW_FOLDERS_ONLY takes schema changes LOG and LOG only, got ${update} and ${remove}; ` +
    "set 'schemaChange' to { update: \"LOG\", delete: \"LOG\" }, or 'recrawl' to CRAWL_EVERYTHING"
  );
}

/**
 * A crawler's results go by the database's name into the catalogue of the crawler's account: CreateCrawler takes no other one.
 * Source: https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html
 */
function databaseMistakes(
  { database, account, region }: GlueCrawlerProps,
  isKnown: (value: unknown) => boolean,
): Mistake[] {
  if (!isKnown(account) || !isKnown(region)) return [];
  const catalogue = `arn:${partitionOf(region)}:glue:${region}:${account}:`;
  const { name, arn, catalogArn } = database;
  const whole = isKnown(name) ? `${catalogue}database/${name}` : undefined;
  const isOwn = whole === undefined ? arn.startsWith(`${catalogue}database/`) : arn === whole;
  const why =
    "a crawler fills databases of its own account and region; crawl there, or name a database or a resource link of this account";
  const wanted = whole ?? `${catalogue}database/…`;
  return [
    ...(isKnown(arn) && !isOwn
      ? [["database.arn", `must be ${wanted}, got ${JSON.stringify(arn)}: ${why}`] as const]
      : []),
    ...(isKnown(catalogArn) && catalogArn !== `${catalogue}catalog`
      ? [
          [
            "database.catalogArn",
            `must be ${catalogue}catalog, got ${JSON.stringify(catalogArn)}: ${why}`,
          ] as const,
        ]
      : []),
  ];
}

/** Source: https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html, without the wildcard. */
const FILL_CATALOGUE = [
  "glue:GetTable",
  "glue:GetTables",
  "glue:CreateTable",
  "glue:UpdateTable",
  "glue:GetPartition",
  "glue:GetPartitions",
  "glue:BatchGetPartition",
  "glue:CreatePartition",
  "glue:BatchCreatePartition",
  "glue:UpdatePartition",
  "glue:BatchUpdatePartition",
];
const EMPTY_CATALOGUE = ["glue:DeleteTable", "glue:BatchDeletePartition"];
