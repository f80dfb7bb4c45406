import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The library's own folder, of a checkout as of an installed package: the nearest one above this file with a `package.json`.
 * What is not compiled (definitions, Python) lies below it at the same place in both, and is read from there only.
 */
export const PACKAGE_ROOT: string = folderOfPackage(__dirname);

function folderOfPackage(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  if (folder === dirname(folder))
    throw new Error("cdktf-aws-etl: its files lie in no package; install it whole");
  return folderOfPackage(dirname(folder));
}
