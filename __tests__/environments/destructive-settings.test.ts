import { App, type TerraformStack } from "cdktf";
import { EtlStack } from "../../environments/etl-stack";
import { type EnvironmentData, ENVIRONMENTS, selectEnvironments } from "../../environments/registry";
import { type EnvironmentSettings } from "../../environments/settings";
import { Zone } from "../../index";
import { sampleSubscribers } from "../../local/sample-place";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";

/** Every way that was thought of to make production destroy data; none of them synthesises. */

const PLACE = { ETL_ACCOUNT_ID: "000000000000", ETL_REGION: "eu-west-1", ...sampleSubscribers({}) };
const BOTH_KEYS = { retainData: false, allowDataDestruction: true };
const REFUSED_SETTINGS =
  /^environment 'prod': 'retainData' must be true and 'allowDataDestruction' false in prod, got/;

function select(
  { variables = {}, context }: { variables?: Record<string, string>; context?: unknown },
  data: Partial<EnvironmentData> = {},
) {
  const registry = { prod: { ...ENVIRONMENTS.prod!, ...data } };
  return selectEnvironments({ variables: { ...PLACE, ...variables }, context }, registry);
}

test("prod does not put delivered values into messages and logs, and another environment may", () => {
  expect(() => select({}, { showValuesInMessages: true })).toThrow(
    "environment 'prod': 'showValuesInMessages' must not be true in prod, got true; delivered values go to whoever reads " +
      "messages and logs, and may be personal data: ask Athena for the refused rows instead",
  );
  const shown = (showValuesInMessages?: boolean) =>
    Object.values(
      synthEnvironment(settingsOf("dev", { showValuesInMessages })).resource.aws_glue_job ?? {},
    ).map((job) => (job.default_arguments as Record<string, string>)["--show_values"]);
  expect([...new Set(shown()), ...new Set(shown(true))]).toEqual(["false", "true"]);
});

describe("by settings", () => {
  const attempts: readonly (readonly [string, () => unknown, RegExp])[] = [
    ["retainData false", () => select({}, { retainData: false }), REFUSED_SETTINGS],
    ["allowDataDestruction true", () => select({}, { allowDataDestruction: true }), REFUSED_SETTINGS],
    ["both keys", () => select({}, BOTH_KEYS), REFUSED_SETTINGS],
    [
      "another name, so that nobody sees it is prod",
      () => select({}, { environment: "dev", ...BOTH_KEYS }),
      /^environment 'prod': 'environment' must be "prod" as in the registry, got "dev"$/m,
    ],
    [
      "a variable",
      () => select({ variables: { ETL_PROD_RETAIN_DATA: "false" } }),
      /^environment 'prod': ETL_PROD_RETAIN_DATA gives no setting; variables are ETL_PROD_ACCOUNT_ID, ETL_PROD_REGION, ETL_PROD_GLUE_VERSION, ETL_PROD_ALERTS, ETL_PROD_NOTIFICATIONS, ETL_PROD_PIPELINES, ETL_PROD_ORCHESTRATION, ETL_PROD_ARRIVAL, ETL_PROD_SHOP_HOST, [A-Z_, ]+; all other settings stand in environments\/prod\.ts$/,
    ],
    [
      "the context",
      () => select({ context: { prod: { allowDataDestruction: true } } }),
      /^environment 'prod': context 'etl\.prod\.allowDataDestruction' gives no setting; the context gives accountId, region, glueVersion, alerts, notifications, pipelines, orchestration, arrival, shop; all other/,
    ],
  ];

  test.each(attempts)("%s", (_way, attempt, message) => expect(attempt).toThrow(message));

  test("general variables and context keys reach nothing", () => {
    const [settings] = select({
      variables: { ETL_RETAIN_DATA: "false", ETL_ALLOW_DATA_DESTRUCTION: "true" },
      context: BOTH_KEYS,
    });
    expect(settings).toMatchObject({ retainData: true, allowDataDestruction: false });
  });
});

