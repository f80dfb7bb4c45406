import { Token } from "cdktf";
import { MOST_LAG_DAYS } from "../modules/schedules/lag-days";

/** Mistakes that every kind of pipeline can have. */

/** Folders and physical names beside those of pipelines. */
const RESERVED: Readonly<Record<string, string>> = {
  books: "the folder of books",
  failures: "the state machine of failure messages",
};

export function nameMistakes(pipeline: string): string[] {
  const got = `got '${pipeline}'`;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(pipeline))
    return [`'pipeline' must be lower-case words of letters and digits joined by hyphens, ${got}`];
  if (Object.hasOwn(RESERVED, pipeline))
    return [`'pipeline' must not be '${pipeline}', which names ${RESERVED[pipeline]}; rename it`];
  if (/(^|-)refused$/.test(pipeline))
    return [
      `'pipeline' must not be or end with 'refused', which names the place of refused rows, ${got}; rename it`,
    ];
  return [];
}

export function lagMistakes(days: number | undefined): string[] {
  if (days === undefined || Token.isUnresolved(days)) return [];
  if (Number.isInteger(days) && days >= 0 && days <= MOST_LAG_DAYS) return [];
  return [`'schedule.lagDays' must be a whole number from 0 to ${MOST_LAG_DAYS}, got ${days}`];
}
