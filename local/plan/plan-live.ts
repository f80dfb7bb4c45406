import { join } from "node:path";
import { execa } from "execa";
import { interrupted } from "../interrupts";
import { LOCAL } from "../places";
import { type Progress } from "../progress";
import { providerSource } from "../provider-source";
import { synthesise } from "../synth";
import { UserError } from "../user-error";

/**
 * Plans as `cdktf diff` does: in the synthesised folder, with the configured backend and credentials.
 *
 * @returns the plan, as Terraform's JSON
 */
export async function planLive(environment: string, progress: Progress): Promise<string> {
  const synthesised = await progress.step("synth", () => synthesise({ ETL_ENVIRONMENTS: environment }));
  const cwd = synthesised[0]!;
  const { variables } = await providerSource(join(LOCAL, "terraform"), process.env);
  const terraform = async (...args: string[]) => {
    const env = { ...process.env, ...variables, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
    const ended = await execa("terraform", args, {
      cwd,
      env,
      extendEnv: false,
      reject: false,
      cancelSignal: interrupted,
    });
    interrupted.throwIfAborted();
    if (ended.exitCode !== 0) throw new UserError(`terraform ${args[0]} failed:\n${ended.stderr.trim()}`);
    return ended.stdout;
  };
  return progress.step("plan", async () => {
    await terraform("init", "-input=false", "-no-color");
    // No lock: the reading role may not write one, and this plan is never applied.
    await terraform("plan", "-input=false", "-no-color", "-lock=false", "-out=plan.tfplan");
    return terraform("show", "-json", "plan.tfplan");
  });
}
