import { ENVIRONMENTS } from "../../environments/registry";
import { isJudged } from "../../plan-review/resource-types";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";

/** The page of this project's own plans is never amber only because of a type. */

const { pipelines } = ENVIRONMENTS.dev!;
const byWorkflow = {
  ...pipelines,
  "mobile-users": { ...pipelines["mobile-users"]!, orchestration: "workflow" as const },
};

test.each([
  ["Step Functions", settingsOf("dev")],
  ["a Glue workflow", settingsOf("dev", { pipelines: byWorkflow })],
  ["production", settingsOf("prod")],
])("every type that is synthesised for %s has a rule", (_, settings) => {
  const types = Object.keys(synthEnvironment(settings).resource);
  expect(types.length).toBeGreaterThan(20);
  expect(types.filter((type) => !isJudged(type))).toEqual([]);
});
