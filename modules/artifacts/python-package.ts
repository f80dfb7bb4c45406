import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, isAbsolute, join, relative, sep } from "node:path";
import { zipSync } from "fflate";

/** A zip that is made at synth. */
export interface PackedPackage {
  /** The name of the packed folder. */
  readonly name: string;
  /** A hash of the files' names and contents. */
  readonly hash: string;
  /** The same files give the same bytes. */
  readonly zip: Uint8Array;
}

/** The oldest time a zip can hold. */
export const NO_TIME = new Date(1980, 0, 1);

/** The mistake in a package's folder, as words that follow its field. */
export function packageMistake(folder: string): string | undefined {
  if (!isAbsolute(folder)) return `must be an absolute path, got '${folder}'; use join(__dirname, …)`;
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return `must be the folder of a Python package, got '${folder}', which does not exist or is not a folder`;
  }
  if (!statSync(join(folder, "__init__.py"), { throwIfNoEntry: false })?.isFile()) {
    return `must be the folder of a Python package, got '${folder}', which has no __init__.py`;
  }
  return /^[A-Za-z_]\w*$/.test(basename(folder))
    ? undefined
    : `must be named so that Python can import it, got '${basename(folder)}'`;
}

/** Packs the source files of an importable Python package, without caches, for `--extra-py-files`. Call {@link packageMistake} first. */
export function packPackage(folder: string): PackedPackage {
  const name = basename(folder);
  const files = sourceFiles(folder);
  const hash = createHash("sha256");
  const entries: Record<string, Uint8Array> = {};
  for (const file of files) {
    const content = readFileSync(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
    entries[`${name}/${file}`] = content;
  }
  // Stored, not deflated, so that the bytes do not depend on a compressor's version.
  return { name, hash: shortHash(hash.digest("hex")), zip: zipSync(entries, { level: 0, mtime: NO_TIME }) };
}

/** The first 16 digits of a SHA-256: enough to tell contents apart. */
export function shortHash(digest: string): string {
  return digest.slice(0, 16);
}

/** The source files of a Python package, relative to its folder. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(py|json)$|^py\.typed$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !file.split("/").includes("__pycache__"))
    .sort();
}
