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
  /** Reads XML in jobs of Glue 5.1, whose Spark is 3.5; Spark 4 has it built in: one of `jars` of a job. */
  sparkXml: join(FOLDER, "jars", "spark-xml_2.12-0.18.0.jar"),
} as const;
