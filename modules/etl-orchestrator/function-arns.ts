/** The place of a function that is named without its whole ARN. */
export interface FunctionPlace {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** Makes the ARN of a function whose name is not known at synth. @default - the name is used as an ARN */
  readonly arnOfUnknown?: (functionName: string) => string;
}

const QUALIFIER = String.raw`\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}`;
const FORMS = new RegExp(
  String.raw`^(?:(?:arn:(?<partition>aws[a-z-]*):lambda:)?(?<region>[a-z]{2,3}(?:-[a-z]+)+-\d):)?(?:(?<account>\d{12}):)?` +
    String.raw`(?:function:)?(?<name>[A-Za-z0-9_-]{1,64})(?::(?<qualifier>${QUALIFIER}))?$`,
);

/**
 * The ARNs on which a call needs `lambda:InvokeFunction`. Lambda accepts a name, an ARN or a part of one, with or without a version or an
 * alias; a policy needs ARNs, and the ARN of a version or an alias is another resource than the function's.
 * Sources: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (forms of `FunctionName`, `Qualifier`),
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html (resources),
 * https://docs.aws.amazon.com/lambda/latest/dg/versioning-aliases-permissions.html (a right on one ARN gives no right on the other)
 *
 * @param qualifier the call's own; `*` if it is known at run time only
 * @returns the ARNs, or the mistake in the call as text
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
    return `calls the function ${JSON.stringify(functionName)} with the Qualifier ${JSON.stringify(qualifier)}; Lambda accepts only one of them`;
  const arn = `arn:${partition}:lambda:${region}:${account}:function:${name}`;
  const asked = qualifier ?? parts.qualifier;
  if (asked === undefined) return [arn];
  // A call of $LATEST may be checked on the function's own ARN as well.
  return asked === "$LATEST" ? [arn, `${arn}:$LATEST`] : [`${arn}:${asked}`];
}
