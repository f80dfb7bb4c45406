import { samplePlace } from "../../local/sample-place";

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
