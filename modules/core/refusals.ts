/** A field and its mistake, as words that follow the field: `["workers", "must be at least 2, got 1"]`. */
export type Mistake = readonly [field: string, mistake: string];

/** Writes a mistake as `'<field>' <mistake>`; the field "" stands for the whole, and is left out. */
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
   * @param path the construct's path
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

  /** Notes a mistake, unless it is `undefined`. */
  note(field: string, mistake: string | undefined): void {
    if (mistake !== undefined) this.check(false, field, mistake);
  }

  /** Notes all mistakes. */
  noteAll(mistakes: readonly Mistake[]): void {
    for (const [field, mistake] of mistakes) this.note(field, mistake);
  }

  /** Notes placeholders; further mistakes of the same fields are then dropped. */
  noteUnfilled(mistakes: readonly Mistake[]): void {
    this.noteAll(mistakes);
    for (const [field] of mistakes) this.unfilled.add(field);
  }

  /** @throws Error with everything that was noted */
  throwIfAny(): void {
    if (this.mistakes.length > 0) throw new Error(`${this.what} '${this.path}': ${this.mistakes.join("; ")}`);
  }
}
