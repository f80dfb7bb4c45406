import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";

/** Writes a wheel of one module and a start script, and gives the pinned requirement of it. */
export function writeWheel(folder: string, name: string, version: string, tag = "py3-none-any"): string {
  const info = `${name}-${version}.dist-info`;
  const files = {
    [`${name}/__init__.py`]: `VERSION = "${version}"\n`,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
    [`${info}/entry_points.txt`]: `[console_scripts]\n${name} = ${name}:main\n`,
    [`${info}/RECORD`]: "",
  };
  files[`${info}/RECORD`] = Object.keys(files)
    .map((file) => `${file},,\n`)
    .join("");
  const wheel = zipSync(
    Object.fromEntries(Object.entries(files).map(([file, text]) => [file, strToU8(text)])),
  );
  writeFileSync(join(folder, `${name}-${version}-${tag}.whl`), wheel);
  return `${name}==${version} --hash=sha256:${createHash("sha256").update(wheel).digest("hex")}`;
}
