/**
 * The number of different metrics on a dashboard; 0 if its body cannot be read. In a metric, `.` repeats the same part of the metric before
 * it, and `...` repeats its beginning. Expressions are not counted.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 *
 * @param body the dashboard's body as JSON
 */
export function metricsShown(body: unknown): number {
  if (typeof body !== "string") return 0;
  try {
    const { widgets = [] } = JSON.parse(body) as { widgets?: { properties?: { metrics?: unknown[] } }[] };
    return new Set(widgets.flatMap(({ properties }) => named(properties?.metrics ?? []))).size;
  } catch {
    return 0;
  }
}

function named(metrics: readonly unknown[]): string[] {
  let previous: string[] = [];
  return metrics.flatMap((metric) => {
    const texts = Array.isArray(metric)
      ? metric.filter((part): part is string => typeof part === "string")
      : [];
    if (texts.length === 0) return [];
    previous =
      texts[0] === "..."
        ? [...previous.slice(0, previous.length - texts.length + 1), ...texts.slice(1)]
        : texts.map((text, place) => (text === "." ? (previous[place] ?? text) : text));
    return [JSON.stringify(previous)];
  });
}
