/** Compares Terraform's lock file with the providers that the stacks need. */

export interface Provider {
  /** As in Terraform's `required_providers`: `aws`, `hashicorp/aws`, or with a host. */
  readonly source: string;
  readonly version: string;
}

const HOST = "registry.terraform.io";
const NAMESPACE = "hashicorp";

/**
 * Every mistake in a lock file. It is read line by line, as Terraform writes it.
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
        `${address}: stacks need ${version}, the lock has ${locked.get(address) ?? "nothing"}`,
    );
  const extra = [...locked.keys()].filter((address) => !wanted.has(address));
  return [...wrong, ...extra.map((address) => `${address}: no stack needs it; remove it from the lock`)];
}

function addressOf(source: string): string {
  const parts = source.split("/");
  return [HOST, NAMESPACE]
    .slice(0, 3 - parts.length)
    .concat(parts)
    .join("/");
}
