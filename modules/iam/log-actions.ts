import { type PolicyStatement } from "./policy-statement";

/**
 * The rights to write logs to groups. Glue calls CreateLogGroup even if the group exists.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
 *
 * @param groupArns ARNs without a trailing `:*`
 */
export const logStatements = (groupArns: readonly string[]): PolicyStatement[] => [
  { actions: ["logs:CreateLogGroup"], resources: groupArns.flatMap((arn) => [arn, `${arn}:*`]) },
  { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: groupArns.map((arn) => `${arn}:*`) },
];
