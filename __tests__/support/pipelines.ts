import { PIPELINES as REGISTRY } from "../../pipelines";

/** All pipelines of the registry, in its order. */
export const ALL_PIPELINES: readonly string[] = REGISTRY.map(({ name }) => name);

const CONNECTED = new Set<string>(
  REGISTRY.filter((one) => "hasConnection" in one && one.hasConnection).map(({ name }) => name),
);

/** The pipelines of the registry, in its order, without those that need a connection, or one that does: tests give them none. */
export const PIPELINES: readonly string[] = REGISTRY.filter(
  ({ name, needs = [] }: { readonly name: string; readonly needs?: readonly string[] }) =>
    ![name, ...needs].some((one) => CONNECTED.has(one)),
).map(({ name }) => name);
