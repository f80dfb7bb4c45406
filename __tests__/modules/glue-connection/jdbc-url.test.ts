import {
  addressMistakes,
  type JdbcAddress,
  type JdbcEngine,
  jdbcUrl,
} from "../../../modules/glue-connection/jdbc-url";

/** URLs of every engine, and what is refused in their parts. That the drivers take them is shown in `drivers.test.ts`. */

const SHOP: JdbcAddress = {
  engine: "postgresql",
  host: "shop.example",
  port: "5432",
  database: "shop",
  tls: true,
  options: {},
};
const anything = (): boolean => true;
const mistakes = (change: Partial<JdbcAddress>) => addressMistakes({ ...SHOP, ...change }, anything);

test.each<[JdbcEngine, boolean, string]>([
  [
    "postgresql",
    true,
    "jdbc:postgresql://shop.example:5432/shop?sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory",
  ],
  ["postgresql", false, "jdbc:postgresql://shop.example:5432/shop?sslmode=disable"],
  ["mysql", true, "jdbc:mysql://shop.example:5432/shop?sslMode=VERIFY_IDENTITY"],
  ["mysql", false, "jdbc:mysql://shop.example:5432/shop?sslMode=DISABLED"],
  [
    "sqlserver",
    true,
    "jdbc:sqlserver://shop.example:5432;databaseName=shop;encrypt=true;trustServerCertificate=false",
  ],
  ["sqlserver", false, "jdbc:sqlserver://shop.example:5432;databaseName=shop;encrypt=false"],
  ["oracle", true, "jdbc:oracle:thin:@tcps://shop.example:5432/shop?ssl_server_dn_match=true"],
  ["oracle", false, "jdbc:oracle:thin:@tcp://shop.example:5432/shop"],
])("%s with TLS %s", (engine, tls, url) => {
  expect(jdbcUrl({ ...SHOP, engine, tls }, anything)).toBe(url);
});

test.each<[JdbcEngine, Record<string, string>, string]>([
  ["postgresql", { ApplicationName: "etl & more" }, "&ApplicationName=etl%20%26%20more"],
  ["mysql", { connectionTimeZone: "Europe/Berlin" }, "&connectionTimeZone=Europe%2FBerlin"],
  ["sqlserver", { applicationName: "etl & more" }, ";applicationName=etl & more"],
  ["oracle", { connect_timeout: "30" }, "&connect_timeout=30"],
])("options of %s stand behind the settings of TLS", (engine, options, end) => {
  const url = jdbcUrl({ ...SHOP, engine, options }, anything);
  expect(url.endsWith(end)).toBe(true);
  expect(addressMistakes({ ...SHOP, engine, options }, anything)).toEqual([]);
});

test.each<[string, Partial<JdbcAddress>, string, string]>([
  [
    "an engine",
    { engine: "db2" as JdbcEngine },
    "engine",
    'must be one of mysql, oracle, postgresql, sqlserver, got "db2"',
  ],
  ["an engine of JavaScript", { engine: "toString" as JdbcEngine }, "engine", "must be one of"],
  ["no host", { host: "" }, "host", 'must be a DNS name or an IPv4 address, got ""'],
  ["a host with a space", { host: "shop example" }, "host", "must be a DNS name or an IPv4 address"],
  ["a URL as host", { host: "jdbc:postgresql://shop" }, "host", "must be the host's name alone"],
  ["a host with a port", { host: "shop:5432" }, "host", "must be the host's name alone"],
  ["port 0", { port: "0" }, "port", "must be a whole number from 1 to 65535, got 0"],
  ["port 65536", { port: "65536" }, "port", "must be a whole number from 1 to 65535, got 65536"],
  ["half a port", { port: "1.5" }, "port", "must be a whole number from 1 to 65535, got 1.5"],
  ["no database", { database: "" }, "database", 'must be 1 to 128 letters, digits or _$.-, got ""'],
  ["a slash in the database", { database: "a/b" }, "database", "must be 1 to 128 letters"],
  ["an option with a wrong name", { options: { "a;b": "1" } }, "options.a;b", "must have a name of"],
  ["an option without a value", { options: { a: "" } }, "options.a", "must be 1 to 500 printable"],
  ["a line break", { options: { a: "b\nc" } }, "options.a", "must be 1 to 500 printable"],
  [
    "another option in a value for SQL Server",
    { engine: "sqlserver", options: { applicationName: "a;encrypt=false" } },
    "options.applicationName",
    "must not hold ; { or }",
  ],
  [
    "a URL that Glue would refuse",
    { options: { a: "x".repeat(500), b: "x".repeat(500) } },
    "options",
    "must leave the URL at most 1024 bytes, got",
  ],
])("refused: %s", (_what, change, field, message) => {
  const found = mistakes(change);
  expect(found.map(([name]) => name)).toEqual([field]);
  expect(found[0]![1]).toContain(message);
});

