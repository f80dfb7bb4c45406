import { UserError } from "./user-error";

/** Aborted when the user, or whoever started us, wants the command to end. */
const controller = new AbortController();

/** For children that must end first, and for waits. */
export const interrupted: AbortSignal = controller.signal;

/** Turns the signals, and the end of the set-up that started us, into an abort; what was opened is then closed in turn. */
export function listenForInterrupts(): void {
  const stop = (why: string) => () => controller.abort(new UserError(why));
  process.once("SIGINT", stop("interrupted"));
  process.once("SIGTERM", stop("terminated"));
  process.once("SIGHUP", stop("the terminal is gone"));
  if (process.connected) {
    process.once("disconnect", stop("whoever started this is gone"));
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
