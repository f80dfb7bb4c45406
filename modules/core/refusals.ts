/** A field and what is wrong with it, in words that follow its name. */
export type Mistake = readonly [field: string, mistake: string];

/** A mistake as it is told; "" is no field, but the whole. */
export function mistakeText([field, mistake]: Mistake): string {
  return field === "" ? mistake : `'${field}' ${mistake}`;
}

/** A construct's path as messages show it. `Default` is an id that no address holds, so nobody looks for it. */
export function shownPath(path: string): string {
  return path.replaceAll(/\/Default(?=\/|$)/g, "");
}

/**
 * Collects every mistake in a construct's props and throws once, before anything is created:
 * `GlueSparkJob 'etl-dev/Events/Transform': 'workers' must be at least 2, got 1; 'name' must not be empty`.
 */
export class Refusals {
  private readonly path: string;
  private readonly mistakes: string[] = [];
  private readonly unfilled = new Set<string>();

  /**
   * @param what the construct's class
   * @param path where it stands in the tree
   */
  constructor(
    private readonly what: string,
    path: string,
  ) {
    this.path = shownPath(path);
  }

  /** Notes a mistake unless `ok`; the message follows the quoted field. */
  check(ok: boolean, field: string, message: string): void {
    if (!ok && !this.unfilled.has(field)) this.mistakes.push(mistakeText([field, message]));
  }

  /** Notes the mistake when there is one. */
  note(field: string, mistake: string | undefined): void {
    if (mistake !== undefined) this.check(false, field, mistake);
  }

  /** Notes all of them. */
  noteAll(mistakes: readonly Mistake[]): void {
    for (const [field, mistake] of mistakes) this.note(field, mistake);
  }

  /** Notes placeholders; nothing else is said of a field that holds one. */
  noteUnfilled(mistakes: readonly Mistake[]): void {
    this.noteAll(mistakes);
    for (const [field] of mistakes) this.unfilled.add(field);
  }

  /** @throws Error with everything that was noted */
  throwIfAny(): void {
    if (this.mistakes.length > 0) throw new Error(`${this.what} '${this.path}': ${this.mistakes.join("; ")}`);
  }
}
