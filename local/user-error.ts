/** Something the user can mend: one sentence and the remedy, shown without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
