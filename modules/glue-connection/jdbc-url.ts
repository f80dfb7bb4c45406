import { plaintextSecretMistake } from "../core/plaintext-secret";
import { type Mistake } from "../core/refusals";

/** A database engine whose driver Glue has: https://docs.aws.amazon.com/glue/latest/dg/connection-properties.html */
export type JdbcEngine = "mysql" | "oracle" | "postgresql" | "sqlserver";

/** The parts of a connection's URL. */
export interface JdbcAddress {
  readonly engine: JdbcEngine;
  readonly host: string;
  /** As text, because a reference to a port is text too. */
  readonly port: string;
  readonly database: string;
  readonly tls: boolean;
  readonly options: Readonly<Record<string, string>>;
}

interface Engine {
  /** Default ports, with and without TLS. */
  readonly ports: { readonly tls: number; readonly plain: number };
  /** The driver's settings for TLS with the server's name verified, and for none. */
  readonly encrypted: Readonly<Record<string, string>>;
  readonly plain: Readonly<Record<string, string>>;
  /** Matches further settings of TLS and trust, in small letters. */
  readonly managed: RegExp;
  readonly url: (address: JdbcAddress, settings: readonly string[]) => string;
}

const query = (settings: readonly string[]): string =>
  settings.length === 0 ? "" : `?${settings.join("&")}`;

/**
 * Every driver verifies the server's certificate with Java's trust store, and that the certificate names the host.
 *
 * Sources: https://jdbc.postgresql.org/documentation/ssl/ (without its factory the driver wants a file of certificates),
 * https://dev.mysql.com/doc/connector-j/en/connector-j-connp-props-security.html,
 * https://learn.microsoft.com/en-us/sql/connect/jdbc/setting-the-connection-properties,
 * https://docs.oracle.com/en/database/oracle/oracle-database/23/jjdbc/data-sources-and-URLs.html (Easy Connect Plus)
 */
const ENGINES: Readonly<Record<JdbcEngine, Engine>> = {
  mysql: {
    ports: { tls: 3306, plain: 3306 },
    encrypted: { sslMode: "VERIFY_IDENTITY" },
    plain: { sslMode: "DISABLED" },
    managed:
      /ssl|tls|certificate|truststore|keystore|publickey|^(autodeserialize|allowloadlocalinfile.*|allowurlinlocalinfile)$/,
    url: ({ host, port, database }, settings) => `jdbc:mysql://${host}:${port}/${database}${query(settings)}`,
  },
  oracle: {
    ports: { tls: 2484, plain: 1521 },
    encrypted: { ssl_server_dn_match: "true" },
    plain: {},
    managed: /ssl|wallet|truststore|keystore|proxy/,
    url: ({ host, port, database, tls }, settings) =>
      `jdbc:oracle:thin:@${tls ? "tcps" : "tcp"}://${host}:${port}/${database}${query(settings)}`,
  },
  postgresql: {
    ports: { tls: 5432, plain: 5432 },
    encrypted: { sslmode: "verify-full", sslfactory: "org.postgresql.ssl.DefaultJavaSSLFactory" },
    plain: { sslmode: "disable" },
    managed: /ssl|gssenc|socketfactory|authenticationplugin/,
    url: ({ host, port, database }, settings) =>
      `jdbc:postgresql://${host}:${port}/${database}${query(settings)}`,
  },
  sqlserver: {
    ports: { tls: 1433, plain: 1433 },
    encrypted: { encrypt: "true", trustServerCertificate: "false" },
    plain: { encrypt: "false" },
    managed:
      /ssl|encrypt|certificate|trust|keystore|^(servername|server|portnumber|port|database|databasename)$/,
    url: ({ host, port, database }, settings) =>
      [`jdbc:sqlserver://${host}:${port}`, `databaseName=${database}`, ...settings].join(";"),
  },
};

const NAMES = Object.keys(ENGINES);

export const isEngine = (engine: string): engine is JdbcEngine => Object.hasOwn(ENGINES, engine);

/** The port on which an engine listens if nothing else is said. */
export const defaultPort = (engine: JdbcEngine, tls: boolean): number =>
  ENGINES[engine].ports[tls ? "tls" : "plain"];

type IsKnown = (value: unknown) => boolean;

