import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { PIPELINES } from "../pipelines";
import { isDate } from "./deliveries";
import { LOCAL, PYTHON, ROOT } from "./places";
import { UserError } from "./user-error";

/** Deliveries that lie in a folder of another name than the pipeline, or are made from days of the shop. */

interface Known {
  readonly name: string;
  readonly deliveriesFolder?: string;
  readonly madeFromDays?: string;
  readonly needs?: readonly string[];
  readonly followedBy?: readonly string[];
}

const known = (pipeline: string): Known | undefined =>
  (PIPELINES as readonly Known[]).find(({ name }) => name === pipeline);

/** The folder of the pipeline's deliveries in the raw zone, ending in a slash. */
export const deliveriesFolderOf = (pipeline: string): string =>
  known(pipeline)?.deliveriesFolder ?? `${pipeline}/`;

/** The pipelines that run after it. */
export const followersOf = (pipeline: string): readonly string[] => known(pipeline)?.followedBy ?? [];

/** `true`: the bench makes its deliveries from days of the shop. */
export const isMadeFromDays = (pipeline: string): boolean => known(pipeline)?.madeFromDays !== undefined;

/** @throws UserError when its deliveries come from another pipeline, which runs it */
export function refuseFollower(pipeline: string): void {
  const { needs = [] } = known(pipeline) ?? {};
  const leader = needs.find((name) => followersOf(name).includes(pipeline));
  if (leader !== undefined)
    throw new UserError(
      `--pipeline: ${pipeline} reads what ${leader} delivers, and runs after it: npm start -- --pipeline ${leader}`,
    );
}

/**
 * The folder of an input that has the pipeline's deliveries: `DIR/price-lists/`, where there is one. From days of the shop,
 * `DIR/YYYY-MM-DD.csv`, the pipeline's own program makes them in `.local/`. Otherwise it is the input itself.
 *
 * @throws UserError when the days cannot be read
 */
export function deliveriesIn(pipeline: string, input: string): string {
  const { deliveriesFolder, madeFromDays } = known(pipeline) ?? {};
  if (deliveriesFolder === undefined || !isFolder(input)) return input;
  if (isFolder(join(input, deliveriesFolder))) return join(input, deliveriesFolder);
  if (madeFromDays === undefined || !readdirSync(input).some(isDay)) return input;
  const into = join(LOCAL, "made", pipeline);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  const program = join(ROOT, "pipelines", pipeline, madeFromDays);
  const made = spawnSync(PYTHON, [program, "--input", input, "--into", into], { encoding: "utf8" });
  if (made.status !== 0) {
    const why = made.error?.message ?? made.stderr.trim().split("\n").at(-1) ?? "";
    throw new UserError(
      `--input: ${relative(ROOT, program)} cannot make the deliveries of ${pipeline} from '${input}': ${why}`,
    );
  }
  return join(into, deliveriesFolder);
}

const isDay = (name: string): boolean => name.endsWith(".csv") && isDate(name.slice(0, -".csv".length));

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
