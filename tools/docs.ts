import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from "@microsoft/api-extractor";
import { Command } from "commander";
import { execa } from "execa";
import { LOCAL, ROOT } from "../local/places";
import { changeLines, surfaceChanges, surfaceOf, unlistedChanges } from "./public-surface";
import { UserError } from "../local/user-error";

/**
 * `npm run docs`: records the library's public surface and generates the reference pages. `--check` changes nothing: it verifies that
 * the record is current and that the changelog lists the changes since the last release.
 */

const WORK = join(LOCAL, "docs");
const API = join(ROOT, "docs", "api");
const REPORT = "cdktf-aws-etl.api.md";
const RELEASED = "released.api.md";

async function main({ check, release }: { check?: true; release?: true }): Promise<void> {
  const found = await extractReport();
  const recorded = join(API, REPORT);
  if (check) return judge(readIfThere(recorded), found);
  copyFileSync(join(WORK, REPORT), recorded);
  console.log(`wrote ${relative(ROOT, recorded)}`);
  if (release) copyFileSync(recorded, join(API, RELEASED));
  console.log("reference …");
  await run("typedoc");
  console.log(`wrote ${relative(ROOT, join(WORK, "reference", "index.html"))}`);
  const unlisted = unlistedChanges(changesSinceRelease(found), readChangelog());
  if (unlisted.length > 0) console.log(unlistedText(changeLines(unlisted)));
}

/** @throws UserError with the remedy */
function judge(recorded: string, found: string): void {
  const wrong: string[] = [];
  if (recorded !== found) {
    const changes = changeLines(surfaceChanges(surfaceOf(recorded), surfaceOf(found)));
    wrong.push(
      `the public surface differs from docs/api/${REPORT}:\n${changes || "  its comments or order"}\n` +
        "review each change as a user of the library; then run npm run docs, and commit the file",
    );
  }
  const unlisted = unlistedChanges(changesSinceRelease(found), readChangelog());
  if (unlisted.length > 0) wrong.push(unlistedText(changeLines(unlisted)));
  if (wrong.length > 0) throw new UserError(wrong.join("\n"));
}

const unlistedText = (lines: string): string =>
  `CHANGELOG.md lacks these changes of the public surface since the last release:\n${lines}\n` +
  "add an entry under Unreleased with these names as code: `Name`, and its members `member`";

const changesSinceRelease = (found: string) =>
  surfaceChanges(surfaceOf(readIfThere(join(API, RELEASED))), surfaceOf(found));

const readChangelog = (): string => readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
const readIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");

/** The surface of the present sources. */
async function extractReport(): Promise<string> {
  mkdirSync(WORK, { recursive: true });
  await run("tsc", "-p", "tsconfig.build.json", "--emitDeclarationOnly", "--outDir", join(WORK, "types"));
  const config = ExtractorConfig.loadFileAndPrepare(join(ROOT, "api-extractor.json"));
  const complaints: string[] = [];
  Extractor.invoke(config, {
    localBuild: false,
    messageCallback: (message: ExtractorMessage) => {
      message.handled = true;
      // A difference from the record is reported below.
      const isAboutRecord = message.messageId.startsWith("console-api-report");
      if (message.logLevel === ExtractorLogLevel.Error && !isAboutRecord) complaints.push(message.text);
    },
  });
  if (complaints.length > 0) throw new UserError(complaints.join("\n"));
  return readFileSync(join(WORK, REPORT), "utf8");
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { exitCode, all } = await execa("npx", ["--no-install", command, ...args], {
    cwd: ROOT,
    all: true,
    reject: false,
    stdin: "ignore",
  });
  if (exitCode !== 0) throw new UserError(all);
}

const command = new Command("npm run docs --")
  .description("Records the public surface, and generates the reference in .local/docs/reference.")
  .option("--check", "change nothing; exit code 1 when the record or the changelog is stale")
  .option("--release", "also record the surface as released; the changelog then starts again")
  .parse();

main(command.opts()).catch((error: unknown) => {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
});
