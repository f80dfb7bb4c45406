import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Orchestration } from "../modules/core/orchestrations";
import { type Pipeline, snakeCase } from "./pipeline-choice";
import { agrees, returnPoint } from "./return-point";
import { deployedOutputs, terraformFolder } from "./terraform-state";

/** The deployed pipelines, and those that an interrupted or failed apply was deploying, because the next apply continues it. */
export function deployedPipelines(stack: string, all: readonly Pipeline[]): string[] {
  return pipelinesOf([...deployedOutputs(stack), ...unfinishedOutputs(stack)], all);
}

/** @param folder a stack's folder of `cdktf.out` */
export function synthesisedPipelines(folder: string, all: readonly Pipeline[]): string[] {
  return pipelinesOf(synthesisedOutputs(folder), all);
}

function pipelinesOf(outputs: readonly string[], all: readonly Pipeline[]): string[] {
  return all.map(({ name }) => name).filter((name) => outputs.includes(`${snakeCase(name)}_job_name`));
}

/** The orchestrator that each deployed pipeline has now. */
export function deployedOrchestrations(
  stack: string,
  all: readonly Pipeline[],
): Readonly<Record<string, Orchestration>> {
  const outputs = deployedOutputs(stack);
  const pairs = pipelinesOf(outputs, all).map((name) => [
    name,
    outputs.includes(workflowOutput(name)) ? "workflow" : "stepFunctions",
  ]);
  return Object.fromEntries(pairs) as Record<string, Orchestration>;
}

/** The output that names the Glue workflow of a pipeline, where it has one. */
export const workflowOutput = (pipeline: string): string => `${snakeCase(pipeline)}_workflow_name`;

function unfinishedOutputs(stack: string): string[] {
  const point = returnPoint();
  if (point?.stack !== stack || point.verb !== "apply" || !agrees(point)) return [];
  return synthesisedOutputs(terraformFolder(stack));
}

function synthesisedOutputs(folder: string): string[] {
  const file = join(folder, "cdk.tf.json");
  if (!existsSync(file)) return [];
  const { output = {} } = JSON.parse(readFileSync(file, "utf8")) as { output?: Record<string, unknown> };
  return Object.keys(output);
}
