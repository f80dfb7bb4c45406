/** The pages of docs/runbook/ without `.md`, one per kind of failure, to which messages link. A test compares them with the folder. */
export const RUNBOOK_PAGES = [
  "aborted",
  "crawl-failed",
  "data-quality",
  "dead-letters",
  "execution-failed",
  "executions",
  "file-arrival",
  "function-calls",
  "function-failed",
  "missed-run",
  "missing-delivery",
  "new-execution",
  "pipeline-data",
  "quarantine-share",
  "redrive",
  "row-count",
  "slow",
  "source-changed",
  "still-running",
  "throttled",
  "timed-out",
  "without-cause",
  "workflow-run",
  "workflow-watcher",
] as const;
export type RunbookPage = (typeof RUNBOOK_PAGES)[number];

/** With this length the longest message still fits an alarm's description and an input transformer. */
const MOST_URL_CHARACTERS = 300;

/** The address of a page below `runbookUrl`, or its path in the repository if there is no `runbookUrl`. */
export const runbookLink = (runbookUrl: string | undefined, page: RunbookPage): string =>
  `${runbookUrl ?? "docs/runbook/"}${page}.md`;

/** The mistake in the folder's address, as words that follow its field. */
export function runbookUrlMistake(runbookUrl: string): string | undefined {
  const ok = /^https:\/\/[^\s/"'<>\\]+\/([^\s"'<>\\]*\/)?$/.test(runbookUrl);
  return ok && runbookUrl.length <= MOST_URL_CHARACTERS
    ? undefined
    : `must be the https address of the folder docs/runbook, ending with a slash, of at most ${MOST_URL_CHARACTERS} characters; ` +
        `without it messages give the path of the page; got ${JSON.stringify(runbookUrl)}`;
}
