interface Plan extends Record<string, unknown> {
  readonly resource_changes?: readonly (Record<string, unknown> & { readonly module_address?: string })[];
  readonly configuration: {
    readonly provider_config: unknown;
    readonly root_module: { readonly module_calls: Record<string, { readonly module: Module }> };
  };
}

interface Module {
  readonly resources?: readonly { readonly address: string; readonly expressions: unknown }[];
}

/**
 * The plan of one module as if it were a root, with what a review reads and no more: state, planned values, schemas and the
 * time are left out.
 */
export function planOfModule(text: string, name: string): string {
  const module = `module.${name}`;
  const plan = JSON.parse(text) as Plan;
  const { format_version, terraform_version, applyable, complete, errored, configuration } = plan;
  const changes = (plan.resource_changes ?? [])
    .filter(({ module_address }) => module_address === module)
    .map((change) => ({ ...change, module_address: undefined, provider_name: undefined }));
  const { provider_config, root_module } = configuration;
  const resources = (root_module.module_calls[name]?.module.resources ?? []).map(
    ({ address, expressions }) => ({
      address,
      expressions,
    }),
  );
  const trimmed = {
    ...{ format_version, terraform_version, applyable, complete, errored },
    resource_changes: changes,
    configuration: { provider_config, root_module: { resources } },
  };
  return `${JSON.stringify(trimmed, null, 1).replaceAll(`${module}.`, "")}\n`;
}
