import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import pc from "picocolors";
import { ROOT, SETUP } from "../local/places";
import { lockMistakes, type Provider } from "./provider-lock";
import { samplePlace, sampleSubscribers } from "../local/sample-place";
import { synthesise } from "../local/synth";

/**
 * `npm run current`: checks that lock files, formatting and generated files are current, and prints how to update those that are not.
 * Changes nothing and needs no AWS. Exit code 1 when a file is stale.
 */

interface Check {
  readonly name: string;
  readonly remedy: string;
  /** The tool's own message about stale files; empty when all are current. */
  readonly find: () => Promise<string>;
}

const RUFF = join(SETUP, "venv", "bin", "ruff");
const DOCS = ["-r", "ts-node/register/transpile-only", join("tools", "docs.ts")];
const PROVIDER_LOCK = join("ci", "terraform.lock.hcl");

const CHECKS: readonly Check[] = [
  {
    name: "package-lock.json",
    remedy: "npm install",
    find: () => complaint("npm", "ci", "--dry-run", "--ignore-scripts", "--no-audit", "--no-fund"),
  },
  { name: PROVIDER_LOCK, remedy: "see the comment at its top", find: providerLock },
  { name: "format", remedy: "npm run format", find: () => complaint("npx", "prettier", "--check", ".") },
  {
    name: "format of Python",
    remedy: "npm run format",
    find: () => complaint(RUFF, "format", "--check", "."),
  },
  {
    name: "addresses and names of the constructs",
    remedy: "do what the message says, then npm run addresses",
    find: () => complaint("npx", "jest", "--selectProjects=unit", "--", "addresses"),
  },
  {
    name: "the record of the public surface, and its changelog entries",
    remedy: "see docs/api/README.md",
    find: () => complaint(process.execPath, ...DOCS, "--check"),
  },
];

async function complaint(command: string, ...args: string[]): Promise<string> {
  const { exitCode, all } = await execa(command, args, {
    cwd: ROOT,
    all: true,
    reject: false,
    stdin: "ignore",
  });
  return exitCode === 0 ? "" : all.trim() || `${command} ended with ${exitCode}`;
}

/** The lock must have exactly the providers and versions that the stacks need. */
async function providerLock(): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), "etl-current-"));
  try {
    const variables = { ...samplePlace(process.env), ...sampleSubscribers(process.env) };
    const stacks = await synthesise(variables, { outdir, typeCheck: false });
    return lockMistakes(readFileSync(join(ROOT, PROVIDER_LOCK), "utf8"), stacks.flatMap(providersOf)).join(
      "\n",
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function providersOf(stack: string): Provider[] {
  const file = readdirSync(stack).find((name) => name === "cdk.tf.json");
  if (file === undefined) return [];
  const { terraform } = JSON.parse(readFileSync(join(stack, file), "utf8")) as {
    terraform: { required_providers: Record<string, Provider> };
  };
  return Object.values(terraform.required_providers);
}

async function main(): Promise<void> {
  let stale = 0;
  for (const { name, remedy, find } of CHECKS) {
    const found = await find();
    console.log(`${found === "" ? pc.green("current") : pc.red("stale  ")}  ${name}`);
    if (found === "") continue;
    stale++;
    console.log(`${found.replaceAll(/^/gm, "    ")}\n    remedy: ${remedy}`);
  }
  process.exitCode = stale === 0 ? 0 : 1;
}

void main();
