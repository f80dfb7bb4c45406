/**
 * Makes each in its turn, also after one could not be made: a user fixes all mistakes at once.
 *
 * @throws the error, where one could not be made; where several, an Error with their messages and themselves as `cause`
 */
export function makeAll<Name extends string, Made>(
  makers: Readonly<Record<Name, () => Made>>,
): Readonly<Record<Name, Made>> {
  const made: Partial<Record<Name, Made>> = {};
  const errors: unknown[] = [];
  for (const name of Object.keys(makers) as Name[]) {
    try {
      made[name] = makers[name]();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)));
    throw new Error(messages.join("\n"), { cause: errors });
  }
  return made as Record<Name, Made>;
}
