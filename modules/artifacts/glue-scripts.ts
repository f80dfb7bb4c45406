import { join } from "node:path";
import { PACKAGE_ROOT } from "../core/package-root";

const FOLDER = join(PACKAGE_ROOT, "glue-scripts");

/** The folders of the library's Python files, absolute, for the props of {@link GlueSparkJob} and {@link EtlFunction}. */
export const GLUE_SCRIPTS = {
  /** The package that the library's jobs import: `modules` of a job. */
  etl: join(FOLDER, "etl"),
  /** The entry points, e.g. `transform_deliveries.py`: `script` of a job. */
  jobs: join(FOLDER, "jobs"),
  /** The functions, a folder each: `folder` of an `EtlFunction` is one of them, e.g. `count_objects`. */
  functions: join(FOLDER, "functions"),
} as const;