/** The URL, which holds no credentials. Values of options are escaped, except references. */
export function jdbcUrl(address: JdbcAddress, isKnown: IsKnown): string {
  const { encrypted, plain, url } = ENGINES[address.engine];
  const escape = (value: string): string =>
    address.engine === "sqlserver" || !isKnown(value) ? value : encodeURIComponent(value);
  const settings = { ...(address.tls ? encrypted : plain), ...address.options };
  return url(
    address,
    Object.entries(settings).map(([name, value]) => `${name}=${escape(value)}`),
  );
}

/** Glue takes at most this many bytes: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-connections.html */
const LONGEST_URL = 1_024;

/** Lists the mistakes in the parts of a URL: `[field, mistake]`. */
export function addressMistakes(address: JdbcAddress, isKnown: IsKnown): Mistake[] {
  const { engine, host, port, database } = address;
  if (!isEngine(engine))
    return [["engine", `must be one of ${NAMES.join(", ")}, got ${JSON.stringify(engine)}`]];
  const mistakes: Mistake[] = [
    ...mistakeIn("host", host, isKnown, hostMistake),
    ...mistakeIn("port", port, isKnown, portMistake),
    ...mistakeIn("database", database, isKnown, databaseMistake),
    ...optionMistakes(address, isKnown),
  ];
  if (mistakes.length > 0) return mistakes;
  const bytes = Buffer.byteLength(jdbcUrl(address, isKnown));
  return bytes <= LONGEST_URL
    ? []
    : [["options", `must leave the URL at most ${LONGEST_URL} bytes, got ${bytes}`]];
}

function mistakeIn(
  field: string,
  value: string,
  isKnown: IsKnown,
  judge: (value: string) => string | undefined,
): Mistake[] {
  const mistake = isKnown(value) ? judge(value) : undefined;
  return mistake === undefined ? [] : [[field, mistake]];
}

/** A host that holds an `@` or a colon may hold a password, so it is not repeated. */
function hostMistake(host: string): string | undefined {
  if (/[@:/?;=]/.test(host))
    return "must be the host's name alone, without scheme, user, password, port or options; the password belongs into Secrets Manager";
  const isName = host
    .split(".")
    .every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
  return isName && host.length <= 253
    ? undefined
    : `must be a DNS name or an IPv4 address, got ${JSON.stringify(host)}`;
}

function portMistake(port: string): string | undefined {
  const number = Number(port);
  return /^\d+$/.test(port) && number >= 1 && number <= 65_535
    ? undefined
    : `must be a whole number from 1 to 65535, got ${port}`;
}

function databaseMistake(database: string): string | undefined {
  if (/[?;&=@]/.test(database))
    return "must be the database's name alone, without options; give those as 'options', and the password by Secrets Manager";
  return /^[A-Za-z0-9_$.-]{1,128}$/.test(database)
    ? undefined
    : `must be 1 to 128 letters, digits or _$.-, got ${JSON.stringify(database)}`;
}

/** Names of credentials in any driver, in small letters without `_`, `.` and `-`. */
const CREDENTIAL =
  /^(user|username|uid|pwd|passwd|pw|passphrase|(.*password\d*)|accesstoken.*|(.*secret.*)|(.*credential.*)|(.*private ?key.*)|(.*apikey)|(.*token))$/;

function optionMistakes({ engine, options }: JdbcAddress, isKnown: IsKnown): Mistake[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const mistake = optionMistake(engine, name, value, isKnown);
    return mistake === undefined ? [] : [[`options.${name}`, mistake] as const];
  });
}

function optionMistake(
  engine: JdbcEngine,
  name: string,
  value: string,
  isKnown: IsKnown,
): string | undefined {
  const small = name.toLowerCase();
  if (!/^[A-Za-z][\w.]{0,99}$/.test(name)) return "must have a name of letters, digits, _ and .";
  // The value may be a password, so no message repeats it.
  if (CREDENTIAL.test(small.replaceAll(/[_.]/g, "")))
    return "must be left out: the URL is visible in plans, state and consoles; user and password come from the secret of 'secretArn'";
  if (ENGINES[engine].managed.test(small) || Object.hasOwn(ENGINES[engine].encrypted, name))
    return "must be left out: the connection sets it by 'tls' and by its address";
  if (!isKnown(value)) return undefined;
  const secret = plaintextSecretMistake("option", value);
  if (secret !== undefined) return secret;
  if (engine === "sqlserver" && /[;{}]/.test(value)) return "must not hold ; { or }";
  return /^[\x20-\x7e]{1,500}$/.test(value) ? undefined : "must be 1 to 500 printable ASCII characters";
}
