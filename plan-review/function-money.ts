import { type Change, UNKNOWN } from "./change";
import { type When } from "./money-line";
import prices from "./prices.json";
import { numberOf } from "./shape-words";
import { type StartGraph, type Starts } from "./starts";

/** The most that an invocation of a function costs. */
export interface FunctionMoment extends Starts {
  /** Memory and time-out, e.g. `512 MB × 60 s × 3`. */
  readonly shape: string;
  /** The most dollars of an invocation and of its repetitions. */
  readonly each: number;
}

/** Without settings of its own, https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
const DEFAULTS = { megabytes: 128, seconds: 3 };

/** Lambda tries an asynchronous invocation three times, https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const ATTEMPTS = 3;

export function functionMoment(
  change: Change,
  starts: StartGraph,
  when: When,
): FunctionMoment | undefined | typeof UNKNOWN {
  const values = change[when];
  if (values === undefined) return undefined;
  if (values.memory_size === UNKNOWN || values.timeout === UNKNOWN) return UNKNOWN;
  const megabytes = numberOf(values.memory_size) ?? DEFAULTS.megabytes;
  const seconds = numberOf(values.timeout) ?? DEFAULTS.seconds;
  const isArm = JSON.stringify(values.architectures ?? []).includes("arm64");
  const rate = isArm ? prices.lambdaGbSecond.arm : prices.lambdaGbSecond.x86;
  return {
    ...starts.of(change),
    shape: `${megabytes} MB × ${seconds} s × ${ATTEMPTS}`,
    each: (megabytes / 1024) * seconds * rate * ATTEMPTS,
  };
}
