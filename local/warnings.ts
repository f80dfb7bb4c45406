import { readFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { wrap } from "./lines";

/** Warnings of constructs (`Annotations.addWarning`). `cdktf synth` prints them; an app that runs by itself only writes them down. */

interface Manifest {
  readonly stacks: Readonly<
    Record<string, { readonly annotations?: readonly { readonly level: string; readonly message: string }[] }>
  >;
}

/** The warnings in the manifest of a synthesised folder, each once: several stacks may hold the same pipeline. */
export const warningsIn = (outdir: string): string[] => annotationsIn(outdir, "@cdktf/warn");

/** The lines that a synth has to say without a warning: what an environment leaves out. */
export const notesIn = (outdir: string): string[] => annotationsIn(outdir, "@cdktf/info");

function annotationsIn(outdir: string, wanted: string): string[] {
  const { stacks } = JSON.parse(readFileSync(join(outdir, "manifest.json"), "utf8")) as Manifest;
  const found = Object.values(stacks)
    .flatMap(({ annotations = [] }) => annotations)
    .filter(({ level }) => level === wanted)
    .map(({ message }) => message);
  return [...new Set(found)];
}

/** The lines of a warning on a terminal. */
export const warningText = (warning: string): string =>
  wrap(`warning: ${warning}`).split("\n").map(pc.yellow).join("\n");
