import { type Node } from "@aws-sdk/client-glue";
import { attemptsOf } from "../../local/workflow-run";

const at = new Date("2025-11-22T13:00:00Z");

test("a node shows its latest attempt, and a node that was not started shows nothing", () => {
  const nodes: Node[] = [
    { Type: "TRIGGER", Name: "start" },
    { Type: "CRAWLER", Name: "ios", CrawlerDetails: { Crawls: [{ State: "FAILED", ErrorMessage: "no" }] } },
    {
      Type: "JOB",
      Name: "daily",
      JobDetails: { JobRuns: [{ JobRunState: "FAILED" }, { JobRunState: "RUNNING", StartedOn: at }] },
    },
    { Type: "JOB", Name: "later", JobDetails: { JobRuns: [] } },
    { Type: "CRAWLER", Name: "last", CrawlerDetails: {} },
  ];
  expect(attemptsOf(nodes)).toEqual([
    { name: "ios", state: "FAILED", message: "no" },
    { name: "daily", state: "RUNNING", started: at },
  ]);
});
