import { execa } from "execa";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { ceilingLine } from "./ceilings";
import { interrupted } from "./interrupts";
import { fit } from "./lines";
import { ROOT, SYNTHESISED } from "./places";
import { samplePlace, sampleSubscribers } from "./sample-place";
import { UserError } from "./user-error";
import { notesIn, warningsIn, warningText } from "./warnings";

/** `npm run synth`: runs the app as `cdktf synth` does, type-checked, with a sample account and region if none is set. */

interface Options {
  readonly outdir?: string;
  readonly typeCheck?: boolean;
  readonly app?: string;
  /** The folder with the app and its node modules. @default this clone */
  readonly root?: string;
  /** @default written to standard error */
  readonly warn?: (warning: string) => void;
  /** @default written to standard error */
  readonly note?: (line: string) => void;
}

const toStderr = (warning: string): void => console.error(warningText(warning));

/**
 * Synthesises into `outdir`, which is emptied first.
 *
 * @throws UserError with the app's own message
 */
export async function synthesise(
  variables: Readonly<Record<string, string>>,
  {
    outdir = SYNTHESISED,
    typeCheck = true,
    app = "main.ts",
    root = ROOT,
    warn = toStderr,
    note = console.error,
  }: Options = {},
): Promise<string[]> {
  rmSync(outdir, { recursive: true, force: true });
  const bin = join(root, "node_modules", "ts-node", "dist", "bin.js");
  const args = [
    bin,
    ...(typeCheck ? [] : ["--swc"]),
    "--project",
    join(root, "tsconfig.json"),
    join(root, app),
  ];
  const { exitCode, stderr, stdout } = await execa(process.execPath, args, {
    cwd: root,
    env: { CDKTF_OUTDIR: outdir, ...variables },
    reject: false,
    cancelSignal: interrupted,
  });
  interrupted.throwIfAborted();
  if (exitCode !== 0) throw new UserError(stderr.trim() || stdout.trim());
  for (const warning of warningsIn(outdir)) warn(warning);
  for (const line of notesIn(outdir)) note(line);
  return readdirSync(join(outdir, "stacks")).map((stack) => join(outdir, "stacks", stack));
}

async function main(): Promise<void> {
  fit(process.stdout);
  fit(process.stderr);
  const started = Date.now();
  const place = samplePlace(process.env);
  if (Object.keys(place).length > 0) {
    const filled = Object.entries(place).map(([name, value]) => `${name}=${value}`);
    console.log(`sample account and region, for reading only, not for deploying:\n  ${filled.join("\n  ")}`);
  }
  // Stacks for a real account may be deployed as they are, so they get no sample subscribers.
  const subscribers = place.ETL_ACCOUNT_ID === undefined ? {} : sampleSubscribers(process.env);
  if (Object.keys(subscribers).length > 0) {
    console.log("sample subscribers, for reading only, not for deploying:");
    for (const [name, value] of Object.entries(subscribers)) console.log(`  ${name}=${value}`);
  }
  const stacks = await synthesise({ ...place, ...subscribers });
  for (const stack of stacks.filter((folder) => existsSync(join(folder, "cdk.tf.json")))) {
    console.log(`wrote ${relative(ROOT, stack)}/cdk.tf.json`);
    const ceiling = ceilingLine(stack);
    if (ceiling !== undefined) console.log(ceiling);
  }
  console.log(`${stacks.length} stacks in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof UserError ? error.message : error);
    process.exitCode = 1;
  });
}
