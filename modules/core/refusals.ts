/**
 * Collects every mistake in a construct's props and throws once, before anything is created:
 * `GlueSparkJob 'etl-dev/Events/Transform': 'workers' must be at least 2, got 1; 'name' must not be empty`.
 */
export class Refusals {
  private readonly mistakes: string[] = [];

  /**
   * @param what the construct's class
   * @param path where it stands in the tree
   */
  constructor(
    private readonly what: string,
    private readonly path: string,
  ) {}

  /** Notes a mistake unless `ok`; the message follows the quoted field. */
  check(ok: boolean, field: string, message: string): void {
    if (!ok) this.mistakes.push(`'${field}' ${message}`);
  }

  /** Notes the mistake when there is one. */
  note(field: string, mistake: string | undefined): void {
    if (mistake !== undefined) this.check(false, field, mistake);
  }

  /** @throws Error with everything that was noted */
  throwIfAny(): void {
    if (this.mistakes.length > 0) throw new Error(`${this.what} '${this.path}': ${this.mistakes.join("; ")}`);
  }
}
