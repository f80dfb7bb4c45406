import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The library's own folder, in a checkout and in an installed package: the nearest one above this file with a `package.json`.
 * Files that are not compiled (definitions, Python) lie at the same place below it in both.
 */
export const PACKAGE_ROOT: string = folderOfPackage(__dirname);

function folderOfPackage(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  if (folder === dirname(folder))
    throw new Error("cdktf-aws-etl: found no package.json above its files; install the whole package");
  return folderOfPackage(dirname(folder));
}
