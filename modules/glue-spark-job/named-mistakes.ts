/** Makes a function that lists the mistakes in named values: `[name, mistake]`. Values that are not known at synth are not checked. */
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
