import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  PIPELINE_DIMENSION,
  PIPELINE_METRICS,
  PIPELINE_NAMESPACE,
  WORKFLOW_DIMENSION,
  WORKFLOW_METRICS,
} from "../../modules/core/pipeline-metrics";
import { ROOT } from "./clone";

/** Every metric that there is: what AWS emits by its pages, and what the pipelines' own state puts. */

export interface Emitted {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly page: string;
}

export const AWS = (
  JSON.parse(
    readFileSync(join(ROOT, "embedded-aws", "embedded_aws", "cloudwatch", "aws-metrics.json"), "utf8"),
  ) as {
    metrics: readonly Emitted[];
  }
).metrics;
export const OWN: readonly Emitted[] = Object.values(PIPELINE_METRICS).map((name) => ({
  namespace: PIPELINE_NAMESPACE,
  name,
  dimensions: [PIPELINE_DIMENSION],
  page: "modules/core/pipeline-metrics.ts",
}));
/** The metrics that a watcher puts about the runs of a Glue workflow. */
export const WATCHED: readonly Emitted[] = Object.values(WORKFLOW_METRICS).map((name) => ({
  namespace: PIPELINE_NAMESPACE,
  name,
  dimensions: [WORKFLOW_DIMENSION],
  page: "modules/core/pipeline-metrics.ts",
}));
/** A metric is its namespace, its name and its exact set of dimensions. */
export const keyOf = (namespace: string, name: string, dimensions: readonly string[]): string =>
  [namespace, name, ...[...dimensions].sort()].join(" ");
export const EMITTED = new Set(
  [...AWS, ...OWN, ...WATCHED].map((one) => keyOf(one.namespace, one.name, one.dimensions)),
);
