const PUT = ":aws-sdk:cloudwatch:putMetricData";

/**
 * The number of metrics that a state machine records: each combination of namespace, name and dimensions. A value that is known at run time
 * only counts as one.
 *
 * @param definition the definition as JSON
 * @returns `undefined` if it cannot be read
 */
export function recordedMetrics(definition: unknown): number | undefined {
  if (typeof definition !== "string") return undefined;
  try {
    const metrics = new Set<string>();
    collect(JSON.parse(definition), metrics);
    return metrics.size;
  } catch {
    return undefined;
  }
}

interface Call {
  readonly Namespace?: unknown;
  readonly MetricData?: unknown;
}

/** Searches nested states too, those of a Map or a Parallel. */
function collect(value: unknown, into: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  const { Resource, Parameters, Arguments } = value as Readonly<Record<string, unknown>>;
  if (typeof Resource === "string" && Resource.endsWith(PUT)) add((Parameters ?? Arguments) as Call, into);
  for (const one of Object.values(value)) collect(one, into);
}

function add({ Namespace, MetricData }: Call, into: Set<string>): void {
  for (const data of Array.isArray(MetricData) ? (MetricData as Readonly<Record<string, unknown>>[]) : []) {
    const { MetricName, Dimensions, "MetricName.$": named, "Dimensions.$": dimensions } = data;
    into.add(JSON.stringify([Namespace, MetricName ?? named, Dimensions ?? dimensions]));
  }
}
