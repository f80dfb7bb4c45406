import { type CheckName } from "../../definition-checks/asl-checks";

/**
 * Every mistake that the seed documents make about state machines, one by one: the fewest states that show it, the
 * finding that reports it, and the same states corrected. The facts are numbered as the analysis of the documents has them.
 */

export interface Mistake {
  readonly fact: string;
  readonly mistake: string;
  readonly check: CheckName;
  readonly state: string;
  /** The finding's text, with its remedy in brackets. */
  readonly says: RegExp;
  readonly wrong: object;
  readonly right: object;
  readonly input?: Readonly<Record<string, string | number>>;
}

const call = (resource: string, rest: object = {}) => ({
  Type: "Task",
  Resource: `arn:aws:states:::${resource}`,
  ResultPath: null,
  ...rest,
});
const retry = (...errors: string[]) => ({ Retry: [{ ErrorEquals: errors }] });
const busyGlue = retry("Glue.ThrottlingException");
const busyAthena = retry("Athena.TooManyRequestsException");
const DONE = { Type: "Succeed" };
const FAIL = { Type: "Fail", Error: "E", Cause: "c" };
const job = (rest: object = {}) =>
  call("glue:startJobRun.sync", {
    Parameters: { JobName: "j" },
    TimeoutSeconds: 3_600,
    ...busyGlue,
    Next: "Done",
    ...rest,
  });
const startJob = (rest: object = {}) =>
  call("glue:startJobRun", {
    Parameters: { JobName: "j" },
    ResultPath: "$.run",
    ...busyGlue,
    Next: "Wait",
    ...rest,
  });
const publish = (rest: object = {}) =>
  call("sns:publish", {
    Parameters: { TopicArn: "arn:aws:sns:eu-west-1:111122223333:t", Message: "m" },
    ...retry("States.TaskFailed"),
    Next: "Done",
    ...rest,
  });
const invoke = (rest: object = {}) =>
  call("lambda:invoke", {
    Parameters: { FunctionName: "f" },
    ...retry("Lambda.TooManyRequestsException"),
    Next: "Done",
    ...rest,
  });
const wait = (Next: string) => ({ Type: "Wait", Seconds: 30, Next });
const is = (Variable: string, StringEquals: string, Next: string) => ({ Variable, StringEquals, Next });
const choose = (Default: string, ...Choices: object[]) => ({ Type: "Choice", Choices, Default });

/** A job run that is started and polled, and how its status is judged. */
const polledJob = (judge: object) => ({
  Start: startJob(),
  Wait: wait("Look"),
  Look: call("aws-sdk:glue:getJobRun", {
    Parameters: { JobName: "j", "RunId.$": "$.run.JobRunId" },
    ResultPath: "$.now",
    ...busyGlue,
    Next: "Judge",
  }),
  Judge: judge,
  Done: DONE,
  Failed: FAIL,
});
const JOB_STATUS = "$.now.JobRun.JobRunState";
const RUNNING = ["STARTING", "RUNNING", "STOPPING", "WAITING"].map((value) => is(JOB_STATUS, value, "Wait"));

/** A crawl that is started and polled. */
const polledCrawl = (judge: object, further: object = {}, look: object = {}) => ({
  Start: call("aws-sdk:glue:startCrawler", { Parameters: { Name: "c" }, ...busyGlue, Next: "Wait" }),
  Wait: wait("Look"),
  Look: call("aws-sdk:glue:getCrawler", {
    Parameters: { Name: "c" },
    ResultPath: "$.now",
    ...busyGlue,
    Next: "Judge",
    ...look,
  }),
  Judge: judge,
  ...further,
  Done: DONE,
  Failed: FAIL,
});
const CRAWL_STATE = "$.now.Crawler.State";
const LAST_CRAWL = "$.now.Crawler.LastCrawl.Status";
const untilReady = choose("Wait", is(CRAWL_STATE, "READY", "Verdict"));
const verdict = choose("Failed", {
  And: [
    { Variable: LAST_CRAWL, IsPresent: true },
    { Variable: LAST_CRAWL, StringEquals: "SUCCEEDED" },
  ],
  Next: "Done",
});
const crawler = (rest: object) =>
  call("aws-sdk:glue:updateCrawler", { Parameters: { Name: "c" }, ...busyGlue, Next: "Done", ...rest });
