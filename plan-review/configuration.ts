/** A module of the configuration in a plan's JSON. */
export interface ConfiguredModule {
  readonly resources?: readonly {
    readonly address: string;
    readonly expressions?: Readonly<Record<string, unknown>> | undefined;
    readonly for_each_expression?: unknown;
    readonly count_expression?: unknown;
  }[];
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly module_calls?: Readonly<
    Record<
      string,
      {
        readonly module?: ConfiguredModule | undefined;
        readonly expressions?: Readonly<Record<string, unknown>> | undefined;
        readonly for_each_expression?: unknown;
      }
    >
  >;
}

/** The configuration of a plan, by addresses without instance keys. */
export interface Configuration {
  /** The expressions of a resource. */
  get(address: string): Readonly<Record<string, unknown>> | undefined;
  /** The resources that a resource refers to, or one of its attributes, also by outputs and variables of modules. */
  referencesOf(address: string, attribute?: string): readonly string[];
}

/** Outputs and variables of modules pass references on, so they are nodes too: `module.etl.output.name`, `module.etl.var.name`. */
export function configurationOf(root: ConfiguredModule): Configuration {
  const resources = new Map<string, Readonly<Record<string, unknown>>>();
  const edges = new Map<string, string[]>();
  collect(root, "", resources, edges);
  const resolved = new Map<string, readonly string[]>();
  return {
    get: (address) => resources.get(address),
    referencesOf: (address, attribute) => {
      const start = attribute === undefined ? address : `${address}#${attribute}`;
      const found = resolved.get(start) ?? resourcesFrom(start, resources, edges);
      resolved.set(start, found);
      return found;
    },
  };
}

function collect(
  module: ConfiguredModule,
  prefix: string,
  resources: Map<string, Readonly<Record<string, unknown>>>,
  edges: Map<string, string[]>,
): void {
  for (const one of module.resources ?? []) {
    const { address, expressions = {}, for_each_expression, count_expression } = one;
    resources.set(prefix + address, expressions);
    for (const [attribute, expression] of Object.entries(expressions))
      edges.set(`${prefix}${address}#${attribute}`, nodesIn(expression, prefix));
    edges.set(prefix + address, nodesIn([expressions, for_each_expression, count_expression], prefix));
  }
  for (const [name, output] of Object.entries(module.outputs ?? {}))
    edges.set(`${prefix}output.${name}`, nodesIn(output, prefix));
  for (const [name, call] of Object.entries(module.module_calls ?? {})) {
    const inner = `${prefix}module.${name}.`;
    for (const [variable, expression] of Object.entries(call.expressions ?? {}))
      edges.set(`${inner}var.${variable}`, nodesIn([expression, call.for_each_expression], prefix));
    if (call.module !== undefined) collect(call.module, inner, resources, edges);
  }
}

/** The nodes that expressions refer to: resources, variables, and outputs of modules. */
function nodesIn(expressions: unknown, prefix: string): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    for (const [field, inner] of Object.entries(value))
      if (field === "references" && Array.isArray(inner)) inner.forEach((one) => add(String(one)));
      else visit(inner);
  };
  const add = (reference: string): void => {
    const [first, second, third] = reference.replaceAll(/\[[^\]]*\]/g, "").split(".");
    if (second === undefined) return;
    if (first === "var") found.add(`${prefix}var.${second}`);
    else if (first === "module" && third !== undefined)
      found.add(`${prefix}module.${second}.output.${third}`);
    else if (!["local", "data", "each", "count", "path", "self", "module"].includes(first!))
      found.add(`${prefix}${first}.${second}`);
  };
  visit(expressions);
  return [...found];
}

function resourcesFrom(
  start: string,
  resources: ReadonlyMap<string, unknown>,
  edges: ReadonlyMap<string, readonly string[]>,
): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const open = [...(edges.get(start) ?? [])];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (resources.has(node)) found.add(node);
    else open.push(...(edges.get(node) ?? []));
  }
  return [...found];
}
