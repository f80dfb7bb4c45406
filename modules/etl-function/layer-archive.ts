import { strFromU8, strToU8, type Unzipped, unzipSync, type Zippable, zipSync } from "fflate";
import { READABLE } from "../artifacts/function-code";
import { NO_TIME } from "../artifacts/python-package";
import { type FunctionArchitecture, type FunctionRuntime } from "./runtimes";

/** The record in a layer: what it was built of. */
export interface LayerRecord {
  readonly runtime: FunctionRuntime;
  readonly architecture: FunctionArchitecture;
  readonly packages: readonly { readonly name: string; readonly version: string }[];
  /** The size of the packages after extraction. */
  readonly unzippedBytes: number;
}

export interface ReadLayer {
  readonly record: LayerRecord;
  /** The size of all its files after extraction. */
  readonly unzippedBytes: number;
}

/** The record's place in the zip; the packages are below `python/`. */
const RECORD = "layer.json";

/** A file of a layer, by its path below `python/`. */
export interface LayerFile {
  readonly content: Uint8Array;
  readonly isExecutable: boolean;
}

const EXECUTABLE = { ...READABLE, attrs: (0o100755 << 16) >>> 0 };

/** Packs the files of a layer and its record; the same files give the same bytes. */
export function packLayer(files: ReadonlyMap<string, LayerFile>, record: LayerRecord): Uint8Array {
  const entries: Zippable = { [RECORD]: [strToU8(`${JSON.stringify(record, null, 2)}\n`), READABLE] };
  for (const [path, { content, isExecutable }] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    entries[`python/${path}`] = [content, isExecutable ? EXECUTABLE : READABLE];
  return zipSync(entries, { level: 6, mtime: NO_TIME });
}

/** Reads the record and the sizes of a layer without extracting its packages. @returns the mistake as words that follow its field */
export function readLayer(zip: Uint8Array): ReadLayer | string {
  let unzippedBytes = 0;
  let extracted: Unzipped;
  try {
    extracted = unzipSync(zip, {
      filter: ({ name, originalSize }) => {
        unzippedBytes += originalSize;
        return name === RECORD;
      },
    });
  } catch (error) {
    return `must be a zip, and cannot be read as one (${(error as Error).message})`;
  }
  const record = extracted[RECORD];
  if (record === undefined)
    return `must be built by 'npx cdktf-aws-etl layer build', got a zip without its record ${RECORD}`;
  return { record: JSON.parse(strFromU8(record)) as LayerRecord, unzippedBytes };
}
