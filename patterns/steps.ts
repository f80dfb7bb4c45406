import type { Step } from "../modules/etl-orchestrator/step";

/**
 * The steps of a flow in their order. Each verb gives a new list; a step is named as its state is.
 *
 * @throws Error of a verb that names a step that the list does not have, with those that it has
 */
export class Steps {
  constructor(
    /** The list as it is. */
    readonly all: readonly Step[],
  ) {}

  /** Puts steps in front of the named one. */
  insertBefore(name: string, ...added: readonly Step[]): Steps {
    const at = this.indexOf("insertBefore", name);
    return this.spliced(at, 0, added);
  }

  /** Puts steps behind the named one. */
  insertAfter(name: string, ...added: readonly Step[]): Steps {
    const at = this.indexOf("insertAfter", name);
    return this.spliced(at + 1, 0, added);
  }

  /** Puts steps in the place of the named one. */
  replace(name: string, ...by: readonly Step[]): Steps {
    const at = this.indexOf("replace", name);
    return this.spliced(at, 1, by);
  }

  /** Leaves the named steps out. */
  without(...names: readonly string[]): Steps {
    const left = new Set(names.map((name) => this.indexOf("without", name)));
    return new Steps(this.all.filter((_, index) => !left.has(index)));
  }

  private spliced(at: number, left: number, added: readonly Step[]): Steps {
    return new Steps([...this.all.slice(0, at), ...added, ...this.all.slice(at + left)]);
  }

  private indexOf(verb: string, name: string): number {
    const at = this.all.findIndex((step) => step.name === name);
    if (at >= 0) return at;
    const names = this.all.map((step) => step.name).join(", ");
    throw new Error(`Steps.${verb}: unknown step '${name}'; the steps are ${names}`);
  }
}
