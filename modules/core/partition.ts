/** The AWS partition that a region belongs to, as ARNs and service names need it. */
export type Partition = "aws" | "aws-cn" | "aws-us-gov";

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function partitionOf(region: string): Partition {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return "aws";
}

/**
 * How a KMS key knows the service that uses it for somebody (`kms:ViaService`): by its endpoint, which is another in China.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
export function viaService(service: string, region: string): string {
  const suffix = partitionOf(region) === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  return `${service}.${region}.${suffix}`;
}
