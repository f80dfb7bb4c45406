import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { zipSync } from "fflate";

/** The source of an importable Python package, and nothing that running it left behind. */
export interface PackedPackage {
  /** The package's name, which is its folder's. */
  readonly name: string;
  /** Of the files' names and contents: a rename changes it, a `__pycache__` does not. */
  readonly hash: string;
  /** A zip with the package at its top, the same bytes for the same files everywhere. */
  readonly zip: Uint8Array;
}

/** The oldest time a zip can tell. */
const NO_TIME = new Date(1980, 0, 1);

/**
 * Packs a Python package for `--extra-py-files`.
 *
 * @throws Error when the folder is no Python package
 */
export function packPackage(folder: string): PackedPackage {
  const name = basename(folder);
  const files = sourceFiles(folder);
  if (!files.includes("__init__.py")) {
    throw new Error(`'${folder}' is no Python package: it holds no __init__.py`);
  }
  const hash = createHash("sha256");
  const entries: Record<string, Uint8Array> = {};
  for (const file of files) {
    const content = readFileSync(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
    entries[`${name}/${file}`] = content;
  }
  // Stored, not deflated: the bytes then depend on no version of a compressor.
  return { name, hash: shortHash(hash.digest("hex")), zip: zipSync(entries, { level: 0, mtime: NO_TIME }) };
}

/** Enough of a SHA-256 to tell contents apart, short enough to be read. */
export function shortHash(digest: string): string {
  return digest.slice(0, 16);
}

function sourceFiles(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(py|json)$|^py\.typed$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !file.split("/").includes("__pycache__"))
    .sort();
}
