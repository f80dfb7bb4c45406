/**
 * Matches names of secrets. Job arguments and state machine definitions are visible in plans, states, consoles and logs, so they must
 * not hold secrets in plain text; a secret's name or ARN is allowed.
 *
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids (prefixes of key ids),
 * https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html ("do not pass plaintext secrets")
 */
const NAMED_SO =
  /(^|[_-])(password|passwd|passphrase|pwd|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key)([_-]|$)/;
const NAMES_ONE = /[_-](name|arn)$/;

/** Matches references to stored secrets. */
const REFERENCE = /^arn:[a-z-]+:(secretsmanager|ssm):/;

const LOOKS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["an AWS access key", /(^|[^A-Za-z0-9])(AKIA|ASIA)[A-Z0-9]{16}($|[^A-Za-z0-9])/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a JSON web token", /(^|[^\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/],
  ["a GitHub token", /(^|[^A-Za-z0-9])(gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{22,})/],
  ["a Slack token", /(^|[^A-Za-z0-9])xox[abpors]-[A-Za-z0-9-]{10,}/],
  ["a password in an address", /:\/\/[^\s/:@]+:[^\s/@]+@/],
  [
    "a password in a connection",
    /(^|[?&;,\s{"'])(password|passwd|pwd|secret)\s*["']?\s*[=:]\s*["']?[^\s;&,"'}]+/i,
  ],
];

/** Names the kind of secret that a value looks like, or `undefined`. */
function looksLike(value: string): string | undefined {
  const known = LOOKS.find(([, pattern]) => pattern.test(value))?.[0];
  return known ?? (isSecretAccessKey(value) ? "an AWS secret key" : undefined);
}

/** Tells whether a text is forty characters of base64 with capitals, small letters and digits, and not hexadecimal. */
function isSecretAccessKey(value: string): boolean {
  if (!/^[A-Za-z0-9+/]{40}$/.test(value)) return false;
  return [/[A-Z]/, /[a-z]/, /[0-9]/].every((kind) => kind.test(value)) && !/^[a-f0-9]+$/i.test(value);
}

/**
 * The mistake in a named literal that looks like a secret, as words that follow its name. The value itself is never repeated.
 *
 * @param name a name with words joined by `_`, `-` or capitals
 */
export function plaintextSecretMistake(name: string, value: string): string | undefined {
  if (REFERENCE.test(value)) return undefined;
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
  const isNamedSo = NAMED_SO.test(words) && !NAMES_ONE.test(words);
  const what = isNamedSo ? "a secret" : looksLike(value);
  if (what === undefined) return undefined;
  return (
    `looks like ${what}, and is written to plans, state and logs; keep it in Secrets Manager and ` +
    "pass the secret's ARN as '…_arn' instead"
  );
}
