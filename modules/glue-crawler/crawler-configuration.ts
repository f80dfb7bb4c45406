/** How folders below the target become tables. */
export interface CrawlerGrouping {
  /**
   * Whether files of compatible schemas become one table whatever their folders.
   * @default true
   */
  readonly combineCompatibleSchemas?: boolean;
  /**
   * The folder level at which tables lie, counted from the bucket, which is 1.
   * @default - Glue decides
   */
  readonly tableLevel?: number;
}

/**
 * The crawler's configuration as canonical JSON: the keys that Glue knows, sorted, so that the plan never shows a change
 * that is none. Partitions take the table's schema, which is what spares Athena HIVE_PARTITION_SCHEMA_MISMATCH.
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
