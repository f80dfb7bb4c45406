import { join } from "node:path";
import { Construct } from "constructs";
import {
  ArtifactFile,
  CatalogTable,
  type DataLake,
  EtlOrchestrator,
  GlueCrawler,
  GlueSparkJob,
  type NotificationsTopic,
  Step,
  Zone,
} from "../../modules/index";
import type { PipelineSettings } from "../settings";

const SCRIPTS = join(__dirname, "..", "..", "glue-scripts");

/** What every zone calls this pipeline's data. */
const PREFIX = "events/";
const BOOKS_PREFIX = "books/events/";

export interface EventsPipelineProps extends PipelineSettings {
  /** First part of every physical name, e.g. `etl-dev-events`. */
  readonly name: string;
  readonly lake: DataLake;
  readonly notifications: NotificationsTopic;
  readonly account: string;
  readonly region: string;
  readonly logRetentionDays: number;
  readonly logExecutionData: boolean;
}

/**
 * The events pipeline: validate input → crawl raw → run job → check books → crawl processed → notify. All of its wiring
 * is here; the constructs know nothing of each other.
 */
export class EventsPipeline extends Construct {
  readonly rawCrawler: GlueCrawler;
  readonly transform: GlueSparkJob;
  readonly processedCrawler: GlueCrawler;
  readonly orchestrator: EtlOrchestrator;

  constructor(scope: Construct, id: string, props: EventsPipelineProps) {
    super(scope, id);
    this.rawCrawler = this.crawler("RawCrawler", Zone.RAW, props);
    this.transform = this.defineTransform(props);
    this.processedCrawler = this.crawler("ProcessedCrawler", Zone.PROCESSED, props);
    this.defineQuarantineTable(props);
    this.orchestrator = this.defineOrchestrator(props);
  }

  private crawler(id: string, zone: Zone, { name, lake, account, region }: EventsPipelineProps): GlueCrawler {
    return new GlueCrawler(this, id, {
      name: `${name}-${zone}`,
      target: lake.location(zone, PREFIX),
      database: lake.database(zone),
      account,
      region,
    });
  }

  private defineTransform(props: EventsPipelineProps): GlueSparkJob {
    const { lake, account, region } = props;
    const artifacts = lake.location(Zone.ARTIFACTS);
    const books = lake.location(Zone.PROCESSED, BOOKS_PREFIX);
    const contract = new ArtifactFile(this, "Contract", {
      source: join(SCRIPTS, "contracts", "events.schema.json"),
      artifacts,
      prefix: "contracts/",
    });
    return new GlueSparkJob(this, "Transform", {
      name: `${props.name}-transform`,
      description:
        "Checks, quarantines, deduplicates and rebuilds the events of the delivery dates it is given",
      script: join(SCRIPTS, "jobs", "transform_events.py"),
      modules: join(SCRIPTS, "etl"),
      artifacts,
      inputs: [lake.location(Zone.RAW, PREFIX)],
      files: [contract],
      outputs: [lake.location(Zone.PROCESSED, PREFIX), lake.location(Zone.QUARANTINE, PREFIX), books],
      arguments: {
        pipeline: "events",
        source_bucket: lake.bucket(Zone.RAW).bucketName,
        source_prefix: PREFIX,
        output_bucket: lake.bucket(Zone.PROCESSED).bucketName,
        output_prefix: PREFIX,
        quarantine_bucket: lake.bucket(Zone.QUARANTINE).bucketName,
        quarantine_prefix: PREFIX,
        books_bucket: books.bucketName,
        books_prefix: books.prefix,
        contract_uri: contract.uri,
      },
      capacity: { kind: "autoScaling", workerType: props.workerType, maxWorkers: props.maxWorkers },
      timeoutMinutes: props.jobTimeoutMinutes,
      logRetentionDays: props.logRetentionDays,
      account,
      region,
    });
  }

  /** Declared, not crawled: its schema is the job's own, and rejects must be queryable from the first one on. */
  private defineQuarantineTable({ lake }: EventsPipelineProps): void {
    new CatalogTable(this, "QuarantineTable", {
      name: "events",
      description: "Rows that the events job refused, with the reason",
      database: lake.database(Zone.QUARANTINE),
      location: lake.location(Zone.QUARANTINE, PREFIX),
      columns: [
        { name: "raw_line", type: "string", comment: "The line as it was delivered" },
        { name: "reason", type: "string", comment: "The first of the contract's reasons that applies" },
        { name: "source_file", type: "string", comment: "URI of the delivered file" },
        { name: "run_id", type: "string", comment: "The execution that refused it" },
      ],
      partition: { name: "run_date", from: "2000-01-01" },
    });
  }

  private defineOrchestrator(props: EventsPipelineProps): EtlOrchestrator {
    const { lake, account, region, crawlDeadlineMinutes: deadlineMinutes } = props;
    return new EtlOrchestrator(this, "Orchestrator", {
      name: props.name,
      pipeline: "events",
      steps: [
        Step.crawl("CrawlRaw", { ...this.rawCrawler, deadlineMinutes }),
        Step.runJob("RunJob", this.transform),
        Step.checkBooks("CheckBooks", { books: lake.location(Zone.PROCESSED, BOOKS_PREFIX) }),
        Step.crawl("CrawlProcessed", { ...this.processedCrawler, deadlineMinutes }),
        Step.notify("Notify"),
      ],
      notifications: props.notifications,
      logRetentionDays: props.logRetentionDays,
      includeExecutionData: props.logExecutionData,
      account,
      region,
    });
  }
}
