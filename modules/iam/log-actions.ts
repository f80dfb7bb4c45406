import { type PolicyStatement } from "./policy-statement";

/**
 * What writes its log into groups by itself. Glue asks for the group before it writes, although it is there.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
 *
 * @param groupArns without a trailing `:*`
 */
export const logStatements = (groupArns: readonly string[]): PolicyStatement[] => [
  { actions: ["logs:CreateLogGroup"], resources: groupArns.flatMap((arn) => [arn, `${arn}:*`]) },
  { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: groupArns.map((arn) => `${arn}:*`) },
];
