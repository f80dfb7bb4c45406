import { type Mistake } from "./refusals";

/** Tells whether a region belongs to a partition aws-iso*, for which the ARNs composed here would be wrong. */
export const isElsewhere = (region: string): boolean => /^[a-z]{2}-iso/.test(region);

/** Lists the mistakes in a construct's account and region: `[field, mistake]`. */
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

/** Lists the mistakes in a region. */
export function regionMistakes(region: string, isKnown: (value: string) => boolean): Mistake[] {
  const mistakes: Mistake[] = [];
  if (isKnown(region) && !/^[a-z]{2,3}(-[a-z]+)+-\d$/.test(region)) {
    mistakes.push(["region", `must be an AWS region such as eu-west-1, got ${JSON.stringify(region)}`]);
  }
  if (isKnown(region) && isElsewhere(region)) {
    mistakes.push([
      "region",
      `must be a region of the partitions aws, aws-cn or aws-us-gov, got ${JSON.stringify(region)}, whose partition is not supported`,
    ]);
  }
  return mistakes;
}
