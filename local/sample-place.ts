import { BENCH } from "./places";

const PLACE = { ETL_ACCOUNT_ID: BENCH.accountId, ETL_REGION: BENCH.region };

/** The sample place, for whatever the environment variables and the context do not give for any environment. */
export function samplePlace(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  if (variables.CDKTF_CONTEXT_JSON !== undefined) return {};
  const isGiven = (name: string) => {
    const suffix = name.slice("ETL".length);
    return Object.keys(variables).some((given) => given.startsWith("ETL_") && given.endsWith(suffix));
  };
  return Object.fromEntries(Object.entries(PLACE).filter(([name]) => !isGiven(name)));
}
