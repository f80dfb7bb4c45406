import { plaintextSecretMistake } from "../core/plaintext-secret";
import { type Mistake } from "../core/refusals";

/**
 * The variables that Lambda sets itself and refuses in a function's configuration.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
const RESERVED: readonly string[] = [
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_LAMBDA_RUNTIME_API",
  "LAMBDA_TASK_ROOT",
  "LAMBDA_RUNTIME_DIR",
];

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MOST_BYTES = 4 * 1024;

/** Lists the mistakes in a function's environment variables: `[field, mistake]`. */
export function environmentMistakes(
  variables: Readonly<Record<string, string>>,
  isKnown: (value: unknown) => boolean,
): Mistake[] {
  const mistakes = Object.entries(variables).flatMap(([name, value]): Mistake[] => {
    const mistake = variableMistake(name, value, isKnown);
    return mistake === undefined ? [] : [[`environment.${name}`, mistake]];
  });
  // Lambda measures the variables as JSON.
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (Object.values(variables).every(isKnown) && bytes > MOST_BYTES)
    mistakes.push([
      "environment",
      `must have at most ${MOST_BYTES} bytes of JSON, got ${bytes}; put the rest into a file of 'folder', or into S3`,
    ]);
  return mistakes;
}

function variableMistake(
  name: string,
  value: string,
  isKnown: (value: unknown) => boolean,
): string | undefined {
  if (RESERVED.includes(name)) return "is reserved: Lambda sets it, and refuses it here; choose another name";
  if (!/^[A-Za-z]\w+$/.test(name))
    return "must have a name of two or more letters, digits and underscores that begins with a letter";
  return isKnown(value) ? plaintextSecretMistake(name, value) : undefined;
}
