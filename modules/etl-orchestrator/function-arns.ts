/**
 * The ARN that IAM checks when a function is invoked.
 *
 * Lambda takes a name, an ARN or a part of one, each with or without a version or an alias; a policy takes ARNs alone, and the ARN of
 * a version or an alias is another resource than the function's.
 * Sources: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (forms of `FunctionName`, `Qualifier`),
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html (resources),
 * https://docs.aws.amazon.com/lambda/latest/dg/versioning-aliases-permissions.html (a right on one ARN gives no right on the other)
 */

export interface FunctionPlace {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** Makes the ARN of what only Terraform knows. @default - it is taken for an ARN */
  readonly arnOfUnknown?: (functionName: string) => string;
}

const QUALIFIER = String.raw`\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}`;
const FORMS = new RegExp(
  String.raw`^(?:(?:arn:(?<partition>aws[a-z-]*):lambda:)?(?<region>[a-z]{2,3}(?:-[a-z]+)+-\d):)?(?:(?<account>\d{12}):)?` +
    String.raw`(?:function:)?(?<name>[A-Za-z0-9_-]{1,64})(?::(?<qualifier>${QUALIFIER}))?$`,
);

/**
 * The resources of `lambda:InvokeFunction` for a call.
 *
 * @param qualifier the call's own; `*` where only the execution knows it
 * @returns the ARNs, or in words what is wrong with the call
 */
export function invokedArns(
  functionName: string,
  qualifier: string | undefined,
  place: FunctionPlace,
  isKnown: (value: string) => boolean = () => true,
): readonly string[] | string {
  if (!isKnown(functionName)) {
    const arn = place.arnOfUnknown?.(functionName) ?? functionName;
    return [qualifier === undefined ? arn : `${arn}:${qualifier}`];
  }
  const parts = FORMS.exec(functionName)?.groups;
  if (parts?.name === undefined)
    return `calls the function ${JSON.stringify(functionName)}, which is neither a function's name nor its ARN`;
  const { partition = place.partition, region = place.region, account = place.account, name } = parts;
  if (qualifier !== undefined && parts.qualifier !== undefined && parts.qualifier !== qualifier)
    return `calls the function ${JSON.stringify(functionName)} with the Qualifier ${JSON.stringify(qualifier)}; Lambda takes one of them`;
  const arn = `arn:${partition}:lambda:${region}:${account}:function:${name}`;
  const asked = qualifier ?? parts.qualifier;
  if (asked === undefined) return [arn];
  // Without a qualifier $LATEST is called too, by the function's own ARN.
  return asked === "$LATEST" ? [arn, `${arn}:$LATEST`] : [`${arn}:${asked}`];
}
