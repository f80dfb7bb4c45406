import type { Mistake } from "../core/refusals";
import { neverFiresMistake } from "./longest-gap";
import { parseExpression } from "./schedule-expression";
import { otherZoneMistake, shortestGapMinutes } from "./utc-cron";

interface TriggerSchedule {
  readonly cron: string;
  readonly timeZone?: string;
}

/** The shortest time between starts: https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html */
const FEWEST_MINUTES = 5;

/** The mistakes in the clock of a workflow's start trigger. */
export function triggerScheduleMistakes({ cron, timeZone = "UTC" }: TriggerSchedule): Mistake[] {
  const { expression, mistakes } = parseExpression(cron);
  const wrongZone = otherZoneMistake(cron, timeZone);
  const zone: Mistake[] =
    wrongZone === undefined
      ? []
      : [
          [
            "schedule.timeZone",
            `${wrongZone}${/clock changes/.test(wrongZone) ? "; choose one and leave 'timeZone' out, or leave 'schedule' out and let a PipelineSchedule of 'run' start it, whose clock follows the zone" : ""}`,
          ],
        ];
  if (mistakes.length > 0)
    return [...mistakes.map((mistake): Mistake => ["schedule.cron", mistake]), ...zone];
  if (expression?.kind !== "cron")
    return [
      [
        "schedule.cron",
        `must be a cron expression, because Glue takes no rate(…) and no at(…), got ${JSON.stringify(cron)}`,
      ],
      ...zone,
    ];
  const never = neverFiresMistake(cron, "UTC");
  const gap = shortestGapMinutes(cron) ?? FEWEST_MINUTES;
  return [
    ...(never === undefined ? [] : [["schedule.cron", never] as const]),
    ...(gap >= FEWEST_MINUTES
      ? []
      : [
          [
            "schedule.cron",
            `must leave at least ${FEWEST_MINUTES} minutes between two starts, which is Glue's precision, got ${JSON.stringify(cron)} with ${gap}`,
          ] as const,
        ]),
    ...zone,
  ];
}
