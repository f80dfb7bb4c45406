/** The rules by which a crawler makes tables from the folders below its target. */
export interface CrawlerGrouping {
  /**
   * `true`: files of compatible schemas become one table, in whatever folders they are.
   * @default true
   */
  readonly combineCompatibleSchemas?: boolean;
  /**
   * The folder level of tables; the bucket is level 1.
   * @default - Glue decides
   */
  readonly tableLevel?: number;
}

/**
 * The crawler's configuration as JSON with sorted keys, so that a plan shows real changes only. Partitions inherit the table's schema,
 * which avoids Athena's HIVE_PARTITION_SCHEMA_MISMATCH.
 *
 * Source: https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
 */
export function crawlerConfiguration({
  combineCompatibleSchemas = true,
  tableLevel,
}: CrawlerGrouping = {}): string {
  const grouping = {
    ...(tableLevel === undefined ? {} : { TableLevelConfiguration: tableLevel }),
    ...(combineCompatibleSchemas ? { TableGroupingPolicy: "CombineCompatibleSchemas" } : {}),
  };
  return JSON.stringify({
    CrawlerOutput: { Partitions: { AddOrUpdateBehavior: "InheritFromTable" } },
    ...(Object.keys(grouping).length === 0 ? {} : { Grouping: sorted(grouping) }),
    Version: 1,
  });
}

function sorted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
