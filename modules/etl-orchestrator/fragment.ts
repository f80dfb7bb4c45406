import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../core/package-root";
import { type JsonObject } from "../../definition-checks/asl";

const FOLDER = join(PACKAGE_ROOT, "step-functions");

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
  | "notify"
  | "tell-failure";

export const fragment = (name: FragmentName): JsonObject =>
  JSON.parse(readFileSync(join(FOLDER, `${name}.asl.json`), "utf8")) as JsonObject;
