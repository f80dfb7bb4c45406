import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type JsonObject } from "./asl";

/** The JSON files of step-functions/, found from this file and never from the working directory. */
const FOLDER = join(__dirname, "..", "..", "step-functions");

export type FragmentName =
  | "validate-input"
  | "acquire-lock"
  | "crawl"
  | "call-crawl"
  | "run-job"
  | "check-books"
  | "check-quality"
  | "release-lock"
  | "record-metrics"
  | "notify";

export const fragment = (name: FragmentName): JsonObject =>
  JSON.parse(readFileSync(join(FOLDER, `${name}.asl.json`), "utf8")) as JsonObject;
