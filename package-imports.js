/** Which files may import which packages, as ESLint settings. Who may import whose files stands in import-directions.js. */

const barrel = {
  regex: "^@cdktf/provider-aws$",
  message:
    "Import the deep path (@cdktf/provider-aws/lib/<resource>): the barrel costs seconds and half a gigabyte.",
};
const provider = {
  regex: "^@cdktf/provider-aws",
  message: "Only modules/, patterns/, pipelines/ and environments/ import the AWS provider.",
};
const cdktf = {
  regex: "^(cdktf|constructs|@cdktf/.*)$",
  message: "This file is pure: it imports no cdktf. Take plain values instead of constructs.",
};

/** Rooms that other programs use without making a stack, and the logic that is tested hardest. */
const PURE = [
  "contracts/**/*.ts",
  "definition-checks/**/*.ts",
  "plan-review/**/*.ts",
  "modules/core/**/*.ts",
  "modules/schedules/**/*.ts",
  "modules/artifacts/function-code.ts",
  "modules/artifacts/python-package.ts",
  "modules/data-lake/zone.ts",
  "modules/etl-function/build-layer.ts",
  "modules/etl-function/environment-variables.ts",
  "modules/etl-function/function-alarms.ts",
  "modules/etl-function/function-mistakes.ts",
  "modules/etl-function/layer-archive.ts",
  "modules/etl-function/layer-command.ts",
  "modules/etl-function/runtimes.ts",
  "modules/etl-orchestrator/failure-messages.ts",
  "modules/etl-orchestrator/function-arns.ts",
  "modules/etl-orchestrator/message-text.ts",
  "modules/etl-orchestrator/run-overrides.ts",
  "modules/etl-orchestrator/service-calls.ts",
  "modules/etl-orchestrator/state-machine-definition.ts",
  "modules/etl-orchestrator/step-needs.ts",
  "modules/etl-orchestrator/step.ts",
  "modules/glue-connection/connection-mistakes.ts",
  "modules/glue-connection/jdbc-url.ts",
  "modules/glue-connection/stack-network.ts",
  "modules/glue-crawler/crawler-configuration.ts",
  "modules/glue-spark-job/job-arguments.ts",
  "modules/glue-spark-job/job-capacity.ts",
  "modules/glue-spark-job/named-mistakes.ts",
  "modules/glue-spark-job/spark-conf.ts",
  "modules/glue-spark-job/table-format.ts",
  "modules/iam/log-actions.ts",
  "modules/iam/policy-statement.ts",
  "modules/iam/s3-actions.ts",
  "modules/pipeline-alarms/alarm-mistakes.ts",
  "modules/pipeline-alarms/alarm-table.ts",
  "modules/pipeline-alarms/alarm-texts.ts",
  "modules/pipeline-dashboard/dashboard-body.ts",
  "environments/*settings.ts",
  "environments/budget.ts",
  "environments/dev.ts",
  "environments/prod.ts",
  "environments/staging.ts",
  "pipelines/*settings.ts",
];

const restricted = (files, patterns) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns }] },
});

// The last entry that names a file is the one that holds.
module.exports = [
  restricted(["**/*.ts"], [barrel]),
  restricted(["main.ts", "state.ts", "index.ts", "local/**/*.ts"], [barrel, provider]),
  restricted(PURE, [barrel, cdktf]),
];
