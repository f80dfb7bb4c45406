const HOSTS: Readonly<Record<string, string>> = {
  "aws-cn": "console.amazonaws.cn",
  "aws-us-gov": "console.amazonaws-us-gov.com",
};

/** The address of a page of the Step Functions console. `page` has no leading slash, e.g. `executions/details/<arn>`. */
export const statesConsole = (partition: string, region: string, page: string): string =>
  `https://${region}.${HOSTS[partition] ?? "console.aws.amazon.com"}/states/home?region=${region}#/v2/${page}`;
