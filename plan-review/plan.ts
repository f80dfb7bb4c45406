import { z } from "zod";
import { type ConfiguredModule, type Configuration, configurationOf } from "./configuration";
import { firstMistake, planObject } from "./plan-text";
import { UsageError } from "./usage-error";

export { UsageError };

export type Values = Readonly<Record<string, unknown>>;

const values = z.record(z.string(), z.unknown()).nullish();

const change = z.object({
  address: z.string(),
  mode: z.string().optional(),
  type: z.string(),
  name: z.string(),
  previous_address: z.string().optional(),
  action_reason: z.string().optional(),
  deposed: z.string().optional(),
  change: z.object({
    actions: z.array(z.enum(["no-op", "create", "read", "update", "delete", "forget"])),
    before: values,
    after: values,
    after_unknown: z.unknown().optional(),
    before_sensitive: z.unknown().optional(),
    after_sensitive: z.unknown().optional(),
    replace_paths: z.array(z.array(z.union([z.string(), z.number()]))).nullish(),
    importing: z.unknown().optional(),
  }),
});

/** An action that the plan invokes, e.g. the start of a state machine. */
const invocation = z.object({
  address: z.string(),
  type: z.string().optional(),
  config_values: values,
  lifecycle_action_trigger: z
    .object({
      triggering_resource_address: z.string().optional(),
      action_trigger_event: z.string().optional(),
    })
    .nullish(),
});

const deferred = z.object({ reason: z.string().optional(), resource_change: change });

const check = z.object({
  address: z.object({ to_display: z.string().optional() }).optional(),
  status: z.string().optional(),
});

const configuredModule: z.ZodType<ConfiguredModule> = z.lazy(() =>
  z.object({
    resources: z
      .array(
        z.object({
          address: z.string(),
          expressions: z.record(z.string(), z.unknown()).optional(),
          for_each_expression: z.unknown().optional(),
          count_expression: z.unknown().optional(),
        }),
      )
      .optional(),
    outputs: z.record(z.string(), z.unknown()).optional(),
    module_calls: z
      .record(
        z.string(),
        z.object({
          module: configuredModule.optional(),
          expressions: z.record(z.string(), z.unknown()).optional(),
          for_each_expression: z.unknown().optional(),
        }),
      )
      .optional(),
  }),
);

const document = z.object({
  errored: z.boolean().optional(),
  complete: z.boolean().optional(),
  resource_changes: z.array(change).nullish(),
  resource_drift: z.array(change).nullish(),
  deferred_changes: z.array(deferred).nullish(),
  action_invocations: z.array(invocation).nullish(),
  deferred_action_invocations: z
    .array(z.object({ reason: z.string().optional(), action_invocation: invocation }))
    .nullish(),
  checks: z.array(check).nullish(),
  configuration: z
    .object({
      provider_config: z.record(z.string(), z.object({ expressions: z.unknown().optional() })).optional(),
      root_module: configuredModule.optional(),
    })
    .nullish(),
});

export type ResourceChange = z.infer<typeof change> & {
  /** The reason why Terraform puts the change off to a later plan. */
  readonly deferred?: string;
};
export type Invocation = z.infer<typeof invocation> & { readonly deferred?: string };
export type Expressions = Readonly<Record<string, unknown>>;

/** A plan that was read from the JSON of `terraform show -json PLAN`. */
export interface Plan {
  /** Deferred changes are among them. */
  readonly resources: readonly ResourceChange[];
  /** Resources that something else changed since the last apply. */
  readonly drift: readonly ResourceChange[];
  readonly invocations: readonly Invocation[];
  /** Checks of the configuration that fail, by their addresses. */
  readonly failedChecks: readonly string[];
  /** `false` if Terraform knows that another plan must follow. */
  readonly complete: boolean;
  /** `undefined` if it is not in the plan. */
  readonly configuration?: Configuration;
  /** The accounts that the provider allows, which are the plan's own. */
  readonly allowedAccounts: readonly string[];
}

/**
 * Reads a plan. Fields of later minor versions of the format are ignored, another major version is refused
 * (https://developer.hashicorp.com/terraform/internals/json-format).
 *
 * @param what the text's name in messages, e.g. its file
 * @throws UsageError in one sentence if it is not a plan that can be reviewed
 */
export function readPlan(text: string, what: string): Plan {
  const parsed = document.safeParse(planObject(text, what));
  if (!parsed.success) throw firstMistake(parsed.error, what);
  const { configuration, errored, complete, checks } = parsed.data;
  if (errored === true)
    throw new UsageError(`${what} is an incomplete plan: Terraform failed while planning`);
  const isManaged = ({ mode }: ResourceChange) => mode === undefined || mode === "managed";
  const put = (parsed.data.deferred_changes ?? []).map(({ reason, resource_change }) => ({
    ...resource_change,
    deferred: reason ?? "no reason given",
  }));
  return {
    resources: [...(parsed.data.resource_changes ?? []), ...put].filter(isManaged),
    drift: (parsed.data.resource_drift ?? []).filter(isManaged),
    invocations: [
      ...(parsed.data.action_invocations ?? []),
      ...(parsed.data.deferred_action_invocations ?? []).map(({ reason, action_invocation }) => ({
        ...action_invocation,
        deferred: reason ?? "no reason given",
      })),
    ],
    failedChecks: (checks ?? [])
      .filter(({ status }) => status === "fail" || status === "error")
      .map(({ address }) => address?.to_display ?? "a check"),
    complete: complete !== false,
    ...(configuration?.root_module === undefined
      ? {}
      : { configuration: configurationOf(configuration.root_module) }),
    allowedAccounts: Object.values(configuration?.provider_config ?? {}).flatMap(allowedAccounts),
  };
}

const accounts = z.object({ allowed_account_ids: z.object({ constant_value: z.array(z.string()) }) });

function allowedAccounts({ expressions }: { readonly expressions?: unknown }): string[] {
  const parsed = accounts.safeParse(expressions);
  return parsed.success ? parsed.data.allowed_account_ids.constant_value : [];
}
