import type { GlueConnection as GlueConnectionResource } from "@cdktf/provider-aws/lib/glue-connection";
import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group";
import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule";
import { type ITerraformDependable, Token } from "cdktf";
import { Construct } from "constructs";
import { type UploadedFile } from "../artifacts/artifact-file";
import { regionMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { s3Uri } from "../core/s3-location";
import { connectionMistakes } from "./connection-mistakes";
import { defaultPort, isEngine, type JdbcEngine, jdbcUrl } from "./jdbc-url";
import { JudgedConnectionResource } from "./judged-connection-resource";

export { type JdbcEngine } from "./jdbc-url";

/** Props of {@link GlueConnection}. */
export interface GlueConnectionProps {
  /** Physical name, 1 to 200 letters, digits and `_.-`. */
  readonly name: string;
  /** The kind of database; Glue has a driver for each. */
  readonly engine: JdbcEngine;
  /** The server's DNS name, which its certificate must name, or its IPv4 address. */
  readonly host: string;
  /**
   * The port, 1 to 65535.
   * @default - 5432 (PostgreSQL), 3306 (MySQL), 1433 (SQL Server), 2484 (Oracle; 1521 without TLS)
   */
  readonly port?: number;
  /** The database; for Oracle the service name. 1 to 128 letters, digits and `_$.-`. */
  readonly database: string;
  /**
   * Further settings of the driver in the URL, e.g. `{ ApplicationName: "etl" }`. Credentials and settings of TLS are refused.
   * @default - none
   */
  readonly options?: Readonly<Record<string, string>>;
  /**
   * `true`: the driver speaks TLS only, and verifies the server's certificate and name. `false` needs `allowUnencrypted` as well.
   * @default true
   */
  readonly tls?: boolean;
  /**
   * The environment's permission for `tls: false`. Never `true` in prod.
   * @default false
   */
  readonly allowUnencrypted?: boolean;
  /**
   * The certificate of the authority that signed the server's, an uploaded PEM file, for a server that Java's trust store does not trust.
   * @default - Java's trust store decides
   */
  readonly certificate?: UploadedFile;
  /** The whole ARN of the secret with the keys `username` and `password`. */
  readonly secretArn: string;
  /**
   * The KMS key of that secret.
   * @default - the key of Secrets Manager
   */
  readonly secretKeyArn?: string;
  /** The private subnet in which runs get network interfaces. From it S3 and the database must be reachable. */
  readonly subnetId: string;
  /** The subnet's zone, e.g. `eu-west-1a`. */
  readonly availabilityZone: string;
  /**
   * The subnet's VPC. A security group is made in it that lets itself in and out on all TCP ports, HTTPS out, and the database's port out.
   * @default - none: `securityGroupIds` are given
   */
  readonly vpcId?: string;
  /**
   * Ids of groups, of which at least one lets itself in on all TCP ports; those of this stack are checked at synth.
   * @default - a new group in `vpcId`
   */
  readonly securityGroupIds?: readonly string[];
  /** AWS region of the connection, its subnet and its secret, e.g. `eu-west-1`. */
  readonly region: string;
  /** @default - none */
  readonly description?: string;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

const withDefaults = (props: GlueConnectionProps) => {
  const tls = props.tls ?? true;
  const port = props.port ?? (isEngine(props.engine) ? defaultPort(props.engine, tls) : 0);
  return {
    ...props,
    tls,
    // A reference to a number has no digits; as text it is one.
    port: isKnown(port) ? String(port) : Token.asString(port),
    options: props.options ?? {},
    allowUnencrypted: props.allowUnencrypted ?? false,
  };
};

/**
 * A JDBC connection of Glue into a VPC. Its credentials are a reference to Secrets Manager; a user or a password has no way into it. A job
 * that lists it among its `connections` gets the rights to use it.
 *
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-connections.html,
 * https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html
 *
 * @throws Error naming every mistake in the props, before anything is created; at synth naming what the stack shows to be wrong with the
 * network, and an override that sets credentials
 */
export class GlueConnection extends Construct {
  /** The connection. */
  readonly resource: GlueConnectionResource;
  /** Physical name; known in a plan. */
  readonly connectionName: string;
  /** The kind of database. */
  readonly engine: JdbcEngine;
  /** The URL with the driver's settings for TLS; it holds no credentials. */
  readonly jdbcUrl: string;
  /** `true`: TLS with the server's certificate and name verified. */
  readonly tls: boolean;
  /** The secret with the credentials. */
  readonly secretArn: string;
  /** The key of that secret; `undefined` for the key of Secrets Manager. */
  readonly secretKeyArn?: string;
  /** The subnet of the network interfaces. */
  readonly subnetId: string;
  /** The certificate of the server's authority; `undefined` if Java's trust store decides. */
  readonly certificate?: UploadedFile;
  /** The groups of the network interfaces: the given ones or the made one. The database's own group must let one of them in. */
  readonly securityGroupIds: readonly string[];
  /** The connection and its group's rules, for `dependsOn` of a job that names it. */
  readonly dependencies: ITerraformDependable[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: GlueConnectionProps,
  ) {
    super(scope, id);
    this.refuse();

    const whole = withDefaults(props);
    this.connectionName = props.name;
    this.engine = props.engine;
    this.jdbcUrl = jdbcUrl(whole, isKnown);
    this.tls = whole.tls;
    this.secretArn = props.secretArn;
    this.secretKeyArn = props.secretKeyArn;
    this.subnetId = props.subnetId;
    this.certificate = props.certificate;

    const group = props.securityGroupIds === undefined ? this.defineGroup() : undefined;
    this.securityGroupIds = group === undefined ? [...props.securityGroupIds!] : [group.id];
    const rules = group === undefined ? [] : this.defineRules(group, whole.port);
    this.resource = this.defineConnection();
    this.dependencies = [this.resource, ...rules];
  }

  private refuse(): void {
    const { props } = this;
    const refusals = new Refusals("GlueConnection", this.node.path);
    refusals.noteUnfilled(placeholderMistakes(props, isKnown));
    refusals.noteAll(regionMistakes(props.region, isKnown));
    refusals.noteAll(connectionMistakes(withDefaults(props), isKnown));
    refusals.throwIfAny();
  }

  private tags(): Record<string, string> | undefined {
    return this.props.tags && { ...this.props.tags };
  }

  private defineGroup(): SecurityGroup {
    const { name, vpcId } = this.props;
    return new SecurityGroup(this, "SecurityGroup", {
      name: `${name}-glue`,
      description: `Runs of Glue that use the connection ${name}`,
      vpcId,
      tags: this.tags(),
    });
  }

  /** Rules are resources of their own, because a group cannot refer to itself. */
  private defineRules(group: SecurityGroup, port: string): ITerraformDependable[] {
    const all = { securityGroupId: group.id, ipProtocol: "tcp", tags: this.tags() };
    const everyPort = { ...all, fromPort: 0, toPort: 65_535, referencedSecurityGroupId: group.id };
    const database = isKnown(this.props.port) ? Number(port) : this.props.port!;
    return [
      new VpcSecurityGroupIngressRule(this, "FromItself", {
        ...everyPort,
        description: "Workers of a run",
      }),
      new VpcSecurityGroupEgressRule(this, "ToItself", { ...everyPort, description: "Workers of a run" }),
      new VpcSecurityGroupEgressRule(this, "ToAws", {
        ...all,
        fromPort: 443,
        toPort: 443,
        cidrIpv4: "0.0.0.0/0",
        description: "S3 and other services of AWS",
      }),
      new VpcSecurityGroupEgressRule(this, "ToDatabase", {
        ...all,
        fromPort: database,
        toPort: database,
        cidrIpv4: "0.0.0.0/0",
        description: "The database",
      }),
    ];
  }

  private defineConnection(): GlueConnectionResource {
    const { name, description, subnetId, availabilityZone, certificate } = this.props;
    const port = this.props.port ?? defaultPort(this.engine, this.tls);
    return new JudgedConnectionResource(
      this,
      "Resource",
      {
        name,
        description,
        connectionType: "JDBC",
        connectionProperties: {
          JDBC_CONNECTION_URL: this.jdbcUrl,
          JDBC_ENFORCE_SSL: String(this.tls),
          SECRET_ID: this.secretArn,
          ...(certificate === undefined
            ? {}
            : { CUSTOM_JDBC_CERT: certificate.uri ?? s3Uri(certificate.location) }),
        },
        physicalConnectionRequirements: {
          subnetId,
          availabilityZone,
          securityGroupIdList: [...this.securityGroupIds],
        },
        tags: this.tags(),
      },
      isKnown(port) ? port : undefined,
    );
  }
}
