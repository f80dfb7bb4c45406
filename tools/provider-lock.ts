/** Terraform's lock file against what the stacks ask for; pure. */

export interface Provider {
  /** As Terraform's `required_providers` has it: `aws`, `hashicorp/aws`, or with a host. */
  readonly source: string;
  readonly version: string;
}

const HOST = "registry.terraform.io";
const NAMESPACE = "hashicorp";

/**
 * What in a lock file is not current. The file is read by its lines, as Terraform writes them.
 *
 * @param lock the text of a `.terraform.lock.hcl`, https://developer.hashicorp.com/terraform/language/files/dependency-lock
 */
export function lockMistakes(lock: string, asked: readonly Provider[]): string[] {
  const locked = new Map<string, string>();
  for (const [, address, body] of lock.matchAll(/^provider "([^"]+)" \{$([^}]*)^\}$/gm))
    locked.set(address!, /^ {2}version\s*= "([^"]+)"$/m.exec(body!)?.[1] ?? "none");
  const wanted = new Map(asked.map(({ source, version }) => [addressOf(source), version]));
  const wrong = [...wanted]
    .filter(([address, version]) => locked.get(address) !== version)
    .map(
      ([address, version]) =>
        `${address}: ${version} is asked for, locked is ${locked.get(address) ?? "nothing"}`,
    );
  const extra = [...locked.keys()].filter((address) => !wanted.has(address));
  return [...wrong, ...extra.map((address) => `${address}: locked, and no stack asks for it`)];
}

function addressOf(source: string): string {
  const parts = source.split("/");
  return [HOST, NAMESPACE]
    .slice(0, 3 - parts.length)
    .concat(parts)
    .join("/");
}
