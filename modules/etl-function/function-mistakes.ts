import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { functionCodeMistakes, unzippedBytesOf } from "../artifacts/function-code";
import { logRetentionMistake } from "../core/log-retention";
import { type Mistake } from "../core/refusals";
import { runbookUrlMistake } from "../core/runbook";
import { prefixMistake } from "../core/s3-location";
import { environmentMistakes } from "./environment-variables";
import { architectureMistake, megabytes, MOST_UNZIPPED_BYTES, runtimeMistake } from "./runtimes";

/** The facts of a layer that are judged. */
export interface JudgedLayer {
  readonly runtimes: readonly string[];
  readonly architectures: readonly string[];
  readonly unzippedBytes: number;
}

/** The props of a function with their defaults. */
export interface JudgedFunction {
  readonly name: string;
  readonly isRoleBrought: boolean;
  readonly handler: string;
  readonly folder: string;
  readonly packages: readonly string[];
  readonly artifacts: { readonly prefix: string };
  readonly runtime: string;
  readonly architecture: string;
  readonly layers: readonly JudgedLayer[];
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  readonly temporaryStorageMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
  readonly asynchronous?: { readonly retries?: number; readonly maximumAgeSeconds?: number };
  readonly alarms?: { readonly runbookUrl?: string };
  readonly vpc?: { readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] };
  readonly logRetentionDays: number;
}

export const ROLE_SUFFIX = "-function";
const LONGEST_NAME = 64;
/** The name of a role has at most 64 characters too. */
const LONGEST_NAME_WITH_ROLE = LONGEST_NAME - ROLE_SUFFIX.length;
/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MOST_LAYERS = 5;

type IsKnown = (value: unknown) => boolean;

/** Lists the mistakes in a function's props: `[field, mistake]`. */
export function functionMistakes(given: JudgedFunction, isKnown: IsKnown): Mistake[] {
  const code = functionCodeMistakes(given.folder, given.packages);
  return [
    ...ifKnown("name", given.name, isKnown, (name) => nameMistake(name, given.isRoleBrought)),
    ...code,
    ...(code.some(([field]) => field === "folder") ? [] : handlerMistakes(given, isKnown)),
    ...ifKnown("artifacts.prefix", given.artifacts.prefix, isKnown, prefixMistake),
    ...ifKnown("runtime", given.runtime, isKnown, runtimeMistake),
    ...ifKnown("architecture", given.architecture, isKnown, architectureMistake),
    ...layerMistakes(given),
    ...(code.length > 0 ? [] : sizeMistakes(given)),
    ...numberMistakes(given, isKnown),
    ...environmentMistakes(given.environment, isKnown),
    ...callMistakes(given, isKnown),
    ...networkMistakes(given),
    ...ifKnown("logRetentionDays", given.logRetentionDays, isKnown, logRetentionMistake),
  ];
}

function ifKnown<T>(
  field: string,
  value: T | undefined,
  isKnown: IsKnown,
  judge: (value: T) => string | undefined,
): Mistake[] {
  const mistake = value === undefined || !isKnown(value) ? undefined : judge(value);
  return mistake === undefined ? [] : [[field, mistake]];
}

function nameMistake(name: string, isRoleBrought: boolean): string | undefined {
  const longest = isRoleBrought ? LONGEST_NAME : LONGEST_NAME_WITH_ROLE;
  if (/^[A-Za-z0-9_-]+$/.test(name) && name.length <= longest) return undefined;
  const why = isRoleBrought ? "" : ` (its role is named '<name>${ROLE_SUFFIX}')`;
  return `must be 1 to ${longest} letters, digits, hyphens or underscores${why}, got ${JSON.stringify(name)} with ${name.length}`;
}

function handlerMistakes({ handler, folder }: JudgedFunction, isKnown: IsKnown): Mistake[] {
  return ifKnown("handler", handler, isKnown, () => {
    const [, file, name] = /^([A-Za-z_]\w*)\.([A-Za-z_]\w*)$/.exec(handler) ?? [];
    if (file === undefined)
      return `must be <file>.<function>, such as count_objects.handler, got ${JSON.stringify(handler)}`;
    const path = join(folder, `${file}.py`);
    if (!existsSync(path))
      return `must name a file of 'folder', got ${JSON.stringify(handler)}, but there is no ${file}.py`;
    return defines(readFileSync(path, "utf8"), name!)
      ? undefined
      : `must name a function, got ${JSON.stringify(handler)}, but ${file}.py defines and imports no ${name!}`;
  });
}

