/**
 * How many metrics a dashboard shows, each once; what cannot be read counts as none. `.` in a metric stands for the same place of
 * the one before it, `...` for its beginning; an expression is no metric.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 *
 * @param body its JSON
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
