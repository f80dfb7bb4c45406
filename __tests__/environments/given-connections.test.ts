import { App } from "cdktf";
import { EtlStack } from "../../environments";
import { connectPipelines } from "../../environments/given-connections";
import { selectEnvironments } from "../../environments/registry";

/** The connection of a pipeline that reads a database comes from outside, or the pipeline is left out. */

const PLACE = { ETL_ACCOUNT_ID: "111122223333", ETL_REGION: "eu-west-1", ETL_ENVIRONMENTS: "dev" };
const SHOP = {
  ETL_DEV_SHOP_HOST: "shop.example",
  ETL_DEV_SHOP_PORT: "6432",
  ETL_DEV_SHOP_DATABASE: "shop",
  ETL_DEV_SHOP_SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/reader-a1B2c3",
  ETL_DEV_SHOP_SUBNET_ID: "subnet-0a1b2c3d4e5f67890",
  ETL_DEV_SHOP_AVAILABILITY_ZONE: "eu-west-1a",
  ETL_DEV_SHOP_SECURITY_GROUP_IDS: "sg-0a1b2c3d4e5f67890, sg-1a1b2c3d4e5f67890",
};
const select = (variables: Record<string, string>, context: unknown = {}) =>
  selectEnvironments({ variables: { ...PLACE, ...variables }, context })[0]!;

function refusal(variables: Record<string, string>): string {
  try {
    select(variables);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

const STAGINGS =
  "environment 'dev' has no stg-customers, stg-products, stg-invoices, stg-invoice-lines: they need shop";

test("of an environment without it there is no shop, and a line says so", () => {
  const dev = select({});
  expect(Object.keys(dev.pipelines)).not.toContain("shop");
  expect(dev.notes).toEqual([
    "environment 'dev' has no shop: ETL_DEV_SHOP_HOST, ETL_DEV_SHOP_DATABASE, ETL_DEV_SHOP_SECRET_ARN, " +
      "ETL_DEV_SHOP_SUBNET_ID, ETL_DEV_SHOP_AVAILABILITY_ZONE, ETL_DEV_SHOP_VPC_ID or ETL_DEV_SHOP_SECURITY_GROUP_IDS " +
      "are not set",
    STAGINGS,
  ]);
});

test("a synth writes the line down", () => {
  const app = new App({ outdir: undefined });
  const stack = new EtlStack(app, select({ ETL_DEV_PIPELINES: "" }));
  const lines = stack.node.metadata
    .filter(({ type }) => type === "@cdktf/info")
    .map(({ data }) => String(data));
  expect(lines).toEqual([expect.stringContaining("environment 'dev' has no shop: "), STAGINGS]);
});

test("variables give it, and nothing is left out", () => {
  const dev = select(SHOP);
  expect(dev.notes).toBeUndefined();
  expect(dev.pipelines.shop!.connection).toEqual({
    host: "shop.example",
    port: 6432,
    database: "shop",
    secretArn: SHOP.ETL_DEV_SHOP_SECRET_ARN,
    subnetId: SHOP.ETL_DEV_SHOP_SUBNET_ID,
    availabilityZone: "eu-west-1a",
    securityGroupIds: ["sg-0a1b2c3d4e5f67890", "sg-1a1b2c3d4e5f67890"],
  });
});

test("the context gives it too, and a variable wins", () => {
  const { connection } = select(SHOP).pipelines.shop!;
  const context = { dev: { shop: { ...connection, host: "other.example" } } };
  expect(select({}, context).pipelines.shop!.connection).toEqual({ ...connection, host: "other.example" });
  expect(select({ ETL_DEV_SHOP_HOST: "shop.example" }, context).pipelines.shop!.connection).toEqual(
    connection,
  );
});

test("a part of it is a mistake, and so is a shop that somebody asked for", () => {
  expect(refusal({ ...SHOP, ETL_DEV_SHOP_HOST: "" })).toBe(
    "environment 'dev': 'shop' needs its connection: ETL_DEV_SHOP_HOST is not set",
  );
  expect(refusal({ ETL_DEV_PIPELINES: "shop" })).toContain(
    "environment 'dev': 'shop' needs its connection: ETL_DEV_SHOP_HOST, ",
  );
  expect(select({ ETL_DEV_PIPELINES: "events" }).notes).toBeUndefined();
});

test("a port that is not a number is reported by its field", () => {
  expect(refusal({ ...SHOP, ETL_DEV_SHOP_PORT: "x" })).toContain("'pipelines.shop.connection.port'");
});

test("a misspelt variable is found", () => {
  expect(refusal({ ETL_DEV_SHOP_HOSTS: "shop.example" })).toContain("ETL_DEV_SHOP_HOSTS gives no setting");
});

test("what needs a pipeline that is left out is left out too", () => {
  const registry = [
    { name: "depot", hasConnection: true },
    { name: "stg-depot", needs: ["depot"] },
    { name: "depot-mart", needs: ["stg-depot"] },
    { name: "events" },
  ];
  const settings = Object.fromEntries(registry.map(({ name }) => [name, {}]));
  const { pipelines, notes, mistakes } = connectPipelines(
    "dev",
    { variables: {}, context: {} },
    settings,
    false,
    registry,
  );
  expect(Object.keys(pipelines)).toEqual(["events"]);
  expect(mistakes).toEqual([]);
  expect(notes.slice(1)).toEqual([
    "environment 'dev' has no stg-depot: it needs depot",
    "environment 'dev' has no depot-mart: it needs stg-depot",
  ]);
});