/** Tells whether a name is defined or imported at the top of a file. */
function defines(source: string, name: string): boolean {
  const imported = String.raw`import[ \t]+(?:\*|\([^)]*\b${name}\b|[^(\n]*\b${name}\b)`;
  return new RegExp(
    String.raw`^(?:def[ \t]+${name}\b|${name}[ \t]*[:=]|from[ \t]+\S+[ \t]+${imported})`,
    "m",
  ).test(source);
}

function layerMistakes({ layers, runtime, architecture }: JudgedFunction): Mistake[] {
  const mistakes = layers.flatMap(({ runtimes, architectures }, index): Mistake[] =>
    runtimes.includes(runtime) && architectures.includes(architecture)
      ? []
      : [
          [
            `layers[${index}]`,
            `must be built for ${runtime} on ${architecture} like the function, got ${runtimes.join(", ")} on ` +
              `${architectures.join(", ")}; build it with --runtime ${runtime} --architecture ${architecture}`,
          ],
        ],
  );
  if (layers.length > MOST_LAYERS)
    mistakes.push([
      "layers",
      `must be at most ${MOST_LAYERS}, got ${layers.length}; build one layer of several`,
    ]);
  return mistakes;
}

/** Counts the sizes that Lambda counts: the files of the code and of all layers. */
function sizeMistakes({ folder, packages, layers }: JudgedFunction): Mistake[] {
  const code = unzippedBytesOf(folder, packages);
  const sizes = layers.map(({ unzippedBytes }) => unzippedBytes);
  const total = [code, ...sizes].reduce((sum, bytes) => sum + bytes, 0);
  if (total < MOST_UNZIPPED_BYTES) return [];
  const ofLayers = sizes.map((bytes, index) => `, 'layers[${index}]' ${megabytes(bytes)}`).join("");
  return [
    [
      "folder",
      `must have, together with 'packages' and 'layers', less than ${megabytes(MOST_UNZIPPED_BYTES)} unzipped, got ` +
        `${megabytes(total)}: the code ${megabytes(code)}${ofLayers}; leave packages out, or use a Glue job`,
    ],
  ];
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
function numberMistakes(given: JudgedFunction, isKnown: IsKnown): Mistake[] {
  const between = (field: keyof JudgedFunction, least: number, most: number, why = ""): Mistake[] =>
    whole(field, given[field] as number | undefined, isKnown, least, most, why);
  return [
    ...between("memoryMegabytes", 128, 10_240),
    ...between("timeoutSeconds", 1, 900, "; a longer task needs a Glue job"),
    ...between("temporaryStorageMegabytes", 512, 10_240),
    ...between(
      "reservedConcurrency",
      1,
      Infinity,
      " (0 would turn the function off); leave it out for no bound",
    ),
  ];
}

function whole(
  field: string,
  value: number | undefined,
  isKnown: IsKnown,
  least: number,
  most: number,
  why = "",
): Mistake[] {
  const range = most === Infinity ? `at least ${least}` : `from ${least} to ${most}`;
  return ifKnown(field, value, isKnown, (number) =>
    Number.isInteger(number) && number >= least && number <= most
      ? undefined
      : `must be a whole number ${range}, got ${number}${why}`,
  );
}

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
function callMistakes({ asynchronous, alarms }: JudgedFunction, isKnown: IsKnown): Mistake[] {
  const ofAlarms = ifKnown("alarms.runbookUrl", alarms?.runbookUrl, isKnown, runbookUrlMistake);
  if (asynchronous === undefined) return ofAlarms;
  return [
    ...whole("asynchronous.retries", asynchronous.retries, isKnown, 0, 2),
    ...whole("asynchronous.maximumAgeSeconds", asynchronous.maximumAgeSeconds, isKnown, 60, 21_600),
    ...(alarms === undefined
      ? [
          [
            "alarms",
            "must be given with 'asynchronous': nobody waits for these calls, so only an alarm reports that one failed",
          ] as const,
        ]
      : ofAlarms),
  ];
}

function networkMistakes({ vpc }: JudgedFunction): Mistake[] {
  if (vpc === undefined) return [];
  return (["subnetIds", "securityGroupIds"] as const).flatMap((field): Mistake[] =>
    vpc[field].length > 0 ? [] : [[`vpc.${field}`, "must not be empty"]],
  );
}
