import { GlueConnection, type GlueConnectionConfig } from "@cdktf/provider-aws/lib/glue-connection";
import { DefaultTokenResolver, StringConcat, TerraformResource, TerraformStack, Tokenization } from "cdktf";
import { type Construct } from "constructs";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { type Mistake, Refusals } from "../core/refusals";
import { type Resources, stackNetworkMistakes } from "./stack-network";

/** The types that say something about a network. */
const NETWORK_TYPES = [
  "aws_route",
  "aws_route_table",
  "aws_route_table_association",
  "aws_security_group",
  "aws_security_group_rule",
  "aws_subnet",
  "aws_vpc_endpoint",
  "aws_vpc_endpoint_route_table_association",
  "aws_vpc_security_group_egress_rule",
  "aws_vpc_security_group_ingress_rule",
];

type Block = Readonly<Record<string, unknown>>;

/**
 * A connection that is judged when the stack is rendered: rules and routes may be defined after it, and overrides are then in. An app can
 * skip validations, but not this.
 */
export class JudgedConnectionResource extends GlueConnection {
  constructor(
    private readonly owner: Construct,
    id: string,
    config: GlueConnectionConfig,
    private readonly port: number | undefined,
  ) {
    super(owner, id, config);
  }

  /** @throws Error naming everything that the stack shows to be wrong */
  override toTerraform(): ReturnType<GlueConnection["toTerraform"]> {
    const rendered = super.toTerraform() as unknown;
    const block = this.resolved(rendered).aws_glue_connection![this.friendlyUniqueId]!;
    const refusals = new Refusals("GlueConnection", this.owner.node.path);
    refusals.noteAll(credentialMistakes(block));
    refusals.noteAll(this.networkMistakes(block));
    refusals.throwIfAny();
    return rendered;
  }

  private networkMistakes(block: Block): readonly Mistake[] {
    const { physical_connection_requirements: network } = block as {
      physical_connection_requirements: Readonly<Record<string, unknown>>;
    };
    return stackNetworkMistakes(this.networkOfStack(), {
      subnetId: String(network.subnet_id),
      availabilityZone: String(network.availability_zone),
      securityGroupIds: network.security_group_id_list as readonly string[],
      port: this.port,
    });
  }

  private networkOfStack(): Resources {
    const all: Record<string, Record<string, Block>> = {};
    const resources = TerraformStack.of(this)
      .node.findAll()
      .filter((one): one is TerraformResource => TerraformResource.isTerraformResource(one))
      .filter(({ terraformResourceType: type }) => NETWORK_TYPES.includes(type));
    for (const one of resources)
      for (const [type, blocks] of Object.entries(this.resolved(one.toTerraform())))
        all[type] = { ...all[type], ...blocks };
    return all;
  }

  private resolved(rendered: unknown): Record<string, Record<string, Block>> {
    const resolver = new DefaultTokenResolver(new StringConcat());
    const all: unknown = Tokenization.resolve(rendered, { scope: this, resolver, preparing: false });
    return (all as { resource: Record<string, Record<string, Block>> }).resource;
  }
}

/** The properties of Glue in which a user or a password would stand in plain text. */
const CREDENTIALS = /^(USERNAME|PASSWORD|ENCRYPTED_PASSWORD|.*_PASSWORD)$/;

/** An override can set any property; no message repeats its value. */
function credentialMistakes({ connection_properties: properties = {} }: Block): Mistake[] {
  return Object.entries(properties as Readonly<Record<string, unknown>>).flatMap(
    ([name, value]): Mistake[] => {
      const field = `connection_properties.${name}`;
      if (CREDENTIALS.test(name))
        return [
          [field, "must be left out: credentials are in the secret of 'secretArn'; take the override back"],
        ];
      const mistake = name === "SECRET_ID" ? undefined : plaintextSecretMistake("property", String(value));
      return mistake === undefined ? [] : [[field, mistake]];
    },
  );
}
