import { z } from "zod";

/** A mistake of the caller: a file that is missing, is not a plan, or has an unsupported format. */
export class UsageError extends Error {}

export type Values = Readonly<Record<string, unknown>>;

const values = z.record(z.string(), z.unknown()).nullish();

const change = z.object({
  address: z.string(),
  mode: z.string(),
  type: z.string(),
  name: z.string(),
  previous_address: z.string().optional(),
  action_reason: z.string().optional(),
  change: z.object({
    actions: z.array(z.enum(["no-op", "create", "read", "update", "delete", "forget"])),
    before: values,
    after: values,
    after_unknown: z.unknown().optional(),
    before_sensitive: z.unknown().optional(),
    after_sensitive: z.unknown().optional(),
    replace_paths: z.array(z.array(z.union([z.string(), z.number()]))).optional(),
    importing: z.unknown().optional(),
  }),
});

const configured = z.object({
  address: z.string(),
  expressions: z.record(z.string(), z.unknown()).optional(),
});

interface ConfiguredModule {
  readonly resources?: readonly z.infer<typeof configured>[];
  readonly module_calls?: Readonly<Record<string, { readonly module?: ConfiguredModule }>>;
}

const configuredModule: z.ZodType<ConfiguredModule> = z.lazy(() =>
  z.object({
    resources: z.array(configured).optional(),
    module_calls: z.record(z.string(), z.object({ module: configuredModule.optional() })).optional(),
  }),
);

const document = z.object({
  format_version: z.string(),
  errored: z.boolean().optional(),
  resource_changes: z.array(change).optional(),
  configuration: z
    .object({
      provider_config: z.record(z.string(), z.object({ expressions: z.unknown().optional() })).optional(),
      root_module: configuredModule.optional(),
    })
    .optional(),
});

export type ResourceChange = z.infer<typeof change>;
export type Expressions = Readonly<Record<string, unknown>>;

/** A plan that was read from the JSON of `terraform show -json PLAN`. */
export interface Plan {
  readonly resources: readonly ResourceChange[];
  /** The configuration of each resource, by address without instance keys; `undefined` if it is not in the plan. */
  readonly configuration?: ReadonlyMap<string, Expressions>;
  /** The accounts that the provider allows, which are the plan's own. */
  readonly allowedAccounts: readonly string[];
}

/**
 * Reads a plan. Fields of later minor versions of the format are ignored, another major version is refused
 * (https://developer.hashicorp.com/terraform/internals/json-format).
 *
 * @param what the text's name in messages, e.g. its file
 * @throws UsageError if it is not a plan that can be reviewed
 */
export function readPlan(text: string, what: string): Plan {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what} is not valid JSON (${(error as Error).message}): ${HOW}`);
  }
  const version = z.object({ format_version: z.string() }).safeParse(json);
  if (!version.success) throw new UsageError(`${what} is not a plan: it has no format_version. ${HOW}`);
  if (!version.data.format_version.startsWith("1."))
    throw new UsageError(
      `${what} has format_version ${version.data.format_version}, but only 1.x is supported: use Terraform 1.1 or later`,
    );
  const parsed = document.safeParse(json);
  if (!parsed.success) throw new UsageError(`${what} is not a plan:\n${z.prettifyError(parsed.error)}`);
  const { resource_changes, configuration, errored } = parsed.data;
  if (resource_changes === undefined && configuration === undefined)
    throw new UsageError(`${what} is a state, not a plan: ${HOW}`);
  if (errored === true)
    throw new UsageError(`${what} is an incomplete plan: Terraform failed while planning`);
  const found = new Map<string, Expressions>();
  if (configuration?.root_module !== undefined) collect(configuration.root_module, "", found);
  return {
    resources: (resource_changes ?? []).filter(({ mode }) => mode === "managed"),
    ...(configuration === undefined ? {} : { configuration: found }),
    allowedAccounts: Object.values(configuration?.provider_config ?? {}).flatMap(allowedAccounts),
  };
}

const HOW = "create it with terraform plan -out=plan.tfplan; terraform show -json plan.tfplan > plan.json";

function collect(module: ConfiguredModule, prefix: string, into: Map<string, Expressions>): void {
  for (const { address, expressions } of module.resources ?? [])
    into.set(prefix + address, expressions ?? {});
  for (const [name, call] of Object.entries(module.module_calls ?? {}))
    if (call.module !== undefined) collect(call.module, `${prefix}module.${name}.`, into);
}

const accounts = z.object({ allowed_account_ids: z.object({ constant_value: z.array(z.string()) }) });

function allowedAccounts({ expressions }: { readonly expressions?: unknown }): string[] {
  const parsed = accounts.safeParse(expressions);
  return parsed.success ? parsed.data.allowed_account_ids.constant_value : [];
}
