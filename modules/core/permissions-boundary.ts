/** Policies of AWS have `aws` instead of an account. */
const POLICY_ARN = /^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}|aws):policy\/[\w+=,.@/-]{1,512}$/;

/** The mistake in the ARN of a permissions boundary, as words that follow its field. */
export function boundaryMistake(policyArn: string): string | undefined {
  if (POLICY_ARN.test(policyArn)) return undefined;
  return (
    `must be the ARN of a managed policy, got ${JSON.stringify(policyArn)}; ` +
    "take it from `aws iam list-policies`: arn:aws:iam::<account>:policy/<name>"
  );
}
