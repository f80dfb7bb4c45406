/**
 * Errors after which Terraform's state may lack a resource that exists: the provider died, a second interrupt ended Terraform, or
 * the resource exists already because an earlier apply did not record it.
 */
const ASTRAY =
  /Plugin did not respond|plugin process exited|Two interrupts received|Failed to (?:save|persist) state|already ?exists?|AlreadyOwned/i;
/** An interrupted apply left a guarded resource tainted: it can be neither used nor replaced. */
const STUCK = /Instance cannot be destroyed/;

/** @param continued the apply continues one that did not complete */
export function isAstray(output: string, continued: boolean): boolean {
  return ASTRAY.test(output) || (continued && STUCK.test(output));
}
