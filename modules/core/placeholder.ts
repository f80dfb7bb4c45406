/** Text that somebody meant to replace: `<bucket>`, `${Bucket}`, `YOUR_BUCKET`, `CHANGE_ME`, `TODO`. */
const PLACEHOLDER = /<[^>]*>|\$\{[^}]*\}|\bYOUR[-_ ]|\bCHANGE[-_ ]?ME\b|\bTODO\b|\bREPLACE[-_ ]/i;

/** What is wrong with text that still holds a placeholder, in words that follow its name. */
export function placeholderMistake(value: string): string | undefined {
  return PLACEHOLDER.test(value)
    ? `still holds a placeholder, got ${JSON.stringify(value)}; fill it in`
    : undefined;
}
