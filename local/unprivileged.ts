import { chownSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "./user-error";

/** The user as whom a program runs: `undefined` for ourselves. */
export interface RunsAs {
  readonly uid: number;
  readonly gid: number;
}

/** `nobody` on Linux and the BSDs. */
const NOBODY: RunsAs = { uid: 65_534, gid: 65_534 };

/** PostgreSQL refuses to run as root, so root starts it as `nobody`; every other user as oneself. */
export const unprivileged = (): RunsAs | undefined => (process.getuid?.() === 0 ? NOBODY : undefined);

/** Gives a file or folder to the user. */
export function giveTo(user: RunsAs | undefined, path: string): void {
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

/**
 * Checks that the user reaches a folder: it and every folder above it must let others through.
 *
 * @throws UserError naming the folder that does not
 */
export function requireReach(user: RunsAs | undefined, folder: string): void {
  if (user === undefined) return;
  for (let above = folder; ; above = dirname(above)) {
    const { mode, uid } = statSync(above);
    const isThrough = (mode & (uid === user.uid ? 0o100 : 0o001)) !== 0;
    if (!isThrough)
      throw new UserError(
        `PostgreSQL refuses to run as root, and the user 'nobody', as whom it is started instead, may not enter ${above}: ` +
          "run this command as an ordinary user, or move the clone to a folder that everybody may enter",
      );
    if (above === dirname(above)) return;
  }
}
