import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { Command } from "commander";
import { type Changes, changesOf, type Names, namesOf, type StackJson } from "./addresses";
import { matches } from "./accept-patterns";
import { changesText } from "./address-messages";
import { ENVIRONMENTS } from "../environments/registry";
import { wrap } from "../local/lines";
import { BENCH, ROOT } from "../local/places";
import { pipelinesVariable } from "../environments/given";
import { sampleSubscribers } from "../local/sample-place";
import { synthesise } from "../local/synth";
import { UserError } from "../local/user-error";

/** `npm run addresses`: records new and moved addresses. Those that are gone or renamed are recorded only when accepted. */

const ADDRESSES = join(ROOT, "__tests__", "environments", "addresses.json");

type Recorded = Readonly<Record<string, Names>>;

function readAddresses(): Recorded {
  return existsSync(ADDRESSES) ? (JSON.parse(readFileSync(ADDRESSES, "utf8")) as Recorded) : {};
}

/**
 * @param accepted patterns of addresses
 * @throws UserError when an address is gone, renamed, or moved without a moved block, and no pattern accepts it
 */
async function main(accepted: readonly string[]): Promise<void> {
  const recorded = readAddresses();
  const stacks = await synthesisedStacks();
  const names = Object.fromEntries(Object.entries(stacks).map(([name, json]) => [name, namesOf(json)]));
  const changes = Object.entries(stacks).map(
    ([name, { moved }]) => [name, changesOf(recorded[name] ?? {}, names[name]!, moved)] as const,
  );
  refuseUnused(
    accepted,
    changes.flatMap(([, found]) => refusable(found)),
  );
  const refused = changes.flatMap(
    ([name, found]) => changesText(name, without(accepted, found), recorded[name] ?? {}, names[name]!) ?? [],
  );
  if (refused.length > 0) throw new UserError(refused.join("\n"));
  writeFileSync(ADDRESSES, `${JSON.stringify(names, null, 2)}\n`);
  const total = Object.values(names).reduce((sum, stack) => sum + Object.keys(stack).length, 0);
  console.log(`wrote ${relative(ROOT, ADDRESSES)}: ${total} addresses of ${Object.keys(names).join(", ")}`);
}

/** The addresses of changes that must be accepted. */
function refusable({ moves, gone, renamed }: Changes): string[] {
  return [...moves.map(({ from }) => from), ...gone, ...renamed];
}

/** @throws UserError for patterns that accept nothing: they may be misspelt */
function refuseUnused(accepted: readonly string[], changed: readonly string[]): void {
  const unused = accepted.filter((pattern) => !changed.some((address) => matches(pattern, address)));
  if (unused.length === 0) return;
  const shown = unused.map((pattern) => `'${pattern}'`).join(", ");
  throw new UserError(
    wrap(
      `--accept: ${shown} matches no address that is gone, moved or renamed; without --accept, all are listed`,
    ),
  );
}

/** New addresses need no permission. */
function without(accepted: readonly string[], { moves, gone, renamed }: Changes): Changes {
  const open = (address: string) => !accepted.some((pattern) => matches(pattern, address));
  return {
    moves: moves.filter(({ from }) => open(from)),
    gone: gone.filter(open),
    renamed: renamed.filter(open),
    added: [],
  };
}

async function synthesisedStacks(): Promise<Record<string, StackJson>> {
  const outdir = mkdtempSync(join(tmpdir(), "etl-addresses-"));
  try {
    const people = sampleSubscribers(process.env);
    const place = {
      ...people,
      // The addresses are those of all pipelines, whatever the user's own variables narrow.
      ...Object.fromEntries(Object.keys(ENVIRONMENTS).map((name) => [pipelinesVariable(name), ""])),
      ETL_ENVIRONMENTS: "",
      ETL_ACCOUNT_ID: BENCH.accountId,
      ETL_REGION: BENCH.region,
    };
    const stacks = await synthesise(place, { outdir, typeCheck: false });
    return Object.fromEntries(
      stacks.map((folder) => [
        basename(folder),
        JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8")) as StackJson,
      ]),
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

if (require.main === module) {
  const collect = (value: string, list: string[]) => [...list, value];
  const command = new Command("npm run addresses --")
    .description("Records the addresses of all stacks in __tests__/environments/addresses.json.")
    .option(
      "--accept <pattern>",
      "addresses that may be gone or renamed, e.g. '*.Sales_*'; * is anything; may be repeated",
      collect,
      [],
    )
    .parse();
  main(command.opts<{ accept: string[] }>().accept).catch((error: unknown) => {
    console.error(error instanceof UserError ? error.message : error);
    process.exitCode = 1;
  });
}
