import { type Mistake } from "./refusals";

/** Regions of the partitions aws-iso*, of which no ARN here would be right. */
export const isElsewhere = (region: string): boolean => /^[a-z]{2}-iso/.test(region);

/** What is wrong with the account and region that a construct is to stand in: `[field, mistake]`. */
export function placeMistakes(
  { account, region }: { readonly account: string; readonly region: string },
  isKnown: (value: string) => boolean,
): Mistake[] {
  const mistakes: Mistake[] = [];
  if (isKnown(account) && !/^\d{12}$/.test(account)) {
    mistakes.push(["account", `must be an AWS account id of 12 digits, got ${JSON.stringify(account)}`]);
  }
  return [...mistakes, ...regionMistakes(region, isKnown)];
}

/** The same of a region alone. */
export function regionMistakes(region: string, isKnown: (value: string) => boolean): Mistake[] {
  const mistakes: Mistake[] = [];
  if (isKnown(region) && !/^[a-z]{2,3}(-[a-z]+)+-\d$/.test(region)) {
    mistakes.push(["region", `must be an AWS region such as eu-west-1, got ${JSON.stringify(region)}`]);
  }
  if (isKnown(region) && isElsewhere(region)) {
    mistakes.push([
      "region",
      `must be a region of the partitions aws, aws-cn or aws-us-gov, got ${JSON.stringify(region)}, whose ARNs are others`,
    ]);
  }
  return mistakes;
}
