import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { lookup } from "node:dns/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "./user-error";

/**
 * The source of Terraform's provider: the user's own settings, else the network, else a provider mirror that was unpacked into a
 * folder for shared software.
 */
export interface ProviderSource {
  /** Variables for Terraform; `undefined` removes one. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** A line for the user about the choice. */
  readonly note?: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

const REGISTRY = "registry.terraform.io";
/** Terraform's implicit mirrors on Unix, below the home folder and of the system. */
const IMPLICIT = [".terraform.d/plugins", ".local/share/terraform/plugins"];
const IMPLICIT_SHARED = ["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"];
const SHARED_SOFTWARE = ["/opt", "/usr/local", "/usr/share", "/srv", "/var/lib"];

/** @param settingsFolder where a settings file may be written */
export async function providerSource(settingsFolder: string, variables: Variables): Promise<ProviderSource> {
  const named = variables.TF_CLI_CONFIG_FILE;
  if (named !== undefined && existsSync(named)) return { variables: {} };
  const dropped = named === undefined ? {} : { TF_CLI_CONFIG_FILE: undefined };
  const note = named === undefined ? undefined : `ignoring TF_CLI_CONFIG_FILE: ${named} does not exist`;
  if (isConfigured(variables) || (await isReachable(REGISTRY))) return { variables: dropped, note };
  const mirror = findMirror();
  if (mirror === undefined) {
    throw new UserError(
      `the Terraform registry cannot be reached, and no provider mirror was found: check the network, or set a mirror in ` +
        "~/.terraformrc (provider_installation)",
    );
  }
  return {
    variables: { TF_CLI_CONFIG_FILE: writeSettings(settingsFolder, mirror) },
    note: `the Terraform registry cannot be reached: using the provider mirror in ${mirror}`,
  };
}

function isConfigured(variables: Variables): boolean {
  const home = variables.HOME ?? homedir();
  const places = [
    join(home, ".terraformrc"),
    ...IMPLICIT.map((place) => join(home, place)),
    ...IMPLICIT_SHARED,
  ];
  return places.some((place) => existsSync(place));
}

async function isReachable(host: string): Promise<boolean> {
  try {
    await lookup(host);
    return true;
  } catch {
    return false;
  }
}

/** Looks for a folder with `registry.terraform.io/` in the folders for shared software and one level below. */
function findMirror(): string | undefined {
  const candidates = SHARED_SOFTWARE.flatMap((top) => [top, ...foldersIn(top)]);
  return candidates.find((folder) => existsSync(join(folder, REGISTRY)));
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

function writeSettings(folder: string, mirror: string): string {
  const file = join(folder, "terraform.tfrc");
  mkdirSync(folder, { recursive: true });
  const settings = [
    "provider_installation {",
    "  filesystem_mirror {",
    `    path    = ${JSON.stringify(mirror)}`,
    `    include = ["${REGISTRY}/*/*"]`,
    "  }",
    `  direct { exclude = ["${REGISTRY}/*/*"] }`,
    "}",
    "disable_checkpoint = true",
    "",
  ];
  writeFileSync(file, settings.join("\n"));
  return file;
}
