import { plaintextSecretMistake } from "../modules/core/plaintext-secret";

/**
 * Checks every connection of a finished stack, whoever made it: a resource by hand or an override passes no check of the library.
 */

type Block = Readonly<Record<string, unknown>>;
type Properties = Readonly<Record<string, unknown>>;

/** Matches settings in a URL with which a driver accepts a connection without TLS, or a server that nobody has verified. */
const UNENCRYPTED =
  /sslmode=(disable|allow|prefer)|usessl=false|encrypt=(false|no|optional)|trustservercertificate=true|thin:@?tcp:/i;

/** Every mistake, each naming the resource. No message repeats what may be a password. */
export function connectionMistakes(
  connections: Readonly<Record<string, Block>>,
  environment: string,
): string[] {
  return Object.entries(connections).flatMap(([id, { connection_properties: given }]) => {
    const properties = (given ?? {}) as Properties;
    const address = `'aws_glue_connection.${id}'`;
    return [
      ...Object.entries(properties).flatMap(([name, value]) => literalSecrets(address, name, String(value))),
      ...(environment === "prod" ? unencrypted(address, properties) : []),
    ];
  });
}

function literalSecrets(address: string, name: string, value: string): string[] {
  if (/^(ENCRYPTED_)?(USERNAME|PASSWORD)$|_PASSWORD$/.test(name))
    return [
      `${address} must not have '${name}': keep it in Secrets Manager, and set SECRET_ID to the secret`,
    ];
  // Names of Glue's properties say nothing about a value.
  const mistake = name === "SECRET_ID" ? undefined : plaintextSecretMistake("property", value);
  return mistake === undefined ? [] : [`${address}: '${name}' ${mistake}`];
}

function unencrypted(address: string, properties: Properties): string[] {
  const { JDBC_CONNECTION_URL: url, JDBC_ENFORCE_SSL: enforced } = properties;
  if (url === undefined || (enforced === "true" && !UNENCRYPTED.test(JSON.stringify(url)))) return [];
  return [
    `${address} must use TLS in prod: JDBC_ENFORCE_SSL "true", and a URL that verifies the server, got ${JSON.stringify(enforced)}; ` +
      "turn TLS on",
  ];
}
