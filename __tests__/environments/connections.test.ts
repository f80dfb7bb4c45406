import { GlueConnection as GlueConnectionResource } from "@cdktf/provider-aws/lib/glue-connection";
import { connectionMistakes } from "../../environments/connection-checks";
import { type EtlStack } from "../../environments/etl-stack";
import { GlueConnection, type GlueConnectionProps } from "../../index";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";

/** No environment holds a password in a connection, and prod has none without TLS, however it was made. */

const PASSWORD = "hunter2-" + "x9";
const SHOP: GlueConnectionProps = {
  name: "shop",
  engine: "postgresql",
  host: "shop.example",
  database: "shop",
  secretArn: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:shop-a1B2c3",
  subnetId: "subnet-0a1b2c3d",
  availabilityZone: "eu-west-1a",
  securityGroupIds: ["sg-0a1b2c3d"],
  region: "eu-west-1",
};
const PLAIN = { tls: false, allowUnencrypted: true };

const byHand = (properties: Record<string, string>) => (stack: EtlStack) =>
  void new GlueConnectionResource(stack, "Shop", { name: "shop", connectionProperties: properties });
const shop =
  (change: Partial<GlueConnectionProps> = {}) =>
  (stack: EtlStack) =>
    new GlueConnection(stack, "Shop", { ...SHOP, ...change });
const synthed = (environment: string, alter: (stack: EtlStack) => void) => () =>
  synthEnvironment(settingsOf(environment), alter);
const URL = "jdbc:postgresql://shop.example:5432/shop?sslmode=verify-full";
const NO_TLS = /^environment 'prod': 'aws_glue_connection\.Shop\w*' must use TLS in prod/;

test("TLS is on in prod", () => {
  const { resource } = synthEnvironment(settingsOf("prod"), (stack) => void shop()(stack));
  const [connection] = Object.values(resource.aws_glue_connection!);
  expect(connection!.connection_properties).toMatchObject({ JDBC_ENFORCE_SSL: "true" });
});

test("without TLS: dev may with both keys, prod may not", () => {
  expect(synthed("dev", (stack) => void shop(PLAIN)(stack))).not.toThrow();
  expect(synthed("prod", (stack) => void shop(PLAIN)(stack))).toThrow(NO_TLS);
});

test.each<[string, Record<string, string>]>([
  ["no property", { JDBC_CONNECTION_URL: URL }],
  ["the property off", { JDBC_CONNECTION_URL: URL, JDBC_ENFORCE_SSL: "false" }],
  ...[
    "jdbc:postgresql://h/d?sslmode=disable",
    "jdbc:postgresql://h/d?sslmode=prefer",
    "jdbc:mysql://h/d?sslMode=PREFERRED",
    "jdbc:mysql://h/d?useSSL=false",
    "jdbc:sqlserver://h;encrypt=true;trustServerCertificate=true",
    "jdbc:sqlserver://h;encrypt=false",
    "jdbc:oracle:thin:@tcp://h:1521/d",
  ].map((url): [string, Record<string, string>] => [
    url,
    { JDBC_CONNECTION_URL: url, JDBC_ENFORCE_SSL: "true" },
  ]),
])("prod refuses a connection by hand without TLS: %s", (_how, properties) => {
  const judged = (environment: string) =>
    connectionMistakes({ Shop: { connection_properties: properties } }, environment);
  expect(judged("prod")).toEqual([
    expect.stringMatching(/^'aws_glue_connection\.Shop' must use TLS in prod/),
  ]);
  expect(judged("dev")).toEqual([]);
});

test.each<[string, string, string]>([
  ["the property", "JDBC_ENFORCE_SSL", "false"],
  ["the URL", "JDBC_CONNECTION_URL", "jdbc:mysql://h/d?useSSL=false"],
])("prod refuses an override of %s", (_what, property, value) => {
  const alter = (stack: EtlStack) =>
    shop()(stack).resource.addOverride(`connection_properties.${property}`, value);
  expect(synthed("prod", alter)).toThrow(NO_TLS);
});

test.each(["dev", "prod"])(
  "%s refuses credentials of a connection by hand, and repeats none",
  (environment) => {
    const properties = {
      JDBC_CONNECTION_URL: `${URL}&password=${PASSWORD}`,
      JDBC_ENFORCE_SSL: "true",
      PASSWORD,
    };
    let message = "";
    try {
      synthed(environment, byHand(properties))();
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toContain("must not have 'PASSWORD'");
    expect(message).toContain("'JDBC_CONNECTION_URL' looks like a password");
    expect(message).not.toContain(PASSWORD);
  },
);
