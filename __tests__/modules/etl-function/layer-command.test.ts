import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { platformsOf } from "../../../modules/etl-function/build-layer";
import { readLayer } from "../../../modules/etl-function/layer-archive";
import { layerCommand } from "../../../modules/etl-function/layer-command";
import { ROOT } from "../../support/clone";
import { writeWheel } from "../../support/layers";

/** `cdktf-aws-etl layer build` with the real pip, on wheels in a folder and without an index. */

const PYTHON = join(ROOT, ".setup", "venv", "bin", "python");

let folder: string;
let requirements: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "layer-command-"));
  requirements = join(folder, "requirements.txt");
  out = join(folder, "tiny.zip");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(...words: string[]): { code: number; output: string } {
  let output = "";
  const code = layerCommand(words, (text) => (output += text), {
    ...process.env,
    CDKTF_AWS_ETL_PYTHON: PYTHON,
  });
  return { code, output: output.replaceAll(folder, "<folder>") };
}

const build = (...more: string[]) => run("build", "--requirements", requirements, "--out", out, ...more);

/** Writes the file of requirements, whose wheels are in the folder. */
const require = (...lines: string[]): void =>
  writeFileSync(requirements, ["--no-index", `--find-links ${folder}`, ...lines, ""].join("\n"));

test("a layer holds the packages below python/ and its record, and nothing of this computer: two builds give the same bytes", () => {
  require(writeWheel(folder, "tiny", "1.2"), writeWheel(folder, "small", "0.1"));
  expect(build()).toEqual({
    code: 0,
    output:
      "  small 0.1\n  tiny 1.2\n" +
      "wrote <folder>/tiny.zip for python3.11 on x86_64: 2 packages, 0.0 MB, unzipped 0.0 MB\n",
  });
  const files = unzipSync(readFileSync(out));
  expect(Object.keys(files)).toEqual([
    "layer.json",
    "python/small-0.1.dist-info/METADATA",
    "python/small-0.1.dist-info/WHEEL",
    "python/small-0.1.dist-info/entry_points.txt",
    "python/small/__init__.py",
    "python/tiny-1.2.dist-info/METADATA",
    "python/tiny-1.2.dist-info/WHEEL",
    "python/tiny-1.2.dist-info/entry_points.txt",
    "python/tiny/__init__.py",
  ]);
  const packages = Object.entries(files).filter(([name]) => name.startsWith("python/"));
  const unzippedBytes = packages.reduce((sum, [, { length }]) => sum + length, 0);
  const record = {
    runtime: "python3.11",
    architecture: "x86_64",
    packages: [
      { name: "small", version: "0.1" },
      { name: "tiny", version: "1.2" },
    ],
    unzippedBytes,
  };
  expect(JSON.parse(strFromU8(files["layer.json"]!))).toEqual(record);
  expect(readLayer(readFileSync(out))).toEqual({
    record,
    unzippedBytes: unzippedBytes + files["layer.json"]!.length,
  });

  // Again in another folder, at another time and in another time zone.
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  const second = join(elsewhere, "again.zip");
  const command = [join(ROOT, "bin", "cdktf-aws-etl.cjs"), "layer", "build", "--requirements", requirements];
  const { status, stderr } = spawnSync(process.execPath, [...command, "--out", second], {
    cwd: elsewhere,
    encoding: "utf8",
    env: { ...process.env, TZ: "Asia/Tokyo", CDKTF_AWS_ETL_PYTHON: PYTHON },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(second).equals(readFileSync(out))).toBe(true);
});

test("wheels are for the function's runtime, not for this computer", () => {
  require(writeWheel(folder, "tiny", "1.2", "cp313-cp313-manylinux_2_34_aarch64"));
  const [wrong, right] = [build(), build("--runtime", "python3.13", "--architecture", "arm64")];
  expect(wrong).toEqual({
    code: 1,
    output: expect.stringContaining(
      "pip refused <folder>/requirements.txt:\nERROR: Could not find a version",
    ) as string,
  });
  expect(right).toEqual({
    code: 0,
    output: expect.stringContaining("for python3.13 on arm64: 1 package,") as string,
  });
});

test("platforms go from the newest glibc of the runtime's system to that of manylinux2014", () => {
  const platforms = platformsOf("python3.11", "x86_64");
  expect([platforms.at(0), platforms.at(-2), platforms.at(-1)]).toEqual([
    "manylinux_2_26_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
  ]);
  expect(platformsOf("python3.12", "arm64")[0]).toBe("manylinux_2_34_aarch64");
});

test.each([
  ["not pinned", (pinned: string) => pinned.replace("==1.2", ">=1.2"), "versions pinned with =="],
  [
    "without a hash",
    (pinned: string) => pinned.replace(/ --hash.*/, ""),
    "Hashes are required in --require-hashes mode",
  ],
  [
    "with another hash",
    (pinned: string) => pinned.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
    "DO NOT MATCH THE HASHES",
  ],
])("a requirement %s is refused with pip's reason", (_, change, reason) => {
  require(change(writeWheel(folder, "tiny", "1.2")));
  const { code, output } = build();
  expect({ code, output: output.replaceAll("\n", " ") }).toEqual({
    code: 1,
    output: expect.stringContaining(reason) as string,
  });
});

test("no package at all is refused", () => {
  require();
  expect(build()).toEqual({ code: 1, output: "<folder>/requirements.txt names no package\n" });
});

test.each([
  [
    ["build"],
    "give --requirements, the file of pinned requirements\ngive --out, a file that ends in .zip, got nothing\n",
  ],
  [
    [
      "build",
      "--requirements",
      "no.txt",
      "--out",
      "a.tar",
      "--runtime",
      "python3.9",
      "--architecture",
      "i386",
    ],
    "give --out, a file that ends in .zip, got a.tar\n" +
      '--runtime must be one of python3.11, python3.12, python3.13, got "python3.9",\n' +
      "which AWS deprecated on 2025-12-15: it gets no security patches, and AWS refuses\n" +
      'it for new functions sooner or later\n--architecture must be one of x86_64, arm64, got "i386"\n',
  ],
  [["build", "--requirements", "no.txt", "--out", "a.zip"], "no.txt cannot be read (ENOENT)\n"],
  [["make"], "give the verb build, got make\n"],
])("wrong words are reported together: %j", (words, message) => {
  expect(run(...words)).toEqual({ code: 2, output: `${message}(see cdktf-aws-etl layer --help)\n` });
});

test("a Python that cannot be run, or has no pip, is named", () => {
  require(writeWheel(folder, "tiny", "1.2"));
  expect(build("--python", "/no/python").output).toBe(
    "'/no/python' cannot be run (ENOENT); name a Python with --python\n(see cdktf-aws-etl layer --help)\n",
  );
  const bare = join(folder, "python");
  writeFileSync(bare, '#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n');
  chmodSync(bare, 0o755);
  expect(build("--python", bare)).toEqual({
    code: 2,
    output:
      "'<folder>/python' has no pip; name another Python with --python\n(see cdktf-aws-etl layer --help)\n",
  });
});

test("the help names every option", () => {
  const { code, output } = run("--help");
  expect(code).toBe(0);
  for (const option of ["requirements", "out", "runtime", "architecture", "python"])
    expect(output).toContain(`  --${option}`);
});
