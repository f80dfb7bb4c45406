import { UserError } from "./user-error";

/** Aborted when the user or the parent process wants the command to end. */
const controller = new AbortController();

/** Ends children, and waits. */
export const interrupted: AbortSignal = controller.signal;

const stop = (why: string) => () => controller.abort(new UserError(why));
const onInterrupt = stop("interrupted");

/** Turns signals, and the end of the parent process, into an abort. Commands then close what they opened. */
export function listenForInterrupts(): void {
  process.once("SIGINT", onInterrupt);
  process.once("SIGTERM", stop("terminated"));
  process.once("SIGHUP", stop("the terminal was closed"));
  if (process.connected) {
    process.once("disconnect", stop("the parent process has ended"));
    process.channel?.unref();
  }
}

/** Runs `body`, which is interactive: Ctrl-C is the affair of the program that it runs, as in a shell. */
export async function leavingCtrlC<T>(body: () => Promise<T>): Promise<T> {
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  process.off("SIGINT", onInterrupt);
  try {
    return await body();
  } finally {
    process.once("SIGINT", onInterrupt);
    process.off("SIGINT", ignore);
  }
}

/** Waits, or throws when interrupted. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    interrupted.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(interrupted.reason as Error);
    };
    const timer = setTimeout(() => {
      interrupted.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    interrupted.addEventListener("abort", abort, { once: true });
  });
}
