import { UserError } from "./user-error";

/** Aborted when the user or the parent process wants the command to end. */
const controller = new AbortController();

/** Ends children, and waits. */
export const interrupted: AbortSignal = controller.signal;

/** Turns signals, and the end of the parent process, into an abort. Commands then close what they opened. */
export function listenForInterrupts(): void {
  const stop = (why: string) => () => controller.abort(new UserError(why));
  process.once("SIGINT", stop("interrupted"));
  process.once("SIGTERM", stop("terminated"));
  process.once("SIGHUP", stop("the terminal was closed"));
  if (process.connected) {
    process.once("disconnect", stop("the parent process has ended"));
    process.channel?.unref();
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
