/** An AWS partition, the second part of every ARN. */
export type Partition = "aws" | "aws-cn" | "aws-us-gov";

/**
 * The partition of a region, e.g. `aws-cn` for `cn-north-1`.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function partitionOf(region: string): Partition {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return "aws";
}

/**
 * The value of `kms:ViaService` for a service that uses a KMS key for a caller: its endpoint, which differs in China.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
export function viaService(service: string, region: string): string {
  const suffix = partitionOf(region) === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  return `${service}.${region}.${suffix}`;
}