const query = (pattern: string, rest: object = {}) =>
  call(`athena:startQueryExecution${pattern}`, {
    Parameters: { QueryString: "select 1" },
    ResultPath: "$.query",
    TimeoutSeconds: 3_600,
    ...busyAthena,
    Next: "Read",
    ...rest,
  });
const answer = (rest: object = {}, id = "$.query.QueryExecution.QueryExecutionId") =>
  call("athena:getQueryResults", {
    Parameters: { "QueryExecutionId.$": id, MaxResults: 2 },
    ResultPath: "$.answer",
    ...busyAthena,
    Next: "Done",
    ...rest,
  });
const startChild = (parameters: object) =>
  call("states:startExecution.sync:2", {
    Parameters: { StateMachineArn: "${Child}", ...parameters },
    TimeoutSeconds: 3_600,
    Next: "Done",
  });
const withArguments = (given: object) => job({ Parameters: { JobName: "j", Arguments: given } });
const caught = (rule: object) => ({ Catch: [{ ErrorEquals: ["States.ALL"], ...rule }] });

export const MISTAKES: readonly Mistake[] = [
  {
    fact: "A1",
    mistake: "a crawl that is awaited by a call that does not exist",
    check: "integration",
    state: "Crawl",
    says: /glue:startCrawler\.sync does not exist \(write aws-sdk:glue:startCrawler and poll/,
    wrong: {
      Crawl: call("glue:startCrawler.sync", {
        Parameters: { Name: "c" },
        TimeoutSeconds: 60,
        ...busyGlue,
        Next: "Done",
      }),
      Done: DONE,
    },
    right: polledCrawl(untilReady, { Verdict: verdict }),
  },
  {
    fact: "A1",
    mistake: "a crawl that is started by a call that does not exist",
    check: "integration",
    state: "Crawl",
    says: /the integration glue:startCrawler does not exist/,
    wrong: {
      Crawl: call("glue:startCrawler", { Parameters: { Name: "c" }, ...busyGlue, Next: "Done" }),
      Done: DONE,
    },
    right: polledCrawl(untilReady, { Verdict: verdict }),
  },
  {
    fact: "A1",
    mistake: "an SDK integration that is to wait",
    check: "integration",
    state: "Crawl",
    says: /SDK integrations have no \.sync/,
    wrong: {
      Crawl: call("aws-sdk:glue:startCrawler.sync", {
        Parameters: { Name: "c" },
        TimeoutSeconds: 60,
        ...busyGlue,
        Next: "Done",
      }),
      Done: DONE,
    },
    right: polledCrawl(untilReady, { Verdict: verdict }),
  },
  {
    fact: "A1",
    mistake: "CrawlerName instead of Name: the name is missing",
    check: "parameter",
    state: "Tell",
    says: /sns:publish is called without Message \(write Message in its Parameters\)/,
    wrong: { Tell: publish({ Parameters: { TopicArn: "t" } }), Done: DONE },
    right: { Tell: publish(), Done: DONE },
  },
  {
    fact: "A1",
    mistake: "CrawlerName instead of Name: the parameter does not exist",
    check: "parameter",
    state: "Look",
    says: /aws-sdk:glue:getCrawler has no parameter CrawlerName \(write one of Name\)/,
    wrong: {
      Look: call("aws-sdk:glue:getCrawler", {
        Parameters: { Name: "c", CrawlerName: "c" },
        ...busyGlue,
        Next: "Done",
      }),
      Done: DONE,
    },
    right: {
      Look: call("aws-sdk:glue:getCrawler", { Parameters: { Name: "c" }, ...busyGlue, Next: "Done" }),
      Done: DONE,
    },
  },
  {
    fact: "A1",
    mistake: "a crawl that is taken for ended while it stops",
    check: "status-unfinished",
    state: "Judge",
    says: /treats STOPPING as an end: a crawl that still runs .* \(lead STOPPING to a Wait and back to Look\)/,
    wrong: polledCrawl(choose("Verdict", is(CRAWL_STATE, "RUNNING", "Wait")), { Verdict: verdict }),
    right: polledCrawl(untilReady, { Verdict: verdict }),
  },
  {
    fact: "A1",
    mistake: "READY is taken for success",
    check: "crawl-verdict",
    state: "Judge",
    says: /takes READY for success.*\(read LastCrawl\.Status/,
    wrong: polledCrawl(
      choose("Wait", is(CRAWL_STATE, "READY", "Done"), {
        Variable: "$.polls",
        NumericEquals: 9,
        Next: "Failed",
      }),
    ),
    right: polledCrawl(untilReady, { Verdict: verdict }),
  },
  {
    fact: "A1",
    mistake: "LastCrawl is selected, and a new crawler has none",
    check: "optional-member",
    state: "Look",
    says: /reads Crawler\.LastCrawl .* before its first crawl.*\(select the object that holds it/,
    wrong: {
      Look: call("aws-sdk:glue:getCrawler", {
        Parameters: { Name: "c" },
        ResultSelector: { "last.$": "$.Crawler.LastCrawl" },
        ResultPath: "$.now",
        ...busyGlue,
        Next: "Done",
      }),
      Done: DONE,
    },
    right: {
      Look: call("aws-sdk:glue:getCrawler", {
        Parameters: { Name: "c" },
        ResultSelector: { "c.$": "$.Crawler" },
        ResultPath: "$.now",
        ...busyGlue,
        Next: "Done",
      }),
      Done: DONE,
    },
  },
  {
    fact: "A1",
    mistake: "LastCrawl is compared without asking whether it is there",
    check: "optional-member",
    state: "Verdict",
    says: /reads Crawler\.LastCrawl .*\(test for it with IsPresent first/,
    wrong: polledCrawl(untilReady, { Verdict: choose("Failed", is(LAST_CRAWL, "SUCCEEDED", "Done")) }),
    right: polledCrawl(untilReady, { Verdict: verdict }),
  },
  {
    fact: "A1",
    mistake: "an error's name with the service in small letters",
    check: "error-name",
    state: "Set",
    says: /Retry names glue\.CrawlerRunningException, .*\(write Glue\.CrawlerRunningException\)/,
    wrong: { Set: crawler(retry("Glue.ThrottlingException", "glue.CrawlerRunningException")), Done: DONE },
    right: { Set: crawler(retry("Glue.ThrottlingException", "Glue.CrawlerRunningException")), Done: DONE },
  },
  {
    fact: "A1",
    mistake: "an error's name as the SDK for another language has it",
    check: "error-name",
    state: "Set",
    says: /AWSGlue\.CrawlerRunningException, an error that is never raised \(write Glue\./,
    wrong: { Set: crawler(retry("Glue.ThrottlingException", "AWSGlue.CrawlerRunningException")), Done: DONE },
    right: { Set: crawler(retry("Glue.ThrottlingException", "Glue.CrawlerRunningException")), Done: DONE },
  },
  {
    fact: "A1",
    mistake: "an error's name without a service",
    check: "error-name",
    state: "Set",
    says: /CrawlerRunningException, .*\(write Glue\.CrawlerRunningException\)/,
    wrong: { Set: crawler(retry("Glue.ThrottlingException", "CrawlerRunningException")), Done: DONE },
    right: { Set: crawler(retry("Glue.ThrottlingException", "Glue.CrawlerRunningException")), Done: DONE },
  },
  {
    fact: "A1",
    mistake: "Ecs. where the optimised integration says ECS.",
    check: "error-name",
    state: "Run",
    says: /Ecs\.AmazonECSException, .*\(write ECS\.AmazonECSException\)/,
    wrong: {
      Run: call("ecs:runTask.sync", { TimeoutSeconds: 60, ...retry("Ecs.AmazonECSException"), Next: "Done" }),
      Done: DONE,
    },
    right: {
      Run: call("ecs:runTask.sync", { TimeoutSeconds: 60, ...retry("ECS.AmazonECSException"), Next: "Done" }),
      Done: DONE,
    },
  },
  {
    fact: "A1",
    mistake: "a slip in an error's name",
    check: "error-name",
    state: "Set",
    says: /Glue\.CrawlerRuningException, .*\(write Glue\.CrawlerRunningException\)/,
    wrong: { Set: crawler(retry("Glue.ThrottlingException", "Glue.CrawlerRuningException")), Done: DONE },
    right: { Set: crawler(retry("Glue.ThrottlingException", "Glue.CrawlerRunningException")), Done: DONE },
  },
  {
    fact: "A1",
    mistake: "a foreign crawl is taken for one's own",
    check: "caught-success",
    state: "Set",
    says: /an error caught here goes to Wait and ends in success at Done/,
    wrong: {
      Set: crawler({
        Catch: [{ ErrorEquals: ["Glue.CrawlerRunningException"], ResultPath: null, Next: "Wait" }],
      }),
      Wait: wait("Done"),
      Done: DONE,
    },
    right: {
      Set: crawler({
        Catch: [{ ErrorEquals: ["Glue.CrawlerRunningException"], ResultPath: null, Next: "Wait" }],
      }),
      Wait: wait("Set"),
      Done: DONE,
    },
  },
  {
    fact: "A2",
    mistake: "a job run is started and looked at once, with no wait",
    check: "async-start",
    state: "Start",
    says: /starts a job run and does not wait for it.*\(write glue:startJobRun\.sync/,
    wrong: {
      Start: startJob({ Next: "Look" }),
      Look: invoke({ ResultPath: "$.etl", Next: "Judge" }),
      Judge: choose("Failed", is("$.etl.Payload.status", "SUCCEEDED", "Done")),
      Done: DONE,
      Failed: FAIL,
    },
    right: { Start: job(), Done: DONE },
  },
  {
    fact: "A2",
    mistake: "a job run is started and nothing follows",
    check: "async-start",
    state: "Start",
    says: /the execution succeeds at Start while it still runs/,
    wrong: { Start: startJob({ Next: undefined, End: true }) },
    right: { Start: job({ Next: undefined, End: true }) },
  },
  {
    fact: "A2",
    mistake: "a job run is waited for once, and one that still runs is taken for a failure",
    check: "status-unfinished",
    state: "Judge",
    says: /treats STARTING, RUNNING, STOPPING, WAITING as an end/,
    wrong: polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"))),
    right: polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), ...RUNNING)),
  },
  {
    fact: "A2",
    mistake: "the job's newest run instead of this one",
    check: "newest-run",
    state: "Look",
    says: /newest may belong to another execution \(ask for its own: getJobRun/,
    wrong: {
      Look: call("aws-sdk:glue:getJobRuns", {
        Parameters: { JobName: "j", MaxResults: 1 },
        ResultPath: "$.runs",
        ...busyGlue,
        Next: "Done",
      }),
      Done: DONE,
    },
    right: polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), ...RUNNING)),
  },
  {
    fact: "A2",
    mistake: "terminal states that nobody knows are waited for without end",
    check: "status-failed",
    state: "Judge",
    says: /keeps waiting for a job run that ended as STOPPED, TIMEOUT, ERROR, EXPIRED \(lead/,
    wrong: polledJob(choose("Wait", is(JOB_STATUS, "SUCCEEDED", "Done"), is(JOB_STATUS, "FAILED", "Failed"))),
    right: polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), ...RUNNING)),
  },
  {
    fact: "A2",
    mistake: "terminal states that nobody knows end in success",
    check: "status-failed",
    state: "Judge",
    says: /ended as STOPPED, TIMEOUT, ERROR, EXPIRED end in success/,
    wrong: polledJob(choose("Done", ...RUNNING, is(JOB_STATUS, "FAILED", "Failed"))),
    right: polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), ...RUNNING)),
  },
  {
    fact: "A2",
    mistake: "a status that does not exist",
    check: "status-value",
    state: "Judge",
    says: /with SUCCESS, a value that it never has \(write one of .*SUCCEEDED/,
    wrong: polledJob(
      choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), is(JOB_STATUS, "SUCCESS", "Done"), ...RUNNING),
    ),
    right: polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), ...RUNNING)),
  },
  {
    fact: "A2",
    mistake: "the run's id is looked for where the answer has none",
    check: "answer-member",
    state: "Look",
    says: /reads \$\.run\.RunId, which is not in the answer of glue:startJobRun \(read one of JobName, JobRunId\)/,
    wrong: {
      ...polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), ...RUNNING)),
      Look: call("aws-sdk:glue:getJobRun", {
        Parameters: { JobName: "j", "RunId.$": "$.run.RunId" },
        ResultPath: "$.now",
        ...busyGlue,
        Next: "Judge",
      }),
    },
    right: polledJob(choose("Failed", is(JOB_STATUS, "SUCCEEDED", "Done"), ...RUNNING)),
  },
  {
    fact: "A4",
    mistake: "a job run is repeated whatever it failed of",
    check: "retry-run",
    state: "Run",
    says: /retries States\.TaskFailed, .*paid for, again \(retry only errors of the start/,
    wrong: { Run: job(retry("States.TaskFailed")), Done: DONE },
    right: { Run: job(retry("Glue.ConcurrentRunsExceededException")), Done: DONE },
  },
  {
    fact: "A4",
    mistake: "a call is not tried again when the service is busy",
    check: "retry-missing",
    state: "Run",
    says: /has no Retry .*\(retry Glue\.ConcurrentRunsExceededException, /,
    wrong: { Run: job({ Retry: undefined }), Done: DONE },
    right: { Run: job(), Done: DONE },
  },
  {
    fact: "A4",
    mistake: "a function is not tried again when Lambda is busy",
    check: "retry-missing",
    state: "Check",
    says: /\(retry Lambda\.ServiceException, Lambda\.AWSLambdaException, /,
    wrong: { Check: invoke({ Retry: undefined }), Done: DONE },
    right: { Check: invoke(), Done: DONE },
  },
  ...["Glue.EntityNotFoundException", "Glue.InvalidInputException"].map((error): Mistake => ({
    fact: "A4",
    mistake: `${error} is tried again, and comes again`,
    check: "retry-deterministic",
    state: "Run",
    says: /which the same call raises again \(take it out of Retry/,
    wrong: { Run: job(retry("Glue.ThrottlingException", error)), Done: DONE },
    right: { Run: job(), Done: DONE },
  })),
  {
    fact: "A4",
    mistake: "a jitter that does not exist",
    check: "retry-fields",
    state: "Run",
    says: /JitterStrategy "full" does not exist \(write FULL or NONE\)/,
    wrong: {
      Run: job({ Retry: [{ ErrorEquals: ["Glue.ThrottlingException"], JitterStrategy: "full" }] }),
      Done: DONE,
    },
    right: {
      Run: job({ Retry: [{ ErrorEquals: ["Glue.ThrottlingException"], JitterStrategy: "FULL" }] }),
      Done: DONE,
    },
  },
  {
    fact: "A4",
    mistake: "States.ALL beside another error",
    check: "error-order",
    state: "Tell",
    says: /States\.ALL in Retry is not alone \(give it a rule of its own at the end\)/,
    wrong: { Tell: publish(retry("States.ALL", "States.Timeout")), Done: DONE },
    right: {
      Tell: publish({ Retry: [{ ErrorEquals: ["States.Timeout"] }, { ErrorEquals: ["States.ALL"] }] }),
      Done: DONE,
    },
  },
  {
    fact: "A4",
    mistake: "States.ALL before another error",
    check: "error-order",
    state: "Tell",
    says: /States\.ALL in Retry is not last/,
    wrong: {
      Tell: publish({ Retry: [{ ErrorEquals: ["States.ALL"] }, { ErrorEquals: ["States.Timeout"] }] }),
      Done: DONE,
    },
    right: {
      Tell: publish({ Retry: [{ ErrorEquals: ["States.Timeout"] }, { ErrorEquals: ["States.ALL"] }] }),
      Done: DONE,
    },
  },
  {
    fact: "A4",
    mistake: "an error that cannot be caught is caught",
    check: "uncatchable",
    state: "Tell",
    says: /Catch names States\.Runtime, which always fails the execution/,
    wrong: {
      Tell: publish({ Catch: [{ ErrorEquals: ["States.Runtime"], ResultPath: null, Next: "Failed" }] }),
      Done: DONE,
      Failed: FAIL,
    },
    right: { Tell: publish(), Done: DONE },
  },
  {
    fact: "A5",
    mistake: "a job run that may take three years",
    check: "timeout",
    state: "Run",
    says: /waits without TimeoutSeconds, so for up to 99999999 s/,
    wrong: { Run: job({ TimeoutSeconds: undefined }), Done: DONE },
    right: { Run: job(), Done: DONE },
  },
  {
    fact: "A5",
    mistake: "the orchestrator gives up before the job does",
    check: "timeout-order",
    state: "Run",
    says: /TimeoutSeconds 3600 is not above the job run's own 60 minutes/,
    wrong: { Run: job({ Parameters: { JobName: "j", Timeout: 60 } }), Done: DONE },
    right: { Run: job({ Parameters: { JobName: "j", Timeout: 45 } }), Done: DONE },
  },
  {
    fact: "A5",
    mistake: "the machine gives up before the state does",
    check: "timeout-order",
    state: "Run",
    says: /TimeoutSeconds 90000 is above the machine's 86400/,
    wrong: { Run: job({ TimeoutSeconds: 90_000 }), Done: DONE },
    right: { Run: job(), Done: DONE },
  },
  {
    fact: "A6",
    mistake: "the input is lost to a Task without ResultPath",
    check: "lost-input",
    state: "Run",
    says: /reads \$\.sourcePath, which Set replaced \(give Set a "ResultPath"/,
    wrong: {
      Set: { ...crawler({ Next: "Run" }), ResultPath: undefined },
      Run: withArguments({ "--source_path.$": "$.sourcePath" }),
      Done: DONE,
    },
    right: {
      Set: crawler({ Next: "Run" }),
      Run: withArguments({ "--source_path.$": "$.sourcePath" }),
      Done: DONE,
    },
  },
  {
    fact: "A6",
    mistake: "a Catch throws the run's data away",
    check: "catch-result-path",
    state: "Check",
    says: /a Catch to "Tell" has no ResultPath, .*\(write "ResultPath": "\$\.error"/,
    wrong: {
      Check: invoke({ Catch: [{ ErrorEquals: ["TooFewRows"], Next: "Tell" }] }),
      Tell: publish({ Next: "Failed" }),
      Done: DONE,
      Failed: FAIL,
    },
    right: {
      Check: invoke({ Catch: [{ ErrorEquals: ["TooFewRows"], ResultPath: "$.error", Next: "Tell" }] }),
      Tell: publish({ Next: "Failed" }),
      Done: DONE,
      Failed: FAIL,
    },
  },
  {
    fact: "A6",
    mistake: "the run's date is passed in and never used",
    check: "unused-input",
    state: "",
    says: /no state reads \$\.runDate of the declared input \(pass it on \("--run_date\.\$": "\$\.runDate"\)/,
    input: { sourcePath: "s3://raw/events/", runDate: "2010-12-01" },
    wrong: { Run: withArguments({ "--source_path.$": "$.sourcePath" }), Done: DONE },
    right: {
      Run: withArguments({ "--source_path.$": "$.sourcePath", "--run_date.$": "$.runDate" }),
      Done: DONE,
    },
  },
  {
    fact: "A6",
    mistake: "something is read that the input never had",
    check: "undeclared-input",
    state: "Run",
    says: /reads \$\.source, which the declared input does not have/,
    input: { sourcePath: "s3://raw/events/" },
    wrong: { Run: withArguments({ "--a.$": "$.sourcePath", "--b.$": "$.source" }), Done: DONE },
    right: { Run: withArguments({ "--a.$": "$.sourcePath" }), Done: DONE },
  },
  {
    fact: "A6",
    mistake: "a whole list is kept as a state's data",
    check: "payload-size",
    state: "List",
    says: /keeps the whole answer of aws-sdk:s3:listObjectsV2, .*States\.DataLimitExceeded \(write MaxKeys/,
    wrong: {
      List: call("aws-sdk:s3:listObjectsV2", {
        Parameters: { Bucket: "b" },
        ResultPath: "$.files",
        ...retry("S3.S3Exception"),
        Next: "Done",
      }),
      Done: DONE,
    },
    right: {
      List: call("aws-sdk:s3:listObjectsV2", {
        Parameters: { Bucket: "b" },
        ResultSelector: { "count.$": "$.KeyCount" },
        ResultPath: "$.files",
        ...retry("S3.S3Exception"),
        Next: "Done",
      }),
      Done: DONE,
    },
  },
  {
    fact: "A6",
    mistake: "a text that fits into no state",
    check: "payload-size",
    state: "Say",
    says: /its Result has 26\d{4} bytes, and a state takes 262144 \(put it in S3/,
    wrong: { Say: { Type: "Pass", Result: { text: "x".repeat(262_144) }, Next: "Done" }, Done: DONE },
    right: { Say: { Type: "Pass", Result: { text: "x" }, Next: "Done" }, Done: DONE },
  },
  {
    fact: "A6",
    mistake: "a number as a job argument",
    check: "glue-argument",
    state: "Run",
    says: /--limit is the number 5, but Glue takes strings only \(write "5"\)/,
    wrong: { Run: withArguments({ "--limit": 5 }), Done: DONE },
    right: { Run: withArguments({ "--limit": "5" }), Done: DONE },
  },
  {
    fact: "A6",
    mistake: "a sum as a job argument",
    check: "glue-argument",
    state: "Run",
    says: /--limit is a number, .*\(write States\.Format\('\{\}', States\.MathAdd\(\$\.n, 1\)\)\)/,
    wrong: { Run: withArguments({ "--limit.$": "States.MathAdd($.n, 1)" }), Done: DONE },
    right: { Run: withArguments({ "--limit.$": "States.Format('{}', States.MathAdd($.n, 1))" }), Done: DONE },
  },
  {
    fact: "A6",
    mistake: "a number of the input as a job argument",
    check: "glue-argument",
    state: "Run",
    says: /--limit is the input's limit, which is not a string, .*\(write States\.Format\('\{\}', \$\.limit\)\)/,
    input: { limit: 5 },
    wrong: { Run: withArguments({ "--limit.$": "$.limit" }), Done: DONE },
    right: { Run: withArguments({ "--limit.$": "States.Format('{}', $.limit)" }), Done: DONE },
  },
  {
    fact: "A6",
    mistake: "an empty job argument",
    check: "glue-argument",
    state: "Run",
    says: /--prefix is empty, which Glue refuses/,
    wrong: { Run: withArguments({ "--prefix": "" }), Done: DONE },
    right: { Run: withArguments({ "--prefix": "." }), Done: DONE },
  },
  {
    fact: "A7",
    mistake: "a function by its ARN",
    check: "function-arn",
    state: "Check",
    says: /calls a function by its ARN.*\(write arn:<partition>:states:::lambda:invoke with FunctionName/,
    wrong: {
      Check: {
        ...invoke({ Parameters: undefined }),
        Resource: "arn:aws:lambda:eu-west-1:111122223333:function:f",
      },
      Done: DONE,
    },
    right: { Check: invoke(), Done: DONE },
  },
  {
    fact: "A7",
    mistake: "an account of nine digits",
    check: "account-id",
    state: "Tell",
    says: /names the account 123456789, which has 9 digits \(write account ids with 12 digits\)/,
    wrong: {
      Tell: publish({ Parameters: { TopicArn: "arn:aws:sns:us-east-1:123456789:t", Message: "m" } }),
      Done: DONE,
    },
    right: { Tell: publish(), Done: DONE },
  },
  {
    fact: "A7",
    mistake: "a function's answer is read beside Payload",
    check: "function-answer",
    state: "Judge",
    says: /reads \$\.quality\.qualityScore, but the answer of the function called by Check is under Payload/,
    wrong: {
      Check: invoke({ ResultPath: "$.quality", Next: "Judge" }),
      Judge: choose("Failed", {
        Variable: "$.quality.qualityScore",
        NumericGreaterThanEquals: 95,
        Next: "Done",
      }),
      Done: DONE,
      Failed: FAIL,
    },
    right: {
      Check: invoke({ ResultPath: "$.quality", Next: "Judge" }),
      Judge: choose("Failed", {
        Variable: "$.quality.Payload.qualityScore",
        NumericGreaterThanEquals: 95,
        Next: "Done",
      }),
      Done: DONE,
      Failed: FAIL,
    },
  },
  {
    fact: "A8",
    mistake: "an error is caught into a success",
    check: "caught-success",
    state: "Run",
    says: /an error caught here goes to Tell and ends in success at Done \(end that way in a Fail state/,
    wrong: { Run: job(caught({ ResultPath: "$.error", Next: "Tell" })), Tell: publish(), Done: DONE },
    right: { Run: job(), Done: DONE },
  },
  {
    fact: "A8",
    mistake: "a check that failed ends in success",
    check: "named-failure",
    state: "NotifyQualityIssue",
    says: /is named like a failure and ends in success at Done/,
    wrong: {
      Judge: choose("NotifyQualityIssue", {
        Variable: "$.score",
        NumericGreaterThanEquals: 95,
        Next: "Done",
      }),
      NotifyQualityIssue: publish(),
      Done: DONE,
    },
    right: {
      Judge: choose("NotifyQualityIssue", {
        Variable: "$.score",
        NumericGreaterThanEquals: 95,
        Next: "Done",
      }),
      NotifyQualityIssue: publish({ Next: "Failed" }),
      Done: DONE,
      Failed: FAIL,
    },
  },
  {
    fact: "A8",
    mistake: "every error is caught into a Fail state, where a redrive fails again",
    check: "redrive",
    state: "Run",
    says: /catches States\.ALL and ends in the Fail state Failed, .*\(do not catch: let the Task fail/,
    wrong: { Run: job(caught({ ResultPath: "$.error", Next: "Failed" })), Done: DONE, Failed: FAIL },
    right: { Run: job(), Done: DONE },
  },
  {
    fact: "A8",
    mistake: "a subject that SNS refuses",
    check: "subject",
    state: "Tell",
    says: /its Subject of 101 characters is refused by SNS/,
    wrong: {
      Tell: publish({ Parameters: { TopicArn: "${T}", Message: "m", Subject: "x".repeat(101) } }),
      Done: DONE,
    },
    right: {
      Tell: publish({ Parameters: { TopicArn: "${T}", Message: "m", Subject: "x".repeat(100) } }),
      Done: DONE,
    },
  },
  {
    fact: "A9",
    mistake: "an execution with a name of the day",
    check: "execution-name",
    state: "Start",
    says: /a name stays taken for 90 days.*\(leave Name out/,
    wrong: { Start: startChild({ "Name.$": "States.Format('daily-{}', $.runDate)" }), Done: DONE },
    right: {
      Start: startChild({ "Name.$": "States.Format('daily-{}-{}', $.runDate, States.UUID())" }),
      Done: DONE,
    },
  },
  ...(["Arguments", "Output"] as const).map((field): Mistake => ({
    fact: "A11",
    mistake: `the JSONata field ${field} in a JSONPath machine`,
    check: "jsonata-field",
    state: "Run",
    says: /has the JSONata field (?:Arguments|Output) but uses JSONPath \(write (?:Parameters|ResultSelector)/,
    wrong: { Run: job({ [field]: { JobName: "j" } }), Done: DONE },
    right: { Run: job(), Done: DONE },
  })),
  {
    fact: "A11",
    mistake: "a JSONata expression in a JSONPath machine",
    check: "jsonata-field",
    state: "Run",
    says: /a JSONata expression \{% … %\}, which JSONPath reads as a plain string/,
    wrong: { Run: withArguments({ "--date": "{% $states.input.runDate %}" }), Done: DONE },
    right: { Run: withArguments({ "--date.$": "$.runDate" }), Done: DONE },
  },
  {
    fact: "G2",
    mistake: "a query's answer is read without waiting for the query",
    check: "async-start",
    state: "Query",
    says: /starts a query and does not wait for it.*\(write athena:startQueryExecution\.sync/,
    wrong: { Query: query(""), Read: answer({}, "$.query.QueryExecutionId"), Done: DONE },
    right: { Query: query(".sync"), Read: answer(), Done: DONE },
  },
  {
    fact: "G2",
    mistake: "a query's answer is compared as a number",
    check: "text-as-number",
    state: "Judge",
    says: /compares \$\.answer\.ResultSet\.Rows\[1\]\.Data\[0\]\.VarCharValue as a number, but Athena returns strings/,
    wrong: {
      Query: query(".sync"),
      Read: answer({ Next: "Judge" }),
      Judge: choose("Failed", {
        Variable: "$.answer.ResultSet.Rows[1].Data[0].VarCharValue",
        NumericEquals: 0,
        Next: "Done",
      }),
      Done: DONE,
      Failed: FAIL,
    },
    right: {
      Query: query(".sync"),
      Read: answer({ Next: "Judge" }),
      Judge: choose("Failed", {
        Variable: "$.answer.ResultSet.Rows[1].Data[0].VarCharValue",
        StringEquals: "0",
        Next: "Done",
      }),
      Done: DONE,
      Failed: FAIL,
    },
  },
];
