import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PIPELINES } from "../../pipelines";
import { ROOT } from "../support/clone";

/** A folder of pipelines/ is a whole pipeline: in the registry, with everything that its page and `npm start` take for granted. */

const folders = readdirSync(join(ROOT, "pipelines"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Another pipeline delivers what it reads, so that it needs no sample. */
const isDelivered = (name: string): boolean =>
  PIPELINES.some(
    (one) => "followedBy" in one && (one.followedBy ?? []).some((follower: string) => follower === name),
  );

/** The files that a pipeline's folder lacks: an extract declares tables and has no contract. */
function missing(name: string): string[] {
  const isExtract = existsSync(join(ROOT, "pipelines", name, `${name}.extract.json`));
  const declared = isExtract ? [] : [`${name}.schema.json`, `${name}.quality.json`];
  const files = ["pipeline.ts", "README.md", ...declared];
  const absent = files.filter((file) => !existsSync(join(ROOT, "pipelines", name, file)));
  if (isDelivered(name)) return absent;
  const sample = join(ROOT, "pipelines", name, "sample");
  return existsSync(sample) && readdirSync(sample).length > 0 ? absent : [...absent, "sample/"];
}

test("every folder is in the registry, and every pipeline of the registry has a folder", () => {
  expect(PIPELINES.map(({ name }) => name).sort()).toEqual([...folders].sort());
});

test.each(folders)("%s has wiring, contract and rules or declared tables, sample and README", (name) => {
  expect(missing(name)).toEqual([]);
});

test("a folder that lacks something is found", () => {
  expect(missing("none")).toEqual([
    "pipeline.ts",
    "README.md",
    "none.schema.json",
    "none.quality.json",
    "sample/",
  ]);
});
