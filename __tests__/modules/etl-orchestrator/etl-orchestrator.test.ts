import { type TerraformStack } from "cdktf";
import { Step } from "../../../modules/etl-orchestrator/step";
import {
  EtlOrchestrator,
  type EtlOrchestratorProps,
} from "../../../modules/etl-orchestrator/etl-orchestrator";
import { ServiceRole } from "../../../modules/iam/service-role";
import {
  ACCOUNT,
  BOOKS_BUCKET,
  books,
  CRAWL_MACHINE_ARN,
  eventsProps,
  KEY_ARN,
  MACHINE_ARN,
  RecordingTopic,
  REGION,
  synthOrchestrator,
  token,
  TOPIC_ARN,
} from "../../support/orchestrator";

import { LOG_DELIVERY, sorted, TRACING } from "../../support/policy-statements";

const NAME = "etl-dev-events";
const CRAWL = "etl-dev-events-crawl";
/** Its own messenger of failures. */
const FAIL = "etl-dev-events-fail";
const machine = (props: EtlOrchestratorProps, name = NAME) =>
  synthOrchestrator(props).named("aws_sfn_state_machine", name);
describe("what it makes", () => {
  test("a Standard machine, published, logged without data, traced", () => {
    expect(machine(eventsProps())).toMatchObject({
      name: NAME,
      type: "STANDARD",
      publish: true,
      logging_configuration: {
        level: "ALL",
        include_execution_data: false,
        log_destination: expect.stringMatching(
          /^\$\{aws_cloudwatch_log_group\.Orchestrator_LogGroup_\w+\.arn\}:\*$/,
        ) as string,
      },
      tracing_configuration: { enabled: true },
    });
  });

  test("a child machine for the crawls, which the parent waits to exist", () => {
    const { named, definition } = synthOrchestrator(eventsProps());
    expect(named("aws_sfn_state_machine", CRAWL)).toMatchObject({ type: "STANDARD", publish: true });
    expect(named("aws_sfn_state_machine", NAME).depends_on).toEqual([
      expect.stringMatching(/^aws_iam_role_policy\.Orchestrator_Role_/) as string,
      expect.stringMatching(/^aws_sfn_state_machine\.Orchestrator_Crawl_/) as string,
    ]);
    // Deadline (the longer, ten minutes) < child's time-out < the Task's < the machine's.
    const task = definition(NAME).States.CrawlProcessed?.TimeoutSeconds as number;
    expect(definition(CRAWL).TimeoutSeconds).toBe(10 * 75 + 600);
    expect(task).toBe(10 * 75 + 600 + 300);
    expect(definition(NAME).TimeoutSeconds).toBeGreaterThan(task);
    expect(definition(NAME).States.RunJob?.TimeoutSeconds).toBe(75 * 60);
  });

  test("no child machine without a crawl", () => {
    const steps = [Step.runJob("RunJob", { jobName: "j", timeoutMinutes: 1 })];
    const { all, orchestrator } = synthOrchestrator({ ...eventsProps(), steps });
    expect(Object.values(all("aws_sfn_state_machine")).map(({ name }) => name)).toEqual([NAME, FAIL]);
    expect(orchestrator.crawlStateMachineArn).toBeUndefined();
  });

  test("log groups under the vended prefix", () => {
    const groups = Object.values(synthOrchestrator(eventsProps()).all("aws_cloudwatch_log_group"));
    expect(groups.map(({ name, retention_in_days }) => [name, retention_in_days])).toEqual([
      [`/aws/vendedlogs/states/${CRAWL}`, 90],
      [`/aws/vendedlogs/states/${FAIL}`, 90],
      [`/aws/vendedlogs/states/${NAME}`, 90],
    ]);
  });

  test("an alias on the published version", () => {
    const aliases = Object.values(synthOrchestrator(eventsProps()).all("aws_sfn_alias"));
    expect(aliases).toEqual([
      expect.objectContaining({
        name: "live",
        routing_configuration: [
          {
            state_machine_version_arn: expect.stringMatching(
              /^\$\{aws_sfn_state_machine\.\w+\.state_machine_version_arn\}$/,
            ) as string,
            weight: 100,
          },
        ],
      }),
    ]);
  });

  test("constructs whose ids are a promise", () => {
    const { orchestrator } = synthOrchestrator(eventsProps());
    const ids = orchestrator.node
      .findAll()
      .map(({ node }) => node.path)
      .slice(1)
      .map((path) => path.replace("etl-dev/Orchestrator/", ""));
    expect(ids).toEqual([
      ...["Crawl", "Crawl/LogGroup", "Crawl/Role", "Crawl/Role/Resource"],
      ...["Crawl/Role/Policy", "Crawl/Role/Policy/Resource", "Crawl/Resource"],
      ...[
        "LogGroup",
        "Role",
        "Role/Resource",
        "Role/Policy",
        "Role/Policy/Resource",
        "Resource",
        "LiveAlias",
      ],
      ...[
        "FailureMessenger",
        "FailureMessenger/LogGroup",
        "FailureMessenger/Role",
        "FailureMessenger/Role/Resource",
        "FailureMessenger/Role/Policy",
        "FailureMessenger/Role/Policy/Resource",
        "FailureMessenger/Resource",
        "FailureMessenger/RuleRole",
        "FailureMessenger/RuleRole/Resource",
        "FailureMessenger/RuleRole/Policy",
        "FailureMessenger/RuleRole/Policy/Resource",
        "FailureMessenger/UntoldRule",
        "FailureMessenger/UntoldTarget",
      ],
      ...[
        "NewExecutionRule",
        "NewExecutionTarget",
        "MissingRule",
        "MissingTarget",
        "RedriveRule",
        "RedriveTarget",
      ],
      ...["WithoutCauseRule", "WithoutCauseTarget"],
    ]);
  });
});

