/** Judges named values: `[name, mistake]` of each that is wrong. A value that Terraform alone knows is left alone. */
export const mistakesBy =
  (
    nameMistake: (name: string) => string | undefined,
    valueMistake: (name: string, value: string) => string | undefined,
  ) =>
  (
    given: Readonly<Record<string, string>>,
    isKnown: (value: string) => boolean,
  ): (readonly [name: string, mistake: string])[] =>
    Object.entries(given).flatMap(([name, value]) => {
      const mistake = nameMistake(name) ?? (isKnown(value) ? valueMistake(name, value) : undefined);
      return mistake === undefined ? [] : [[name, mistake] as const];
    });
