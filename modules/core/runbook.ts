/**
 * Where messages send whoever is woken: the pages of docs/runbook/, one for each thing that may go wrong.
 *
 * Without an address of their own they are named by their path, which whoever deployed can open: an address that is made up
 * would lead nowhere at three in the morning.
 */

/** The pages, without `.md`; a test holds them against the folder. */
export const RUNBOOK_PAGES = [
  "aborted",
  "crawl-failed",
  "data-quality",
  "dead-letters",
  "execution-failed",
  "executions",
  "missed-run",
  "missing-delivery",
  "new-execution",
  "pipeline-data",
  "quarantine-share",
  "redrive",
  "row-count",
  "slow",
  "throttled",
  "timed-out",
  "without-cause",
] as const;
export type RunbookPage = (typeof RUNBOOK_PAGES)[number];

/** So that the longest text still fits an alarm's description and an input transformer. */
const MOST_URL_CHARACTERS = 300;

/** The address of a page below `runbookUrl`, or its path in the repository. */
export const runbookLink = (runbookUrl: string | undefined, page: RunbookPage): string =>
  `${runbookUrl ?? "docs/runbook/"}${page}.md`;

/** What is wrong with the address of the folder, in words that follow its name. */
export function runbookUrlMistake(runbookUrl: string): string | undefined {
  const ok = /^https:\/\/[^\s/"'<>\\]+\/([^\s"'<>\\]*\/)?$/.test(runbookUrl);
  return ok && runbookUrl.length <= MOST_URL_CHARACTERS
    ? undefined
    : `must be the https address of the folder docs/runbook, ending with a slash, of at most ${MOST_URL_CHARACTERS} characters; ` +
        `without it messages name the pages by their path; got ${JSON.stringify(runbookUrl)}`;
}
