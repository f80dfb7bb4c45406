import Table from "cli-table3";
import prices from "../../plan-review/prices.json";

/**
 * A model of the cost of a daily run. The job takes equally long in both settings, because at this size start-up dominates. Every
 * running worker is billed. Auto-scaling starts a driver and one worker, and adds more when there is work; fixed workers are billed
 * from the first second.
 */

interface Setting {
  readonly name: string;
  readonly workers: number;
  readonly crawls: number;
}

const OURS: Setting = {
  name: "this project: auto-scaling, a driver and one worker",
  workers: 2,
  crawls: 2,
};
const DOCUMENT: Setting = { name: "the document: 10 workers, fixed", workers: 10, crawls: 2 };
const DAYS = 30;

/** Dollars for one run whose job takes `minutes`, on Glue 5.1 with G.1X (1 DPU per worker). */
export function runCost({ workers, crawls }: Setting, minutes: number): number {
  const { dpuHour, dpus, minimumMinutes } = prices.crawler;
  const job = (workers * Math.max(1, minutes) * prices.glueDpuHour.upTo5) / 60;
  return job + (crawls * dpus * minimumMinutes * dpuHour) / 60;
}

export function measureMoney(): Promise<void> {
  const table = new Table({
    head: ["modelled, USD", "run of 2 min", "run of 15 min", `month of ${DAYS} × 15 min`],
    style: { head: [], border: [] },
  });
  const figures = (setting: Setting) => [
    runCost(setting, 2),
    runCost(setting, 15),
    runCost(setting, 15) * DAYS,
  ];
  const [ours, theirs] = [figures(OURS), figures(DOCUMENT)];
  table.push([OURS.name, ...ours.map((dollars) => dollars.toFixed(2))]);
  table.push([DOCUMENT.name, ...theirs.map((dollars) => dollars.toFixed(2))]);
  table.push(["ratio", ...ours.map((dollars, index) => (dollars / theirs[index]!).toFixed(2))]);
  console.log(table.toString());
  console.log(
    `prices of ${prices.region}, ${prices.asOf}; both crawl twice, ${prices.crawler.minimumMinutes} minutes at least each`,
  );
  return Promise.resolve();
}
