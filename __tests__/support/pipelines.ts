import { PIPELINES as REGISTRY } from "../../pipelines";

/** All pipelines of the registry, in its order. */
export const ALL_PIPELINES: readonly string[] = REGISTRY.map(({ name }) => name);

/** The pipelines of the registry, in its order, without those that need a connection: tests give them none. */
export const PIPELINES: readonly string[] = REGISTRY.filter((one) => !("hasConnection" in one)).map(
  ({ name }) => name,
);
