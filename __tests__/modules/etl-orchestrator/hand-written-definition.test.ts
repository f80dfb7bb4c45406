import { type EtlOrchestratorProps } from "../../../modules/etl-orchestrator/etl-orchestrator";
import { ACCOUNT, eventsProps, REGION, synthOrchestrator, TOPIC_ARN } from "../../support/orchestrator";
import { LOG_DELIVERY, sorted, TRACING } from "../../support/policy-statements";

const NAME = "etl-dev-events";

describe("a definition written by hand", () => {
  const job = (rest: object = {}) => ({
    Type: "Task",
    Resource: "arn:${Partition}:states:::glue:startJobRun.sync",
    Parameters: { JobName: "${JobName}" },
    TimeoutSeconds: "${TimeoutSeconds}",
    ResultPath: null,
    Retry: [{ ErrorEquals: ["Glue.ThrottlingException"] }],
    ...rest,
  });
  const template = (states: object, rest: object = {}) =>
    ({ StartAt: "Run", States: states, ...rest }) as never;
  const brought = (definition: EtlOrchestratorProps["definition"]): EtlOrchestratorProps => ({
    ...eventsProps(),
    steps: undefined,
    definition,
  });
  const values = { JobName: "legacy", TimeoutSeconds: 600 };

  test("is filled, checked, and its rights are derived", () => {
    const tell = {
      Type: "Task",
      Resource: "arn:${Partition}:states:::sns:publish",
      Parameters: { TopicArn: "${TopicArn}", Message: "done" },
      Retry: [{ ErrorEquals: ["States.TaskFailed"] }],
      End: true,
    };
    const { definition, statements } = synthOrchestrator(
      brought({ template: template({ Run: job({ Next: "Tell" }), Tell: tell }), values }),
    );
    expect(definition(NAME)).toEqual({
      StartAt: "Run",
      TimeoutSeconds: 86_400,
      States: {
        Run: {
          ...job({ Next: "Tell" }),
          Resource: "arn:aws:states:::glue:startJobRun.sync",
          Parameters: { JobName: "legacy" },
          TimeoutSeconds: 600,
        },
        Tell: {
          ...tell,
          Resource: "arn:aws:states:::sns:publish",
          Parameters: { TopicArn: TOPIC_ARN, Message: "done" },
        },
      },
    });
    expect(sorted(statements(NAME))).toEqual(
      sorted([
        {
          Effect: "Allow",
          Action: ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
          Resource: `arn:aws:glue:${REGION}:${ACCOUNT}:job/legacy`,
        },
        { Effect: "Allow", Action: "sns:Publish", Resource: TOPIC_ARN },
        LOG_DELIVERY,
        TRACING,
      ]),
    );
  });

  test("keeps its own time-out", () => {
    const one = brought({ template: template({ Run: job({ End: true }) }, { TimeoutSeconds: 900 }), values });
    expect(synthOrchestrator(one).definition(NAME).TimeoutSeconds).toBe(900);
    expect(() => synthOrchestrator({ ...one, timeoutMinutes: 10 })).toThrow(
      "'timeoutMinutes' must be left out if the definition has its own TimeoutSeconds",
    );
  });

  test("is refused with all its findings", () => {
    const states = {
      Run: job({
        ResultPath: undefined,
        Retry: [{ ErrorEquals: ["States.ALL"] }],
        Next: "Crawl",
      }),
      Crawl: {
        Type: "Task",
        Resource: "arn:aws:states:::glue:startCrawler",
        Parameters: { "Name.$": "$.crawler" },
        Retry: [{ ErrorEquals: ["Glue.ThrottlingException"] }],
        End: true,
      },
    };
    const plain = JSON.parse(JSON.stringify(states)) as object;
    expect(() => synthOrchestrator(brought({ template: template(plain), values }))).toThrow(
      "EtlOrchestrator 'etl-dev/Orchestrator': " +
        "'definition' state Run: retries States.ALL, so a failed run is run, and paid for, again (retry only errors of the start itself (Step.runJob does), or list the state in 'retriesEveryError'); " +
        "'definition' state Crawl: the integration glue:startCrawler does not exist (write aws-sdk:glue:startCrawler and poll until it is done (a crawl: Step.crawl)); " +
        '\'definition\' state Crawl: reads $.crawler, which Run replaced (give Run a "ResultPath" (null, or $.results.<step>), or write "ResultPath": "$" there if that is intended); ' +
        "'definition' makes the call glue:startCrawler of state Crawl, whose rights cannot be derived; give them as 'definition.statements'",
    );
  });

  test("is refused with a placeholder left over and a value unused", () => {
    const one = brought({
      template: template({ Run: job({ End: true }) }),
      values: { JobName: "j", Extra: 1 },
    });
    expect(() => synthOrchestrator(one)).toThrow(
      "EtlOrchestrator 'etl-dev/Orchestrator': 'definition' placeholder ${TimeoutSeconds} in \"${TimeoutSeconds}\" has no value; " +
        "'definition' value Extra is used by no placeholder",
    );
  });

  test("may say what it is allowed and which rights cannot be derived", () => {
    const query = {
      Type: "Task",
      Resource: "arn:aws:states:::athena:startQueryExecution.sync",
      Parameters: { QueryString: "select 1" },
      TimeoutSeconds: 60,
      Retry: [{ ErrorEquals: ["Athena.TooManyRequestsException"] }],
      End: true,
    };
    const retried = job({ Retry: [{ ErrorEquals: ["States.TaskFailed"] }], Next: "Query" });
    const statement = {
      actions: ["athena:StartQueryExecution"],
      resources: ["arn:aws:athena:us-east-1:000000000000:workgroup/x"],
    };
    const { statements } = synthOrchestrator(
      brought({
        template: template({ Run: retried, Query: query }),
        values,
        retriesEveryError: ["Run"],
        statements: [statement],
      }),
    );
    expect(statements(NAME)).toContainEqual({
      Effect: "Allow",
      Action: "athena:StartQueryExecution",
      Resource: "arn:aws:athena:us-east-1:000000000000:workgroup/x",
    });
  });

  test("an invalid one is refused", () => {
    expect(() => synthOrchestrator(brought({ template: { States: {} } }))).toThrow(
      "it needs StartAt and States",
    );
  });
});
