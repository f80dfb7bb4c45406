import {
  BatchDeletePartitionCommand,
  DeleteTableCommand,
  type GlueClient,
  paginateGetPartitions,
  paginateGetTables,
  type Partition,
} from "@aws-sdk/client-glue";
import { DeleteObjectsCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { output } from "./stack-outputs";
import { type Outputs } from "./terraform";

/** The data and the books of a pipeline in a deployed stack, and how to delete them. */

const ZONES = ["raw", "processed", "quarantine", "curated"] as const;
/** https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html */
const DELETED_AT_A_TIME = 25;
/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
const OBJECTS_AT_A_TIME = 1000;

export class Lake {
  readonly rawBucket: string;

  constructor(
    private readonly clients: { readonly s3: S3Client; readonly glue: GlueClient },
    private readonly outputs: Outputs,
    private readonly pipeline: string,
    private readonly deliveries = `${pipeline}/`,
  ) {
    this.rawBucket = output(outputs, "raw_bucket");
  }

  /**
   * Removes the pipeline's data, books and registered partitions from every zone; declared tables and other pipelines stay. A table of Iceberg
   * goes with its files: the job makes it.
   */
  async empty(): Promise<void> {
    for (const zone of ZONES) {
      const bucket = this.outputs[`${zone}_bucket`];
      if (bucket === undefined) continue;
      const own = zone === "raw" ? this.deliveries : `${this.pipeline}/`;
      const prefixes = [own, ...(zone === "processed" ? [`books/${this.pipeline}/`] : [])];
      for (const prefix of prefixes) await this.remove(bucket, await this.keysOf(bucket, prefix));
      const database = this.outputs[`${zone}_database`];
      if (database !== undefined) await this.unregister(database, `s3://${bucket}/${own}`);
    }
  }

  async keysOf(bucket: string, prefix: string): Promise<string[]> {
    const keys: string[] = [];
    const asked = { Bucket: bucket, Prefix: prefix };
    for await (const page of paginateListObjectsV2({ client: this.clients.s3 }, asked)) {
      keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    }
    return keys;
  }

  async remove(bucket: string, keys: readonly string[]): Promise<void> {
    for (const some of batches(keys, OBJECTS_AT_A_TIME)) {
      const Objects = some.map((Key) => ({ Key }));
      await this.clients.s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      );
    }
  }

  /** Removes the partitions below a location from the catalogue, in any table. */
  private async unregister(database: string, location: string): Promise<void> {
    const { glue: client } = this.clients;
    for await (const { TableList = [] } of paginateGetTables({ client }, { DatabaseName: database })) {
      for (const { Name, Parameters, StorageDescriptor } of TableList) {
        const isIceberg = Parameters?.table_type?.toUpperCase() === "ICEBERG";
        if (isIceberg && `${StorageDescriptor?.Location}/`.startsWith(location))
          await client.send(new DeleteTableCommand({ DatabaseName: database, Name }));
      }
      for (const { Name } of TableList.filter(({ PartitionKeys = [] }) => PartitionKeys.length > 0)) {
        const table = { DatabaseName: database, TableName: Name };
        const found: Partition[] = [];
        for await (const page of paginateGetPartitions({ client }, table))
          found.push(...(page.Partitions ?? []));
        const gone = found.filter(({ StorageDescriptor }) =>
          StorageDescriptor?.Location?.startsWith(location),
        );
        for (const some of batches(gone, DELETED_AT_A_TIME)) {
          const PartitionsToDelete = some.map(({ Values }) => ({ Values }));
          await client.send(new BatchDeletePartitionCommand({ ...table, PartitionsToDelete }));
        }
      }
    }
  }
}

function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