const PASSWORD = "hunter2-" + "x9";

test.each<[string, Partial<JdbcAddress>]>([
  ["before the host", { host: `etl:${PASSWORD}@shop.example` }],
  ["behind the host", { host: `shop.example?password=${PASSWORD}` }],
  ["behind the database", { database: `shop?user=etl&password=${PASSWORD}` }],
  ["behind the database of SQL Server", { engine: "sqlserver", database: `shop;password=${PASSWORD}` }],
  ...[
    "password",
    "PASSWORD",
    "user",
    "Pwd",
    "passwd",
    "password1",
    "sslpassword",
    "access_token",
    "accessToken",
  ].map((name): [string, Partial<JdbcAddress>] => [`as option ${name}`, { options: { [name]: PASSWORD } }]),
  ["as Oracle's option", { engine: "oracle", options: { "oracle.net.wallet_password": PASSWORD } }],
  ["as SQL Server's option", { engine: "sqlserver", options: { keyStoreSecret: PASSWORD } }],
  ["in an option's value", { options: { ApplicationName: `etl;password=${PASSWORD}` } }],
])("a password %s is refused, and no message repeats it", (_where, change) => {
  const found = mistakes(change);
  expect(found).toHaveLength(1);
  expect(found.join()).not.toContain(PASSWORD);
  expect(found[0]![1]).toMatch(/Secrets Manager|secretArn/);
});

test.each<[JdbcEngine, string]>([
  ["postgresql", "sslmode"],
  ["postgresql", "ssl"],
  ["postgresql", "sslfactory"],
  ["postgresql", "socketFactory"],
  ["postgresql", "gssEncMode"],
  ["mysql", "useSSL"],
  ["mysql", "sslMode"],
  ["mysql", "requireSSL"],
  ["mysql", "verifyServerCertificate"],
  ["mysql", "trustCertificateKeyStoreUrl"],
  ["mysql", "allowPublicKeyRetrieval"],
  ["mysql", "allowLoadLocalInfile"],
  ["sqlserver", "encrypt"],
  ["sqlserver", "Encrypt"],
  ["sqlserver", "trustServerCertificate"],
  ["sqlserver", "hostNameInCertificate"],
  ["sqlserver", "serverName"],
  ["oracle", "ssl_server_dn_match"],
  ["oracle", "wallet_location"],
])("%s: '%s' cannot weaken TLS", (engine, name) => {
  expect(mistakes({ engine, options: { [name]: "false" } })).toEqual([
    [`options.${name}`, "must be left out: the connection sets it by 'tls' and by its address"],
  ]);
});

test("all mistakes at once", () => {
  const found = mistakes({ host: "", port: "x", database: "", options: { user: "a", sslmode: "b" } });
  expect(found.map(([field]) => field)).toEqual([
    "host",
    "port",
    "database",
    "options.user",
    "options.sslmode",
  ]);
});

test("references are left alone, and stay as they are", () => {
  const reference = "${aws_db_instance.Shop.address}";
  const isKnown = (value: unknown): boolean => value !== reference;
  const given = { ...SHOP, host: reference, port: reference, options: { ApplicationName: reference } };
  expect(addressMistakes(given, isKnown)).toEqual([]);
  expect(jdbcUrl(given, isKnown)).toBe(
    `jdbc:postgresql://${reference}:${reference}/shop?sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory` +
      `&ApplicationName=${reference}`,
  );
});
