const HOSTS: Readonly<Record<string, string>> = {
  "aws-cn": "console.amazonaws.cn",
  "aws-us-gov": "console.amazonaws-us-gov.com",
};

const consoleOf = (partition: string, region: string): string =>
  `https://${region}.${HOSTS[partition] ?? "console.aws.amazon.com"}`;

/** The address of a page of the Step Functions console. `page` has no leading slash, e.g. `executions/details/<arn>`. */
export const statesConsole = (partition: string, region: string, page: string): string =>
  `${consoleOf(partition, region)}/states/home?region=${region}#/v2/${page}`;

/** The address of a function's page of metrics and logs in the Lambda console. */
export const functionConsole = (partition: string, region: string, functionName: string): string =>
  `${consoleOf(partition, region)}/lambda/home?region=${region}#/functions/${functionName}?tab=monitoring`;

/** The address of a Glue workflow's page, with the history of its runs and their graphs, in the Glue console. */
export const workflowConsole = (partition: string, region: string, workflowName: string): string =>
  `${consoleOf(partition, region)}/glue/home?region=${region}#/v2/etl-configuration/workflows/view/${workflowName}`;
