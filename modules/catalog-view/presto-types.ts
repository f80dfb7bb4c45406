/** Hive's names of types as Athena's views spell them. */
const SCALARS: Readonly<Record<string, string>> = {
  string: "varchar",
  int: "integer",
  bigint: "bigint",
  double: "double",
  boolean: "boolean",
  date: "date",
  // Iceberg keeps microseconds. A narrower type of the table is widened, a wider one refused.
  timestamp: "timestamp(6)",
};

/**
 * A type of Glue's catalogue in Trino's words; `undefined` for one that is not known here.
 *
 * Source: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
 */
export function prestoType(hive: string): string | undefined {
  if (Object.hasOwn(SCALARS, hive)) return SCALARS[hive];
  if (/^decimal\(\d+,\d+\)$/.test(hive)) return hive;
  const [, entry] = /^array<(.*)>$/.exec(hive) ?? [];
  if (entry !== undefined) return wrapped("array", prestoType(entry));
  const [, fields] = /^struct<(.*)>$/.exec(hive) ?? [];
  if (fields === undefined) return undefined;
  const parts = fields.split(/,(?![^(]*\))/).map((field) => {
    const [, name, type = ""] = /^([^:]+):(.*)$/.exec(field) ?? [];
    const presto = prestoType(type);
    return name === undefined || presto === undefined ? undefined : `${name} ${presto}`;
  });
  return parts.includes(undefined) ? undefined : `row(${parts.join(", ")})`;
}

const wrapped = (outer: string, inner: string | undefined): string | undefined =>
  inner === undefined ? undefined : `${outer}(${inner})`;
