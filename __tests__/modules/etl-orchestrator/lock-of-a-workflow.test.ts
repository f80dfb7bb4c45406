import { Step } from "../../../modules/etl-orchestrator/step";
import { throws } from "../../support/crawler";
import { ServiceError, type Answer, type Outcome } from "../../support/interpreter";
import { lockTable } from "../../support/lock-table";
import {
  ACCOUNT,
  eventsProps,
  eventsSteps,
  LOCKS,
  REGION,
  type SynthesisedOrchestrator,
  synthOrchestrator,
} from "../../support/orchestrator";
import { DAILY, made, runPipeline } from "../../support/pipeline-run";

/** A pipeline's lock that a Glue workflow, or a run of its job by hand, may hold. */

const GLUE = `arn:aws:glue:${REGION}:${ACCOUNT}`;
const WORKFLOW = { workflowName: "etl-dev-events", jobName: "etl-dev-events-transform" };
const OF_WORKFLOW = `${GLUE}:workflow/etl-dev-events:wr_1`;
const OF_JOB = `${GLUE}:job/etl-dev-events-transform:jr_1`;

let synthesised: SynthesisedOrchestrator;
beforeAll(() => {
  const [, ...others] = eventsSteps();
  const acquire = Step.acquireLock("AcquireLock", { table: LOCKS, waitMinutes: 5, workflow: WORKFLOW });
  synthesised = synthOrchestrator({ ...eventsProps(), steps: [acquire, ...others] });
});

const run = (owner: string, own: Record<string, Answer>): Promise<Outcome> =>
  runPipeline(synthesised, DAILY, { ...lockTable(owner).answers, ...own });

const workflowRun = (Status: string): Record<string, Answer> => ({
  "aws-sdk:glue:getWorkflowRun": () => ({ Run: { Status } }),
});
const jobRun = (JobRunState: string): Record<string, Answer> => ({
  "aws-sdk:glue:getJobRun": () => ({ JobRun: { JobRunState } }),
});
const gone = throws(new ServiceError("Glue.EntityNotFoundException"));

test.each<[string, string, Record<string, Answer>]>([
  ["a workflow run that completed", OF_WORKFLOW, workflowRun("COMPLETED")],
  ["a workflow run that was stopped", OF_WORKFLOW, workflowRun("STOPPED")],
  ["a workflow run in error", OF_WORKFLOW, workflowRun("ERROR")],
  ["a forgotten workflow run", OF_WORKFLOW, { "aws-sdk:glue:getWorkflowRun": gone }],
  ["a job run that failed", OF_JOB, jobRun("FAILED")],
  ["a job run that took too long", OF_JOB, jobRun("TIMEOUT")],
  ["a forgotten job run", OF_JOB, { "aws-sdk:glue:getJobRun": gone }],
])("%s loses the lock", async (_what, owner, own) => {
  const outcome = await run(owner, own);
  expect(outcome.status).toBe("SUCCEEDED");
  expect(made(outcome, "dynamodb:putItem").at(-1)).toMatchObject({
    ConditionExpression: "#owner = :stale OR #owner = :me",
    ExpressionAttributeValues: { ":stale": { S: owner } },
  });
});

test.each<[string, string, Record<string, Answer>]>([
  ["a workflow run at work", OF_WORKFLOW, workflowRun("RUNNING")],
  ["a workflow run that is being stopped", OF_WORKFLOW, workflowRun("STOPPING")],
  ["a job run that starts", OF_JOB, jobRun("STARTING")],
  ["a job run that waits for room", OF_JOB, jobRun("WAITING")],
  ["a job run at work", OF_JOB, jobRun("RUNNING")],
])("%s is waited for, then given up", async (_what, owner, own) => {
  const outcome = await run(owner, own);
  expect(outcome).toMatchObject({ status: "FAILED", error: "PipelineBusy" });
  expect(outcome.cause).toContain(owner);
});

test("the run is asked for by its own id", async () => {
  const ofWorkflow = await run(OF_WORKFLOW, workflowRun("COMPLETED"));
  expect(made(ofWorkflow, "aws-sdk:glue:getWorkflowRun")).toEqual([
    { Name: "etl-dev-events", RunId: "wr_1" },
  ]);
  const ofJob = await run(OF_JOB, jobRun("FAILED"));
  expect(made(ofJob, "aws-sdk:glue:getJobRun")).toEqual([
    { JobName: "etl-dev-events-transform", RunId: "jr_1" },
  ]);
});

test("another workflow of that account is not asked for: its owner is waited for", async () => {
  const invalid = throws(new ServiceError("Sfn.InvalidArnException"));
  const outcome = await run(`${GLUE}:workflow/other:wr_1`, { "aws-sdk:sfn:describeExecution": invalid });
  expect(outcome).toMatchObject({ status: "FAILED", error: "PipelineBusy" });
  expect(made(outcome, "aws-sdk:glue:getWorkflowRun")).toEqual([]);
});

test("the rights are on that workflow and that job", () => {
  const rights = synthesised
    .statements("etl-dev-events")
    .filter(({ Action }) => ["glue:GetWorkflowRun", "glue:GetJobRun"].includes(Action as string));
  expect(rights.map(({ Action, Resource }) => [Action, Resource])).toEqual(
    expect.arrayContaining([["glue:GetWorkflowRun", `${GLUE}:workflow/etl-dev-events`]]),
  );
});

test("without a workflow Glue is not asked", () => {
  const plain = synthOrchestrator(eventsProps());
  expect(JSON.stringify(plain.definition("etl-dev-events"))).not.toMatch(/getWorkflowRun|getJobRun"/);
});
