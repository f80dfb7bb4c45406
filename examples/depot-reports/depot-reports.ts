import { join } from "node:path";
import type { Construct } from "constructs";
import {
  ContractPipeline,
  EtlFunction,
  EtlOrchestrator,
  type EtlPlatform,
  type FlowStep,
  type PolicyStatement,
  Step,
  type Steps,
  Zone,
} from "cdktf-aws-etl";

const CONTRACT = join(__dirname, "..", "parcel-scans");
const REPORTS = "reports/";

/**
 * The scans of a day become a table, and then a report for each depot that the delivery names. Every kind of step is used: those of a pipeline,
 * and between them calls of functions, a choice, a query, things done at once, a list, and a call of S3. A second machine writes one report.
 */
export function defineDepotReports(scope: Construct, platform: EtlPlatform) {
  const { name, lake, account, region } = platform;
  const artifacts = lake.location(Zone.ARTIFACTS);
  const alarms = { alerts: platform.alerts };
  const folder = join(__dirname, "functions", "depots");
  const place = { folder, artifacts, alarms, account, region };
  const listDepots = new EtlFunction(scope, "ListDepots", {
    name: `${name}-list-depots`,
    handler: "depots.list_depots",
    ...place,
  });
  const writeReport = new EtlFunction(scope, "WriteReport", {
    name: `${name}-write-report`,
    handler: "depots.write_report",
    environment: { DEPOTS: "Leeds,Derby,Hull" },
    ...place,
  });
  lake.grantRead(listDepots, Zone.RAW, "scans/");
  for (const statement of mayWriteReports(platform)) writeReport.role.addToPolicy(statement);

  const functions = { listDepots, writeReport };
  const { orchestrator: nightly } = new ContractPipeline(scope, "Scans", {
    platform,
    pipeline: "scans",
    contractFile: join(CONTRACT, "scans.schema.json"),
    rulesFile: join(CONTRACT, "scans.quality.json"),
    steps: (steps) => withReports(steps, platform, functions),
  });
  const oneReport = defineOneReport(scope, platform, functions);
  return { nightly, oneReport };
}

/** The rights to write single objects; lake.grantWrite lets a job replace whole folders. */
function mayWriteReports({ lake, region }: EtlPlatform): PolicyStatement[] {
  const { bucketArn, encryptionKeyArn } = lake.location(Zone.CURATED);
  return [
    { effect: "Allow", actions: ["s3:PutObject"], resources: [`${bucketArn}/${REPORTS}*`] },
    {
      effect: "Allow",
      actions: ["kms:GenerateDataKey"],
      resources: [encryptionKeyArn!],
      conditions: { StringEquals: { "kms:ViaService": `s3.${region}.amazonaws.com` } },
    },
  ];
}

interface Functions {
  readonly listDepots: EtlFunction;
  readonly writeReport: EtlFunction;
}

function withReports(steps: Steps, platform: EtlPlatform, { listDepots, writeReport }: Functions): Steps {
  const raw = platform.lake.bucket(Zone.RAW).bucketName;
  const curated = platform.lake.bucket(Zone.CURATED).bucketName;
  const before: FlowStep[] = [
    Step.invokeFunction("ListDepots", {
      function: listDepots,
      payload: { bucket: raw, "day.$": "$.run.fromDate" },
      idempotent: true,
    }),
    Step.choose("IsDelivered", {
      branches: [
        { when: { Variable: "$.results.listDepots.payload.files", NumericGreaterThan: 0 }, steps: [] },
      ],
      otherwise: [
        Step.fail("NothingCame", {
          error: "NothingDelivered",
          cause: "States.Format('no depot has delivered scans of {}', $.run.fromDate)",
        }),
      ],
    }),
  ];
  const report = Step.invokeFunction("WriteReport", {
    function: writeReport,
    payload: {
      bucket: curated,
      "day.$": "$.run.fromDate",
      "depot.$": "$.item",
      "rows.$": "$.results.countRows.rows",
    },
    idempotent: true,
  });
  const after: FlowStep[] = [
    Step.query("CountRows", {
      sql: "select count(*) as rows from scans where run_date = ?",
      workgroup: platform.workgroup,
      database: platform.lake.database(Zone.PROCESSED).name,
      parameters: ["$.run.fromDate"],
      answer: { rows: "number" },
    }),
    Step.parallel("Publish", {
      branches: {
        reports: [
          Step.forEach("Reports", {
            items: "$.results.listDepots.payload.depots",
            mostItems: 50,
            maxConcurrency: 4,
            toleratedFailures: 1,
            steps: [report],
            keep: "$.results.writeReport.payload.key",
          }),
        ],
        list: [
          Step.task("WriteList", {
            call: "aws-sdk:s3:putObject",
            parameters: {
              Bucket: curated,
              "Key.$": `States.Format('${REPORTS}{}/depots.json', $.run.fromDate)`,
              "Body.$": "States.JsonToString($.results.listDepots.payload.depots)",
            },
            timeoutSeconds: 60,
            retry: [{ ErrorEquals: ["S3.SdkClientException"], IntervalSeconds: 2, MaxAttempts: 3 }],
            statements: mayWriteReports(platform),
          }),
        ],
      },
    }),
  ];
  return steps.insertAfter("AcquireLock", ...before).insertAfter("CheckQuality", ...after);
}

/** Writes the report of one depot again: its input is a day and a depot instead of a run. */
function defineOneReport(
  scope: Construct,
  { name, lake, account, region, notifications, failureMessenger }: EtlPlatform,
  { writeReport }: Functions,
): EtlOrchestrator {
  return new EtlOrchestrator(scope, "OneReport", {
    name: `${name}-one-report`,
    pipeline: "one-report",
    input: {
      fields: {
        day: { type: "string", matches: "20*-*-*" },
        depot: { type: "string" },
        rows: { type: "integer", minimum: 0, default: 0 },
      },
    },
    steps: [
      Step.invokeFunction("WriteReport", {
        function: writeReport,
        payload: {
          bucket: lake.bucket(Zone.CURATED).bucketName,
          "day.$": "$.run.day",
          "depot.$": "$.run.depot",
          "rows.$": "$.run.rows",
        },
        idempotent: true,
      }),
    ],
    notifications,
    failureMessenger,
    account,
    region,
  });
}
