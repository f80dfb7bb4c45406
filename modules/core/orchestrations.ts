/** The orchestrators of a pipeline's runs: a state machine of Step Functions, or Glue's own workflow. */
export const ORCHESTRATIONS = ["stepFunctions", "workflow"] as const;

/** One of {@link ORCHESTRATIONS}. */
export type Orchestration = (typeof ORCHESTRATIONS)[number];
