import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readContract } from "../contracts/contract";
import { type ContractSource, placesOf } from "../contracts/source-contracts";
import { ROOT } from "./places";

/** The places that the pipeline's contract names; none where it has no contract of its own. */
export function placesOfPipeline(pipeline: string): readonly ContractSource[] {
  const file = join(ROOT, "pipelines", pipeline, `${pipeline}.schema.json`);
  return existsSync(file) ? placesOf(readContract(JSON.parse(readFileSync(file, "utf8"))).contract) : [];
}