describe("by the escape hatches of a stack", () => {
  const raw = (stack: EtlStack) => stack.platform.lake.bucketResource(Zone.RAW);
  const key = (stack: EtlStack) => stack.platform.lake.node.findChild("Key").node.findChild("Resource");
  const addressOf = (stack: EtlStack) => `aws_s3_bucket.${raw(stack).friendlyUniqueId}`;
  const FORCED =
    /^environment 'prod': 'aws_s3_bucket\.Lake_Raw_\w+' must have force_destroy false, got true; take the override back/;
  const UNPREVENTED =
    /^environment 'prod': 'aws_s3_bucket\.Lake_Raw_\w+' must have lifecycle\.prevent_destroy true, got (false|undefined); take the override back/;

  const attempts: readonly (readonly [string, (stack: EtlStack) => void, RegExp])[] = [
    ["forceDestroy", (stack) => void (raw(stack).forceDestroy = true), FORCED],
    ["an override of force_destroy", (stack) => raw(stack).addOverride("force_destroy", true), FORCED],
    [
      "force_destroy from a variable",
      (stack) => raw(stack).addOverride("force_destroy", "${var.force}"),
      /must have force_destroy false, got "\$\{var\.force\}"/,
    ],
    [
      "a lifecycle of its own",
      (stack) => void (raw(stack).lifecycle = { preventDestroy: false }),
      UNPREVENTED,
    ],
    ["no lifecycle", (stack) => void (raw(stack).lifecycle = undefined), UNPREVENTED],
    [
      "an override of the lifecycle",
      (stack) => raw(stack).addOverride("lifecycle.prevent_destroy", false),
      UNPREVENTED,
    ],
    [
      "an override of the stack",
      (stack) => stack.addOverride(`resource.${addressOf(stack)}.force_destroy`, true),
      FORCED,
    ],
  ];

  test("the workgroup, whose queries are the record of who asked what", () => {
    const alter = (stack: EtlStack) => void (stack.platform.workgroup.resource.forceDestroy = true);
    expect(() => synthEnvironment(settingsOf("prod"), alter)).toThrow(
      /^environment 'prod': 'aws_athena_workgroup\.Workgroup_\w+' must have force_destroy false, got true; take the override back/,
    );
    const [dev, prod] = ["dev", "prod"].map(
      (name) => Object.values(synthEnvironment(settingsOf(name)).resource.aws_athena_workgroup!)[0],
    );
    expect([dev!.force_destroy, prod!.force_destroy]).toEqual([true, undefined]);
  });

  test.each(attempts)("%s", (_way, alter, message) => {
    expect(() => synthEnvironment(settingsOf("prod"), alter)).toThrow(message);
  });

  test("the key, without which nothing can be read", () => {
    const alter = (stack: EtlStack) =>
      (key(stack) as unknown as TerraformStack).addOverride("lifecycle.prevent_destroy", false);
    expect(() => synthEnvironment(settingsOf("prod"), alter)).toThrow(
      /^environment 'prod': 'aws_kms_key\.Lake_Key_\w+' must have lifecycle\.prevent_destroy true, got false/,
    );
  });

  test("a stack built past the checks of its settings, in an app that skips validations", () => {
    const settings: EnvironmentSettings = { ...settingsOf("prod"), ...BOTH_KEYS };
    const app = new App({ skipValidation: true });
    expect(() => new EtlStack(app, settings).toTerraform()).toThrow(
      /must have lifecycle\.prevent_destroy true, got undefined/,
    );
  });

  test("staging retains data as prod does, and dev may be destroyed", () => {
    const alter = (stack: EtlStack) => void (raw(stack).forceDestroy = true);
    expect(() => synthEnvironment(settingsOf("staging"), alter)).toThrow(
      /^environment 'staging': 'aws_s3_bucket/,
    );
    expect(synthEnvironment(settingsOf("dev")).resource.aws_s3_bucket).toBeDefined();
  });
});
