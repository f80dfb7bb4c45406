/**
 * After these Terraform's state may lack what exists: its provider died, a second interrupt ended it, or it was refused for a
 * resource that an earlier apply made and did not record.
 */
const ASTRAY =
  /Plugin did not respond|plugin process exited|Two interrupts received|Failed to (?:save|persist) state|already ?exists?|AlreadyOwned/i;
/** A guarded resource that an interrupted apply left tainted can be neither used nor replaced. */
const STUCK = /Instance cannot be destroyed/;

/** @param continued whether the apply continues one that did not complete */
export function isAstray(output: string, continued: boolean): boolean {
  return ASTRAY.test(output) || (continued && STUCK.test(output));
}
