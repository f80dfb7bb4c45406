import { asRecord, ENVIRONMENTS } from "../environments/registry";
import { type Topic, silentTopics } from "../environments/subscribers";
import { BENCH } from "./places";
import { UserError } from "./user-error";

/** A sample account, region and subscriber where none is set: good for reading and for the bench. */

type Variables = Readonly<Record<string, string | undefined>>;

const PLACE = { ETL_ACCOUNT_ID: BENCH.accountId, ETL_REGION: BENCH.region };
/** A reserved domain: https://www.rfc-editor.org/rfc/rfc2606 */
export const SAMPLE_SUBSCRIBER = "sample@example.com";

/** The sample account and region, unless environment variables or the context set them for any environment. */
export function samplePlace(variables: Variables): Record<string, string> {
  if (variables.CDKTF_CONTEXT_JSON !== undefined) return {};
  const isGiven = (name: string) => {
    const suffix = name.slice("ETL".length);
    return Object.keys(variables).some((given) => given.startsWith("ETL_") && given.endsWith(suffix));
  };
  return Object.fromEntries(Object.entries(PLACE).filter(([name]) => !isGiven(name)));
}

/** A sample subscriber for each topic that needs one and has none in settings, variables or context. */
export function sampleSubscribers(variables: Variables, registry = ENVIRONMENTS): Record<string, string> {
  const isSet = (name: string) => (variables[name] ?? "").trim() !== "";
  const context = variables.CDKTF_CONTEXT_JSON;
  const needed = Object.entries(registry).flatMap(([environment, settings]) =>
    silentTopics(settings)
      .filter((topic) => !isSet(`ETL_${topic.toUpperCase()}`) && !isInContext(context, environment, topic))
      .map((topic) => `ETL_${environment.toUpperCase()}_${topic.toUpperCase()}`),
  );
  return Object.fromEntries(needed.filter((name) => !isSet(name)).map((name) => [name, SAMPLE_SUBSCRIBER]));
}

function isInContext(json: string | undefined, environment: string, topic: Topic): boolean {
  const { etl } = asRecord(parsed(json));
  return asRecord(etl)[topic] !== undefined || asRecord(asRecord(etl)[environment])[topic] !== undefined;
}

function parsed(json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? "{}");
  } catch (error) {
    throw new UserError(`CDKTF_CONTEXT_JSON is not valid JSON: ${(error as Error).message}`);
  }
}
