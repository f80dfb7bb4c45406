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

/** The catalogue database that a crawler fills. It must belong to the crawler's account and region. */
export interface CrawledDatabase {
  /** The database's name. */
  readonly name: string;
  /** The database's ARN. */
  readonly arn: string;
  /** The ARN of its catalogue. */
  readonly catalogArn: string;
}

/** The reaction of a crawl to a table whose files changed. */
export interface SchemaChangePolicy {
  /** New and changed columns. @default "UPDATE_IN_DATABASE" */
  readonly update?: "LOG" | "UPDATE_IN_DATABASE";
  /** Tables and partitions whose files are gone. @default "LOG" */
  readonly delete?: "LOG" | "DELETE_FROM_DATABASE" | "DEPRECATE_IN_DATABASE";
}

/** Props of {@link GlueCrawler}. */
export interface GlueCrawlerProps {
  /** Physical name: at most 56 letters, digits and `_.-`, or 255 with `role` (a new role is named `<name>-crawler`). */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** The location to crawl: the folders below become tables. */
  readonly target: S3Location;
  /** The database to fill. */
  readonly database: CrawledDatabase;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * Globs of files to leave out, relative to the target; `*` stays within a folder, `**` does not.
   * @default - temporary files of Spark and Hadoop: `**.tmp`, `**\/_SUCCESS`, `**\/_temporary/**`, `**\/.spark-staging-*\/**`
   */
  readonly exclusions?: readonly string[];
  /**
   * A prefix for every table's name: 1 to 128 lower-case letters, digits and underscores.
   * @default - none
   */
  readonly tablePrefix?: string;
  /**
   * The rules by which folders become tables.
   * @default - one table for files of compatible schemas
   */
  readonly grouping?: CrawlerGrouping;
  /** @default - `UPDATE_IN_DATABASE`, `LOG` */
  readonly schemaChange?: SchemaChangePolicy;
  /**
   * The folders that a crawl reads. `CRAWL_NEW_FOLDERS_ONLY` misses changed files, and needs `LOG` for both schema changes:
   * https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html
   * @default "CRAWL_EVERYTHING"
   */
  readonly recrawl?: "CRAWL_EVERYTHING" | "CRAWL_NEW_FOLDERS_ONLY";
  /**
   * A role that Glue may assume; the crawler's rights are granted to it.
   * @default - a new role
   */
  readonly role?: IRole;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

const DEFAULT_UPDATE = "UPDATE_IN_DATABASE";
const DEFAULT_DELETE = "LOG";
const LEFTOVERS = ["**.tmp", "**/_SUCCESS", "**/_temporary/**", "**/.spark-staging-*/**"];

/** The log group of all crawlers, fixed by Glue. */
const LOG_GROUP = "/aws-glue/crawlers";

/**
 * A crawler of one S3 location with a role that may read it and fill one database. It has no schedule: an orchestrator starts it and
 * waits for it.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class GlueCrawler extends Construct {
  /** The crawler. */
  readonly resource: GlueCrawlerResource;
  /** The crawler's role. */
  readonly role: IRole;
  /** Physical name; refers to the resource. */
  readonly crawlerName: string;
  /** The ARN; refers to the resource. */
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
        `must be a glob relative to the target, got ${JSON.stringify(glob)}; remove everything before the folder's name`,
      ),
    );
    const level = grouping?.tableLevel;
    refusals.check(
      level === undefined || !isKnown(level) || (Number.isInteger(level) && level >= 1),
      "grouping.tableLevel",
      `must be a whole number, at least 1 (the bucket), got ${level}`,
    );
    refusals.note("recrawl", recrawlMistake(this.props));
    // A wrong account or region is reported already.
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
        // Rights on a table are checked on the catalogue, the database and the table.
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
  const why = roleBrought ? "" : ` (its role is named '<name>${ROLE_SUFFIX}')`;
  return `must be 1 to ${longest} letters, digits or _.-${why}, got ${JSON.stringify(name)} with ${name.length}`;
}

/**
 * The mistake in `recrawl`, which Glue refuses only at apply.
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
 * Lists the mistakes in the database. CreateCrawler takes its name only, and looks for it in the catalogue of the crawler's account.
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
