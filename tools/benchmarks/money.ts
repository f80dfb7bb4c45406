import Table from "cli-table3";
import prices from "../../plan-review/prices.json";

/**
 * What a daily run costs, modelled: the job takes as long in both, because at this size it starts rather than computes, and
 * each worker that runs is paid. Auto-scaling starts a driver and one worker and adds others when there is work for them; a fixed
 * number is paid from the first second.
 */

interface Setting {
  readonly name: string;
  readonly workers: number;
  readonly crawls: number;
}

const OURS: Setting = {
  name: "this project: auto-scaling, driver and one worker at work",
  workers: 2,
  crawls: 2,
};
const DOCUMENT: Setting = { name: "the document: 10 workers, fixed", workers: 10, crawls: 2 };
const DAYS = 30;

/** Dollars of one run whose job takes so many minutes, on Glue 5.1 and G.1X (1 DPU a worker). */
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
