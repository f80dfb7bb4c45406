import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { codeOf, UsageError } from "../core/command-line";
import { type LayerFile, type LayerRecord, packLayer } from "./layer-archive";
import { type FunctionArchitecture, type FunctionRuntime, megabytes, MOST_UNZIPPED_BYTES } from "./runtimes";

/** The choices of a build. */
export interface LayerOrder {
  /** The file of requirements: each pinned, and with hashes. */
  readonly requirements: string;
  readonly runtime: FunctionRuntime;
  readonly architecture: FunctionArchitecture;
  /** The Python whose pip installs. */
  readonly python: string;
}

export interface BuiltLayer {
  readonly zip: Uint8Array;
  readonly record: LayerRecord;
}

/** A layer that cannot be built of the requirements. */
export class LayerRefused extends Error {}

/**
 * The newest glibc that wheels may need: Amazon Linux 2 has 2.26, Amazon Linux 2023 has 2.34.
 * Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (the system of each runtime),
 * https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html
 */
const GLIBC_MINOR: Readonly<Record<FunctionRuntime, number>> = {
  "python3.11": 26,
  "python3.12": 34,
  "python3.13": 34,
};
/** The glibc of manylinux2014, which every runtime has. */
const OLDEST_GLIBC_MINOR = 17;
const MACHINES: Readonly<Record<FunctionArchitecture, string>> = { x86_64: "x86_64", arm64: "aarch64" };

/**
 * Installs pinned wheels with pip, for the runtime and not for this computer, and packs them.
 *
 * @throws LayerRefused if pip refuses the requirements, or the packages are too large; UsageError if pip cannot be run
 */
export function buildLayer(order: LayerOrder, environment: NodeJS.ProcessEnv): BuiltLayer {
  const folder = mkdtempSync(join(tmpdir(), "layer-"));
  try {
    install(order, folder, environment);
    return pack(order, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(
  { requirements, runtime, architecture, python }: LayerOrder,
  folder: string,
  environment: NodeJS.ProcessEnv,
): void {
  const platforms = platformsOf(runtime, architecture).flatMap((platform) => ["--platform", platform]);
  const { status, signal, stderr, error } = spawnSync(
    python,
    [
      ...["-m", "pip", "install", "--quiet", "--requirement", requirements, "--target", folder],
      // Hashes make the build reproducible. Without sources nothing is compiled here.
      ...["--require-hashes", "--only-binary=:all:", "--no-compile", "--ignore-installed"],
      ...["--implementation", "cp", "--python-version", runtime.slice("python".length), ...platforms],
    ],
    {
      encoding: "utf8",
      maxBuffer: Infinity,
      env: {
        ...environment,
        PIP_DISABLE_PIP_VERSION_CHECK: "1",
        PIP_NO_INPUT: "1",
        PYTHONDONTWRITEBYTECODE: "1",
      },
    },
  );
  if (status === null)
    throw new UsageError(
      `'${python}' cannot be run (${signal ?? codeOf(error)}); name a Python with --python`,
    );
  if (stderr.includes("No module named pip"))
    throw new UsageError(`'${python}' has no pip; name another Python with --python`);
  if (status !== 0) throw new LayerRefused(`pip refused ${requirements}:\n${pipErrors(stderr)}`);
}

/** The platforms whose wheels run on the runtime, the newest first. */
export function platformsOf(runtime: FunctionRuntime, architecture: FunctionArchitecture): string[] {
  const newest = GLIBC_MINOR[runtime];
  const minors = Array.from({ length: newest - OLDEST_GLIBC_MINOR + 1 }, (_, index) => newest - index);
  return [...minors.map((minor) => `manylinux_2_${minor}`), "manylinux2014"].map(
    (platform) => `${platform}_${MACHINES[architecture]}`,
  );
}

function pipErrors(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => line !== "" && !/^(WARNING|\[notice\])/.test(line));
  return errors.join("\n");
}

function pack({ requirements, runtime, architecture }: LayerOrder, folder: string): BuiltLayer {
  const installed = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
  const files = new Map(installed.filter(isShipped).map((file) => [file, readLayerFile(join(folder, file))]));
  if (files.size === 0) throw new LayerRefused(`${requirements} names no package`);
  const unzippedBytes = [...files.values()].reduce((sum, { content }) => sum + content.length, 0);
  if (unzippedBytes >= MOST_UNZIPPED_BYTES) throw new LayerRefused(tooLarge(files, unzippedBytes));
  const record = { runtime, architecture, packages: packagesOf(installed), unzippedBytes };
  return { zip: packLayer(files, record), record };
}

function readLayerFile(path: string): LayerFile {
  return { content: readFileSync(path), isExecutable: (statSync(path).mode & 0o100) !== 0 };
}

/**
 * Leaves out what differs between computers and nothing imports: start scripts, which name the local Python, caches, and pip's notes on
 * the installation.
 */
function isShipped(file: string): boolean {
  const parts = file.split("/");
  if (parts[0] === "bin" || parts.includes("__pycache__") || file.endsWith(".pyc")) return false;
  return !/\.dist-info\/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$/.test(file);
}

const packagesOf = (files: readonly string[]): LayerRecord["packages"] =>
  files.flatMap((file) => {
    const [, name, version] = /^([^/]+)-([^/-]+)\.dist-info\/METADATA$/.exec(file) ?? [];
    return name === undefined ? [] : [{ name, version: version! }];
  });

function tooLarge(files: ReadonlyMap<string, LayerFile>, unzippedBytes: number): string {
  const sizes = new Map<string, number>();
  for (const [file, { content }] of files) {
    const top = file.split("/")[0]!;
    sizes.set(top, (sizes.get(top) ?? 0) + content.length);
  }
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 5);
  return (
    `the packages have ${megabytes(unzippedBytes)} unzipped, and a function with its layers must have less than ` +
    `${megabytes(MOST_UNZIPPED_BYTES)}. The largest: ` +
    `${largest.map(([name, bytes]) => `${name} ${megabytes(bytes)}`).join(", ")}. Leave packages out, or use a Glue job`
  );
}
