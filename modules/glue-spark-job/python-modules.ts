import { isAbsolute } from "node:path";
import { Token } from "cdktf";
import { type GlueVersion } from "../core/job-runs";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { type Mistake } from "../core/refusals";
import { fileMistakes, type JobFile, nameOf } from "./job-files";

/**
 * How pip installs `pythonModules`. The options are in the job's definition, so they must not hold credentials.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
 */
export interface PythonInstaller {
  /**
   * The https address of the registry to ask instead of PyPI.
   * @default - PyPI
   */
  readonly indexUrl?: string;
  /**
   * `true`: no registry is asked. `pythonModules`, or the page of `findLinks`, must then have every dependency as a wheel.
   * @default false
   */
  readonly noIndex?: boolean;
  /**
   * The https address of a page with links to wheels.
   * @default - none
   */
  readonly findLinks?: string;
  /**
   * `true`: only the modules that are listed, without what they depend on.
   * @default false
   */
  readonly noDependencies?: boolean;
}

/** The Python of each Glue version, 3.x. Source: https://docs.aws.amazon.com/glue/latest/dg/release-notes.html */
const PYTHON_MINOR: Readonly<Record<GlueVersion, number>> = { "5.1": 11, "6.0": 13 };

/** Source: https://packaging.python.org/en/latest/specifications/version-specifiers/, an exact version without a wildcard. */
const PINNED = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[A-Za-z0-9._-]+\])?==\d[A-Za-z0-9.!+_-]*$/;
/** Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/ */
const WHEEL = /^([\w.]+)-[\w.!+]+(?:-\d[\w.]*)?-([\w.]+)-([\w.]+)-([\w.]+)\.whl$/;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/** Tells whether a module is a wheel, not a requirement that pip looks for. */
export const isWheel = (module: JobFile): boolean =>
  typeof module !== "string" || isAbsolute(module) || module.startsWith("s3://") || module.endsWith(".whl");

/** Lists the mistakes in `pythonModules` and `pythonInstaller`. */
export function pythonMistakes(
  modules: readonly JobFile[],
  installer: PythonInstaller | undefined,
  glueVersion: GlueVersion,
): Mistake[] {
  return [
    ...modules.flatMap((module, index) => moduleMistakes(module, `pythonModules[${index}]`, glueVersion)),
    ...repeated(modules),
    ...installerMistakes(modules, installer),
  ];
}

function moduleMistakes(module: JobFile, field: string, glueVersion: GlueVersion): Mistake[] {
  if (isWheel(module)) {
    return fileMistakes("", [module], (name) => wheelMistake(name, glueVersion)).map(([, mistake]) => [
      field,
      mistake,
    ]);
  }
  const text = module as string;
  if (!isKnown(text) || PINNED.test(text)) return [];
  const example = /^[A-Za-z0-9][A-Za-z0-9._-]*/.exec(text)?.[0] ?? "pandas";
  return [
    [
      field,
      `must be pinned like '${example}==1.2.3', or be a wheel, got ${JSON.stringify(text)}: each run installs it anew, and another version ` +
        "could arrive with any run",
    ],
  ];
}

function wheelMistake(name: string, glueVersion: GlueVersion): string | undefined {
  const [, , python, abi, platform] = WHEEL.exec(name) ?? [];
  if (python === undefined || abi === undefined || platform === undefined) {
    return `must be named as a wheel, <name>-<version>-<python>-<abi>-<platform>.whl, got '${name}': pip reads these parts`;
  }
  const minor = PYTHON_MINOR[glueVersion];
  // Another mistake is reported for a version that is not known.
  if (minor === undefined) return undefined;
  const isOfPython = python.split(".").some((tag) => {
    const [, kind, of] = /^(py|cp)3(\d*)$/.exec(tag) ?? [];
    if (of === undefined) return false;
    if (of === "" || Number(of) === minor) return true;
    return (kind === "py" || abi.split(".").includes("abi3")) && Number(of) < minor;
  });
  const isOfLinux = platform === "any" || /linux.*_x86_64/.test(platform);
  if (isOfPython && isOfLinux) return undefined;
  return `must fit Python 3.${minor} on Linux x86_64, which Glue ${glueVersion} runs, got '${name}'; build or download it for that`;
}

/** pip refuses one package in two versions. */
function repeated(modules: readonly JobFile[]): Mistake[] {
  const names = modules.map((module) => {
    const name = isWheel(module) ? nameOf(module) : (module as string);
    const found =
      name === undefined || !isKnown(name) ? undefined : (PINNED.exec(name) ?? WHEEL.exec(name))?.[1];
    return found?.toLowerCase().replaceAll(/[-_.]+/g, "-");
  });
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    return name === undefined || first === index
      ? []
      : [
          [
            `pythonModules[${index}]`,
            `must name a package once, got '${name}' like 'pythonModules[${first}]'`,
          ] as const,
        ];
  });
}

function installerMistakes(modules: readonly JobFile[], installer: PythonInstaller | undefined): Mistake[] {
  if (installer === undefined) return [];
  const { indexUrl, noIndex = false, findLinks } = installer;
  const mistakes: Mistake[] = [];
  if (modules.length === 0)
    mistakes.push(["pythonInstaller", "needs 'pythonModules'; leave it out, or add modules"]);
  for (const [name, url] of Object.entries({ indexUrl, findLinks })) {
    if (url === undefined || !isKnown(url)) continue;
    const secret = plaintextSecretMistake(name, url);
    const mistake = /^https:\/\/[^\s,]+$/.test(url)
      ? secret
      : `must be an https address without white space, got ${JSON.stringify(url)}`;
    if (mistake !== undefined) mistakes.push([`pythonInstaller.${name}`, mistake]);
  }
  if (noIndex && indexUrl !== undefined) {
    mistakes.push(["pythonInstaller.noIndex", "excludes 'pythonInstaller.indexUrl'; leave one of them out"]);
  }
  const asked = modules.filter((module) => !isWheel(module));
  if (noIndex && findLinks === undefined && asked.length > 0) {
    mistakes.push([
      "pythonInstaller.noIndex",
      `leaves pip no place to find ${asked.map((module) => module as string).join(", ")}; give wheels, or set 'pythonInstaller.findLinks'`,
    ]);
  }
  return mistakes;
}

/** The value of `--python-modules-installer-option`: options as on pip's command line. */
export function installerOptions({
  indexUrl,
  noIndex = false,
  findLinks,
  noDependencies = false,
}: PythonInstaller): string | undefined {
  const options = [
    ...(indexUrl === undefined ? [] : [`--index-url ${indexUrl}`]),
    ...(noIndex ? ["--no-index"] : []),
    ...(findLinks === undefined ? [] : [`--find-links ${findLinks}`]),
    ...(noDependencies ? ["--no-deps"] : []),
  ];
  return options.length === 0 ? undefined : options.join(" ");
}
