import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, isAbsolute, join, relative, sep } from "node:path";
import { type Zippable, zipSync } from "fflate";
import { type Mistake } from "../core/refusals";
import { NO_TIME, packageMistake, type PackedPackage, shortHash, sourceFiles } from "./python-package";

/** Unix, and a file that everybody may read: without it the function could not read its own code. */
export const READABLE = { os: 3, attrs: (0o100644 << 16) >>> 0 } as const;

/** Lists the mistakes in the folder of a function and in the packages beside it: `[field, mistake]`. */
export function functionCodeMistakes(folder: string, packages: readonly string[]): Mistake[] {
  const ofFolder = folderMistake(folder);
  const ofPackages = packages.flatMap((one, index): Mistake[] => {
    const field = `packages[${index}]`;
    const mistake = packageMistake(one);
    if (mistake !== undefined) return [[field, mistake]];
    const name = basename(one);
    if (packages.slice(0, index).some((other) => basename(other) === name))
      return [[field, `must have another name than the packages before it, got '${name}' again`]];
    if (ofFolder !== undefined) return [];
    const isTaken = readdirSync(folder).some((entry) => entry === name || entry === `${name}.py`);
    return isTaken
      ? [
          [
            field,
            `must have another name than what is in 'folder', got '${name}', which is there too; rename one`,
          ],
        ]
      : [];
  });
  return [...(ofFolder === undefined ? [] : [["folder", ofFolder] as const]), ...ofPackages];
}

function folderMistake(folder: string): string | undefined {
  if (!isAbsolute(folder)) return `must be an absolute path, got '${folder}'; use join(__dirname, …)`;
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return `must be the folder of a function, got '${folder}', which does not exist or is not a folder`;
  }
  const links = codeFiles(folder).filter((file) => lstatSync(join(folder, file)).isSymbolicLink());
  if (links.length > 0)
    return `must hold files, and not links to files, got ${links.join(", ")}; name shared packages in 'packages'`;
  return undefined;
}

/** The size of a function's files after extraction, in bytes. Call {@link functionCodeMistakes} first. */
export const unzippedBytesOf = (folder: string, packages: readonly string[]): number =>
  packedFiles(folder, packages).reduce((sum, [, file]) => sum + statSync(file).size, 0);

/** Packs a function's code. Call {@link functionCodeMistakes} first. */
export function packFunction(folder: string, packages: readonly string[]): PackedPackage {
  const hash = createHash("sha256");
  const entries: Zippable = {};
  for (const [name, file] of packedFiles(folder, packages)) {
    const content = readFileSync(file);
    hash.update(`${name}\0${content.length}\0`).update(content);
    entries[name] = [content, READABLE];
  }
  return {
    name: basename(folder),
    hash: shortHash(hash.digest("hex")),
    // Stored, not deflated, so that the bytes do not depend on a compressor's version.
    zip: zipSync(entries, { level: 0, mtime: NO_TIME }),
  };
}

/** The files of a zip in order: the name in it, and the path on this computer. */
function packedFiles(folder: string, packages: readonly string[]): (readonly [name: string, file: string])[] {
  return [
    ...codeFiles(folder).map((file) => [file, join(folder, file)] as const),
    ...packages.flatMap((one) =>
      sourceFiles(one).map((file) => [`${basename(one)}/${file}`, join(one, file)] as const),
    ),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** All files of a folder, without caches and hidden files. */
function codeFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.name.endsWith(".pyc"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !file.split("/").some((part) => part === "__pycache__" || part.startsWith(".")))
    .sort();
}
