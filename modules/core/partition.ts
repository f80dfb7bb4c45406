/** The AWS partition that a region belongs to, as ARNs and service names need it. */
export type Partition = "aws" | "aws-cn" | "aws-us-gov";

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function partitionOf(region: string): Partition {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return "aws";
}
