/** AWS's own policies have `aws` in the place of the account. */
const POLICY_ARN = /^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}|aws):policy\/[\w+=,.@/-]{1,512}$/;

/** What is wrong with the ARN of a managed policy that is to bound roles, in words that follow its name. */
export function boundaryMistake(policyArn: string): string | undefined {
  if (POLICY_ARN.test(policyArn)) return undefined;
  return (
    `must be the ARN of a managed policy, got ${JSON.stringify(policyArn)}; ` +
    "take it from `aws iam list-policies`: arn:aws:iam::<account>:policy/<name>"
  );
}