describe("its roles", () => {
  test("the parent may do exactly what its definition calls", () => {
    const job = `arn:aws:glue:${REGION}:${ACCOUNT}:job/etl-dev-events-transform`;
    expect(sorted(synthOrchestrator(eventsProps()).statements(NAME))).toEqual(
      sorted([
        {
          Effect: "Allow",
          Action: ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
          Resource: job,
        },
        { Effect: "Allow", Action: "states:StartExecution", Resource: CRAWL_MACHINE_ARN },
        {
          Effect: "Allow",
          Action: ["states:DescribeExecution", "states:StopExecution"],
          Resource: `${CRAWL_MACHINE_ARN.replace(":stateMachine:", ":execution:")}:*`,
        },
        {
          Effect: "Allow",
          Action: ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
          Resource: `arn:aws:events:${REGION}:${ACCOUNT}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule`,
        },
        {
          Effect: "Allow",
          Action: "s3:GetObject",
          Resource: `arn:aws:s3:::${BOOKS_BUCKET}/books/events/*/summary.json`,
        },
        {
          Effect: "Allow",
          Action: "kms:Decrypt",
          Resource: KEY_ARN,
          Condition: { StringEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } },
        },
        { Effect: "Allow", Action: "sns:Publish", Resource: TOPIC_ARN },
        {
          Effect: "Allow",
          Action: "states:DescribeExecution",
          Resource: `arn:aws:states:${REGION}:${ACCOUNT}:execution:${NAME}:*`,
        },
        {
          Effect: "Allow",
          Action: [
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
          ],
          Resource: `arn:aws:athena:${REGION}:${ACCOUNT}:workgroup/etl-dev`,
        },
        {
          Effect: "Allow",
          Action: ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"],
          Resource: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/etl-dev-locks`,
        },
        {
          Effect: "Allow",
          Action: "cloudwatch:PutMetricData",
          Resource: "*",
          Condition: { StringEquals: { "cloudwatch:namespace": "EtlPipelines" } },
        },
        LOG_DELIVERY,
        TRACING,
      ]),
    );
  });

  test("the child may look at and start its crawlers, and nothing else", () => {
    expect(sorted(synthOrchestrator(eventsProps()).statements(CRAWL))).toEqual(
      sorted([
        {
          Effect: "Allow",
          Action: ["glue:GetCrawler", "glue:StartCrawler"],
          Resource: [
            `arn:aws:glue:${REGION}:${ACCOUNT}:crawler/etl-dev-events-processed`,
            `arn:aws:glue:${REGION}:${ACCOUNT}:crawler/etl-dev-events-raw`,
          ],
        },
        LOG_DELIVERY,
        TRACING,
      ]),
    );
  });

  test.each([
    [NAME, MACHINE_ARN],
    [CRAWL, CRAWL_MACHINE_ARN],
  ])("only Step Functions for %s assumes them", (name, arn) => {
    const role = synthOrchestrator(eventsProps()).named("aws_iam_role", `${name}-states`);
    expect(JSON.parse(role.assume_role_policy as string)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "states.amazonaws.com" },
          Action: "sts:AssumeRole",
          Condition: {
            StringEquals: { "aws:SourceAccount": ACCOUNT },
            ArnLike: { "aws:SourceArn": `${arn}*` },
          },
        },
      ],
    });
  });

  test("a brought role is granted the same, and none is made but EventBridge's", () => {
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/brought`;
    const { all } = synthOrchestrator((stack: TerraformStack) => ({
      ...eventsProps(),
      role: ServiceRole.fromRoleAttributes(stack, "Brought", { roleName: "brought", roleArn }),
    }));
    expect(Object.values(all("aws_iam_role")).map(({ name }) => name)).toEqual([`${FAIL}-rules`]);
    const policies = Object.values(all("aws_iam_role_policy")).filter(
      ({ role }) => !String(role).includes("RuleRole"),
    );
    expect(policies).toHaveLength(1);
    expect(policies[0]!.policy).toContain("glue:StartCrawler");
    expect(policies[0]!.policy).toContain("glue:BatchStopJobRun");
    for (const one of Object.values(all("aws_sfn_state_machine"))) {
      expect(one.role_arn).toBe(roleArn);
      expect(one.depends_on).toContainEqual(expect.stringMatching(/^aws_iam_role_policy\.Brought_/));
    }
  });

  test("in other partitions every ARN is of that partition", () => {
    const { statements, definition, named } = synthOrchestrator({ ...eventsProps(), region: "cn-north-1" });
    const text = JSON.stringify([statements(NAME), statements(CRAWL), definition(NAME), definition(CRAWL)]);
    expect(text).toContain('"s3.cn-north-1.amazonaws.com.cn"');
    const arns = text.match(/arn:[a-z-]+:(glue|states|events|s3)/g)!;
    expect(new Set(arns.map((arn) => arn.split(":")[1]))).toEqual(new Set(["aws-cn"]));
    expect(named("aws_iam_role", `${NAME}-states`).assume_role_policy).toContain(
      "arn:aws-cn:states:cn-north-1:",
    );
  });
});

describe("every prop", () => {
  test("logRetentionDays, for all log groups", () => {
    const { all } = synthOrchestrator({ ...eventsProps(), logRetentionDays: 30 });
    expect(Object.values(all("aws_cloudwatch_log_group")).map((group) => group.retention_in_days)).toEqual([
      30, 30, 30,
    ]);
  });

  test("includeExecutionData, for both machines", () => {
    const { all } = synthOrchestrator({ ...eventsProps(), includeExecutionData: true });
    const machines = Object.values(all("aws_sfn_state_machine")).filter(({ name }) => name !== FAIL);
    expect(machines).toHaveLength(2);
    for (const one of machines)
      expect(one.logging_configuration).toMatchObject({ include_execution_data: true });
  });

  test("tracing off takes its rights away", () => {
    const { all, statements } = synthOrchestrator({ ...eventsProps(), tracing: false });
    for (const one of Object.values(all("aws_sfn_state_machine")))
      expect(one.tracing_configuration).toEqual({ enabled: false });
    expect(JSON.stringify([statements(NAME), statements(CRAWL)])).not.toContain("xray");
  });

  test("timeoutMinutes", () => {
    expect(synthOrchestrator({ ...eventsProps(), timeoutMinutes: 300 }).definition(NAME).TimeoutSeconds).toBe(
      18_000,
    );
  });

  test("tags, on everything that bears them", () => {
    const { all } = synthOrchestrator({ ...eventsProps(), tags: { team: "data" } });
    const tagged = [
      "aws_sfn_state_machine",
      "aws_cloudwatch_log_group",
      "aws_iam_role",
      "aws_cloudwatch_event_rule",
    ];
    for (const type of tagged)
      for (const one of Object.values(all(type))) expect([type, one.tags]).toEqual([type, { team: "data" }]);
  });

  test("pipeline, in the messages", () => {
    const { all, definition } = synthOrchestrator({ ...eventsProps(), pipeline: "orders" });
    expect(definition(NAME).States.Notify?.Parameters).toMatchObject({ pipeline: "orders" });
    const targets = Object.values(all("aws_cloudwatch_event_target")).filter(({ role_arn }) => role_arn);
    expect(targets).toHaveLength(4);
    for (const one of targets)
      expect(JSON.stringify(one.input_transformer)).toContain('\\"pipeline\\": \\"orders\\"');
  });

  test("none is dropped: without it the output is another", () => {
    const full: EtlOrchestratorProps = {
      ...eventsProps(),
      timeoutMinutes: 400,
      logRetentionDays: 30,
      includeExecutionData: true,
      tracing: false,
      tags: { team: "data" },
    };
    const output = (props: EtlOrchestratorProps) => {
      const { all } = synthOrchestrator(props);
      return JSON.stringify(["aws_sfn_state_machine", "aws_cloudwatch_log_group"].map(all));
    };
    const whole = output(full);
    for (const prop of ["timeoutMinutes", "logRetentionDays", "includeExecutionData", "tracing", "tags"])
      expect([prop, output({ ...full, [prop]: undefined }) === whole]).toEqual([prop, false]);
  });

  test("can be read back", () => {
    const { orchestrator, definition } = synthOrchestrator(eventsProps());
    expect(orchestrator.stateMachineName).toBe(NAME);
    expect(JSON.parse(orchestrator.definition)).toEqual(definition(NAME));
    expect(orchestrator.resource.nameInput).toBe(NAME);
  });

  test("two stand in one stack, and the same props give the same bytes", () => {
    const twice = synthOrchestrator((stack) => {
      new EtlOrchestrator(stack, "Other", { ...eventsProps(), name: "etl-dev-orders" });
      return eventsProps();
    });
    const names = Object.values(twice.all("aws_sfn_state_machine")).map(({ name }) => name);
    expect(names.sort()).toEqual(
      [NAME, CRAWL, FAIL, "etl-dev-orders", "etl-dev-orders-crawl", "etl-dev-orders-fail"].sort(),
    );
    expect(twice.definition(NAME)).toEqual(synthOrchestrator(eventsProps()).definition(NAME));
  });
});

describe("tokens are left alone", () => {
  test("names, topic and bucket that only Terraform knows", () => {
    const topicArn = token("${aws_sns_topic.t.arn}");
    const bucketName = token("${aws_s3_bucket.b.bucket}");
    const steps = [
      Step.crawl("CrawlRaw", { crawlerName: token("${aws_glue_crawler.c.name}") }),
      Step.runJob("RunJob", { jobName: token("${aws_glue_job.j.name}"), timeoutMinutes: 5 }),
      Step.checkBooks("CheckBooks", { books: { ...books, bucketName } }),
      Step.notify("Notify"),
    ];
    const { definition, statements } = synthOrchestrator({
      ...eventsProps(),
      steps,
      notifications: new RecordingTopic(topicArn),
    });
    const { States } = definition(NAME);
    expect(States.CrawlRaw?.Parameters).toMatchObject({
      Input: { crawlerName: "${aws_glue_crawler.c.name}" },
    });
    expect(States.RunJob?.Parameters).toMatchObject({ JobName: "${aws_glue_job.j.name}" });
    expect(States.CheckBooks?.Parameters).toMatchObject({ Bucket: "${aws_s3_bucket.b.bucket}" });
    expect(States.NotifyPublish?.Parameters).toMatchObject({ TopicArn: "${aws_sns_topic.t.arn}" });
    const resources = statements(NAME).map(({ Resource }) => Resource);
    expect(resources).toContain(`arn:aws:glue:${REGION}:${ACCOUNT}:job/\${aws_glue_job.j.name}`);
    expect(resources).toContain("arn:aws:s3:::${aws_s3_bucket.b.bucket}/books/events/*/summary.json");
    expect(resources).toContain("${aws_sns_topic.t.arn}");
    expect(statements(CRAWL)[0]!.Resource ?? "").toBeDefined();
  });

  test("an unknown name and account are not judged", () => {
    expect(() =>
      synthOrchestrator({ ...eventsProps(), name: token("${var.name}"), account: token("${var.account}") }),
    ).not.toThrow();
  });
});
