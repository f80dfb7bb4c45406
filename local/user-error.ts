/** A mistake that the user can fix: one sentence and the remedy, shown without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
