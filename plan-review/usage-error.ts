/** A mistake of the caller: a file that is missing, is not a plan, or has an unsupported format. */
export class UsageError extends Error {}
