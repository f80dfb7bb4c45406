import { type Books, readBooks } from "./books";
import { type clientsOf } from "./clients";
import { findDeliveries } from "./deliveries";
import { type Ended, runExecution } from "./execution";
import { Lake } from "./lake";
import { deliveriesFolderOf, deliveriesIn, followersOf, isMadeFromDays } from "./made-deliveries";
import { snakeCase } from "./pipeline-choice";
import { placesOfPipeline } from "./places-of-pipeline";
import { type Progress } from "./progress";
import { mirrorInput } from "./raw-zone";
import { output } from "./stack-outputs";
import { type Outputs } from "./terraform";

/** The pipelines that run after another one: each once, for all dates that have been delivered since it ran. */

/** How a follower's run ended. */
export interface FollowerRun {
  readonly pipeline: string;
  readonly ended: Ended;
  readonly books: Books | undefined;
}

interface Bench {
  readonly clients: ReturnType<typeof clientsOf>;
  readonly outputs: Outputs;
  readonly progress: Progress;
}

/** Two work at a time, as this computer has few cores and each of them starts a Java. */
const AT_A_TIME = 2;

const DATED = /(?:^|\/)dt=(\d{4}-\d\d-\d\d)\//;
const BY_DATE = /\/by-date\/(\d{4}-\d\d-\d\d)\.json$/;

/** Those of its followers that are deployed. */
const deployedFollowers = (pipeline: string, outputs: Outputs): string[] =>
  followersOf(pipeline).filter((name) => outputs[aliasOf(name)] !== undefined);

const aliasOf = (pipeline: string): string => `${snakeCase(pipeline)}_alias_arn`;

/** Removes what they have read and written. */
export async function emptyFollowers(
  pipeline: string,
  { clients, outputs }: Omit<Bench, "progress">,
): Promise<void> {
  for (const name of deployedFollowers(pipeline, outputs)) await lakeOf(name, { clients, outputs }).empty();
}

/**
 * @param input the days of the shop, from which some deliveries are made
 * @param extracted the dates that the pipeline has just delivered
 */
export async function runFollowers(
  pipeline: string,
  { input, extracted }: { readonly input: string; readonly extracted: readonly string[] },
  bench: Bench,
): Promise<FollowerRun[]> {
  const waiting = deployedFollowers(pipeline, bench.outputs);
  const runs: FollowerRun[] = [];
  const take = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const follower = name;
      const run = await bench.progress.step(follower, (note) =>
        runFollower(follower, isMadeFromDays(follower) ? { input } : { extracted }, bench, note),
      );
      if (run !== undefined) runs.push(run);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, take));
  const order = followersOf(pipeline);
  return runs.sort((one, other) => order.indexOf(one.pipeline) - order.indexOf(other.pipeline));
}

type Source = { readonly input: string } | { readonly extracted: readonly string[] };

async function runFollower(
  pipeline: string,
  source: Source,
  bench: Bench,
  note: (text: string) => void,
): Promise<FollowerRun | undefined> {
  const { clients, outputs } = bench;
  const fresh = "input" in source ? await made(pipeline, source.input, bench) : source.extracted;
  const dates = [...fresh, ...(await notTaken(pipeline, bench))].sort();
  const [first, last] = [dates[0], dates.at(-1)];
  if (first === undefined) {
    note("nothing new was delivered");
    return undefined;
  }
  const input = first === last ? { runDate: first } : { mode: "backfill", fromDate: first, toDate: last };
  note(first === last ? first : `${first} to ${last}`);
  // The states of two executions at a time would stand between each other.
  const silent = { line: () => undefined, note: () => undefined };
  const ended = await runExecution(clients.sfn, output(outputs, aliasOf(pipeline)), input, silent);
  const books = await readBooks(clients.s3, output(outputs, "processed_bucket"), pipeline, ended.name);
  return { pipeline, ended, books };
}

/** Uploads the deliveries that are made from days of the shop. @returns the dates that have changed */
async function made(pipeline: string, days: string, bench: Bench): Promise<string[]> {
  const folder = deliveriesIn(pipeline, days);
  const deliveries = findDeliveries(folder, { pipeline, places: placesOfPipeline(pipeline) });
  const prefix = deliveriesFolderOf(pipeline);
  const { names } = await mirrorInput(
    bench.clients.s3,
    lakeOf(pipeline, bench),
    pipeline,
    folder,
    deliveries,
    prefix,
  );
  return datesIn(names, DATED);
}

/** The dates that have a delivery, and none of the follower's books. */
async function notTaken(pipeline: string, bench: Bench): Promise<string[]> {
  const lake = lakeOf(pipeline, bench);
  const delivered = datesIn(await lake.keysOf(lake.rawBucket, deliveriesFolderOf(pipeline)), DATED);
  const books = `books/${pipeline}/by-date/`;
  const taken = datesIn(await lake.keysOf(output(bench.outputs, "processed_bucket"), books), BY_DATE);
  return delivered.filter((date) => !taken.includes(date));
}

const lakeOf = (pipeline: string, { clients, outputs }: Omit<Bench, "progress">): Lake =>
  new Lake(clients, outputs, pipeline, deliveriesFolderOf(pipeline));

const datesIn = (names: readonly string[], pattern: RegExp): string[] => [
  ...new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? [])),
];
