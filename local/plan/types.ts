import { cpSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { interrupted } from "../interrupts";
import { LOCAL, ROOT } from "../places";
import { UserError } from "../user-error";

/** The compiler's record of the last check of any base: it makes the next check three times as quick. */
const LAST = join(LOCAL, "plan", "types.tsbuildinfo");
const RECORD = "types.tsbuildinfo";
/** Lines of the compiler that are shown. */
const SHOWN = 20;

/**
 * Checks the types of the app and of what it imports, as `npm run synth` does.
 *
 * @param folder for the compiler's settings and record, used by no other check
 * @throws UserError with the compiler's messages
 */
export async function checkTypes(folder: string, stop: AbortSignal): Promise<void> {
  const project = join(folder, "types", "tsconfig.json");
  mkdirSync(dirname(project), { recursive: true });
  const settings = {
    extends: join(ROOT, "tsconfig.json"),
    include: [],
    files: [join(ROOT, "main.ts")],
    compilerOptions: {
      noEmit: true,
      incremental: true,
      tsBuildInfoFile: `./${RECORD}`,
      types: ["node"],
      typeRoots: [join(ROOT, "node_modules", "@types")],
    },
  };
  writeFileSync(project, JSON.stringify(settings));
  const record = join(dirname(project), RECORD);
  if (existsSync(LAST)) cpSync(LAST, record);
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { exitCode, stdout } = await execa(process.execPath, [compiler, "--project", project], {
    cwd: ROOT,
    reject: false,
    stdin: "ignore",
    cancelSignal: AbortSignal.any([interrupted, stop]),
  });
  interrupted.throwIfAborted();
  if (stop.aborted) return;
  if (exitCode === 0) return keep(record);
  const lines = stdout.trim().split("\n");
  const more = lines.length > SHOWN ? [`… and ${lines.length - SHOWN} lines more: type npm run lint`] : [];
  throw new UserError(["the working tree does not type-check", ...lines.slice(0, SHOWN), ...more].join("\n"));
}

/** Renamed, so that another check never reads half of it. */
function keep(record: string): void {
  const half = `${LAST}.${process.pid}`;
  cpSync(record, half);
  renameSync(half, LAST);
}
