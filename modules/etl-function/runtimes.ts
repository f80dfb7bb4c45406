/**
 * The runtimes and architectures of functions.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (dates of 2026-11)
 */

/** A runtime that AWS supports and that version 5.100 of the Terraform provider knows. AWS supports `python3.11` until 2027-06-30. */
export type FunctionRuntime = "python3.11" | "python3.12" | "python3.13";

const RUNTIMES: readonly string[] = ["python3.11", "python3.12", "python3.13"] satisfies FunctionRuntime[];

/** The runtime that the library is tested on. */
export const DEFAULT_RUNTIME: FunctionRuntime = "python3.11";

/** The processor of a function. */
export type FunctionArchitecture = "x86_64" | "arm64";

export const DEFAULT_ARCHITECTURE: FunctionArchitecture = "x86_64";

const ARCHITECTURES: readonly string[] = ["x86_64", "arm64"] satisfies FunctionArchitecture[];

/** The dates on which AWS deprecated runtimes of Python. */
const DEPRECATED: Readonly<Record<string, string>> = {
  "python2.7": "2021-07-15",
  "python3.6": "2022-07-18",
  "python3.7": "2023-12-04",
  "python3.8": "2024-10-14",
  "python3.9": "2025-12-15",
  "python3.10": "2026-10-31",
};

/** Runtimes of AWS that the provider refuses. */
const UNKNOWN_TO_PROVIDER = ["python3.14"];

/** The mistake in a runtime, as words that follow its field. */
export function runtimeMistake(runtime: string): string | undefined {
  if (RUNTIMES.includes(runtime)) return undefined;
  const mistake = `must be one of ${RUNTIMES.join(", ")}, got ${JSON.stringify(runtime)}`;
  const since = DEPRECATED[runtime];
  if (since !== undefined)
    return `${mistake}, which AWS deprecated on ${since}: it gets no security patches, and AWS refuses it for new functions sooner or later`;
  return UNKNOWN_TO_PROVIDER.includes(runtime)
    ? `${mistake}, which version 5.100 of the Terraform provider does not know`
    : mistake;
}

/** The mistake in an architecture, as words that follow its field. */
export const architectureMistake = (architecture: string): string | undefined =>
  ARCHITECTURES.includes(architecture)
    ? undefined
    : `must be one of ${ARCHITECTURES.join(", ")}, got ${JSON.stringify(architecture)}`;

/**
 * The most bytes that a function and its layers may have after extraction: 250 MB.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const MOST_UNZIPPED_BYTES = 250 * 1024 * 1024;

/** A size in MB, as the limits are counted. */
export const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
