import { ServiceError, type Answer } from "./interpreter";
import { type Json } from "../../definition-checks/asl";

/** Scripted answers of a crawler, and of any service that changes its mind. */

export type LastCrawl = {
  StartTime: string;
  Status: string;
  ErrorMessage?: string;
  LogGroup?: string;
  LogStream?: string;
};
export type Look = { State: string; LastCrawl?: LastCrawl };
export const BEFORE: LastCrawl = { StartTime: "2010-11-30T06:00:00.000Z", Status: "SUCCEEDED" };
export const OURS = "2010-12-01T06:00:01.000Z";
export const FOREIGN = "2010-12-01T05:59:00.000Z";
export const ended = (Status: string, rest: object = {}): Look => ({
  State: "READY",
  LastCrawl: { StartTime: OURS, Status, ...rest },
});

/** A crawler: what it looks like before our start, then look by look after it; the last look stays. */
export function crawler(after: readonly Look[], before: Look = { State: "READY", LastCrawl: BEFORE }) {
  const started: Record<string, number> = {};
  const answers: Record<string, Answer> = {
    "aws-sdk:glue:getCrawler": ({ parameters }) => {
      const name = parameters.Name as string;
      const count = started[name];
      if (count === undefined) return { Crawler: { Name: name, ...before } };
      started[name] = count + 1;
      return { Crawler: { Name: name, ...(after[count] ?? after.at(-1)!) } };
    },
    "aws-sdk:glue:startCrawler": ({ parameters }) => {
      started[parameters.Name as string] = 0;
      return {};
    },
  };
  return answers;
}

/** A crawl that goes well. */
export const well = () => crawler([{ State: "RUNNING", LastCrawl: BEFORE }, ended("SUCCEEDED")]);

/** One after the other; the last one stays. */
export const throws =
  (...errors: (ServiceError | Json)[]): Answer =>
  () => {
    const next = errors.length > 1 ? errors.shift()! : errors[0]!;
    if (next instanceof ServiceError) throw next;
    return next;
  };
