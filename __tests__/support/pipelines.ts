import { PIPELINES as REGISTRY } from "../../pipelines";

/** The pipelines of the registry, in its order. */
export const PIPELINES: readonly string[] = REGISTRY.map(({ name }) => name);
