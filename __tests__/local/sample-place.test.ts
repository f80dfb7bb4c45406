import { ENVIRONMENTS } from "../../environments/registry";
import { SAMPLE_SUBSCRIBER, samplePlace, sampleSubscribers } from "../../local/sample-place";

const ACCOUNT = { ETL_ACCOUNT_ID: "000000000000" };
const REGION = { ETL_REGION: "us-east-1" };

test.each([
  ["nothing given", {}, { ...ACCOUNT, ...REGION }],
  ["an account given", { ETL_ACCOUNT_ID: "1" }, REGION],
  ["one environment's account given", { ETL_PROD_ACCOUNT_ID: "1" }, REGION],
  ["both given", { ETL_ACCOUNT_ID: "1", ETL_DEV_REGION: "x" }, {}],
  ["a context given", { CDKTF_CONTEXT_JSON: "{}" }, {}],
  ["other variables", { ETL_ENVIRONMENTS: "dev", AWS_REGION: "x" }, { ...ACCOUNT, ...REGION }],
])("%s", (_, variables, filled) => {
  expect(samplePlace(variables)).toEqual(filled);
});

const ALL = ["STAGING_NOTIFICATIONS", "STAGING_ALERTS", "PROD_NOTIFICATIONS", "PROD_ALERTS"];
const told = {
  prod: { subscriptions: { notifications: [], alerts: [{ protocol: "email", endpoint: "a@example.com" }] } },
};

test.each<[string, Record<string, string>, string[]]>([
  ["nobody given", {}, ALL],
  ["one given", { ETL_PROD_ALERTS: "a@example.com" }, ALL.slice(0, 3)],
  ["blank ones", { ETL_PROD_ALERTS: " ", ETL_ALERTS: "" }, ALL],
  ["alerts of all environments", { ETL_ALERTS: "a@example.com" }, [ALL[0]!, ALL[2]!]],
  [
    "a context of one",
    { CDKTF_CONTEXT_JSON: JSON.stringify({ etl: { prod: { alerts: "a@example.com" } } }) },
    ALL.slice(0, 3),
  ],
  [
    "a context of all",
    { CDKTF_CONTEXT_JSON: JSON.stringify({ etl: { notifications: "a@example.com" } }) },
    [ALL[1]!, ALL[3]!],
  ],
])("a sample subscriber where an environment needs one: %s", (_, variables, filled) => {
  expect(sampleSubscribers(variables)).toEqual(
    Object.fromEntries(filled.map((name) => [`ETL_${name}`, SAMPLE_SUBSCRIBER])),
  );
});

test("settings with subscribers need no sample", () => {
  const registry = { prod: { ...ENVIRONMENTS.prod!, ...told.prod } } as unknown as typeof ENVIRONMENTS;
  expect(Object.keys(sampleSubscribers({}, registry))).toEqual(["ETL_PROD_NOTIFICATIONS"]);
});
