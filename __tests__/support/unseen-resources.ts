import { type EnvironmentSettings } from "../../environments/settings";
import { type Block, type StackJson } from "./environment-stacks";
import { type ModuleJson } from "./validated-modules";

const REFERENCE = /\b(aws_[a-z0-9_]+)\.([A-Za-z][\w-]*)(?:\.\w+|\[[^\]]*\])*/g;

/**
 * Gives, stack after stack, the resources that no stack before had: those of two environments differ mostly in the letters of their
 * names, and Terraform would judge tens of thousands to say the same of each. A name of another length is another resource.
 */
export class UnseenResources {
  private readonly seen = new Set<string>();

  /**
   * A module with the resources that are new. What they refer to is unknown in it, as it is before the first apply; outputs and
   * dependencies are left out.
   *
   * @throws Error naming a reference to a resource that the stack does not have
   */
  of(stack: StackJson, settings: EnvironmentSettings): ModuleJson {
    const resource: Record<string, Record<string, Block>> = {};
    for (const [type, bodies] of Object.entries(stack.resource)) {
      for (const [id, body] of Object.entries(bodies)) {
        refuseUnknown(JSON.stringify(body), stack);
        const key = `${type} ${id} ${withoutLetters(JSON.stringify(body), settings)}`;
        if (this.seen.has(key)) continue;
        this.seen.add(key);
        (resource[type] ??= {})[id] = withUnknowns({ ...body, depends_on: undefined });
      }
    }
    const { terraform, provider } = stack;
    // Terraform takes no kind of block without a block.
    const some = Object.keys(resource).length > 0 ? { resource } : {};
    return { terraform, provider, variable: { unknown: {} }, ...some };
  }
}

function refuseUnknown(body: string, { resource }: StackJson): void {
  for (const [reference, type, id] of body.matchAll(REFERENCE)) {
    if (resource[type!]?.[id!] === undefined)
      throw new Error(`${reference} is referred to, and the stack has no such resource`);
  }
}

/** The name of the environment, its account and its region as so many signs that say nothing. */
function withoutLetters(
  body: string,
  { project, environment, accountId, region }: EnvironmentSettings,
): string {
  const name = `${project}-${environment}`;
  return [name, name.replaceAll("-", "_"), accountId, region].reduce(
    (text, one, at) => text.replaceAll(one, String(at).repeat(one.length)),
    body,
  );
}

function withUnknowns(value: Block): Block {
  const text = JSON.stringify(value).replaceAll(/\$\{[^}]*\}/g, (expression) =>
    expression.replaceAll(REFERENCE, "var.unknown"),
  );
  return JSON.parse(text) as Block;
}
