import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { interrupted } from "../interrupts";
import { ROOT } from "../places";
import { UserError } from "../user-error";

/** Lines of the compiler that are shown. */
const SHOWN = 20;

/**
 * Checks the types of the app and of what it imports, as `npm run synth` does. The compiler's own record lies in `folder`, and makes
 * the next check quicker.
 *
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
      tsBuildInfoFile: "./types.tsbuildinfo",
      types: ["node"],
      typeRoots: [join(ROOT, "node_modules", "@types")],
    },
  };
  writeFileSync(project, JSON.stringify(settings));
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { exitCode, stdout } = await execa(process.execPath, [compiler, "--project", project], {
    cwd: ROOT,
    reject: false,
    stdin: "ignore",
    cancelSignal: AbortSignal.any([interrupted, stop]),
  });
  interrupted.throwIfAborted();
  if (exitCode === 0 || stop.aborted) return;
  const lines = stdout.trim().split("\n");
  const more = lines.length > SHOWN ? [`… and ${lines.length - SHOWN} lines more: type npm run lint`] : [];
  throw new UserError(["the working tree does not type-check", ...lines.slice(0, SHOWN), ...more].join("\n"));
}
