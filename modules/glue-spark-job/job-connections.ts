import { DefaultTokenResolver, type ITerraformDependable, StringConcat, Token, Tokenization } from "cdktf";
import { type IConstruct } from "constructs";
import { type UploadedFile } from "../artifacts/artifact-file";
import { partitionOf, viaService } from "../core/partition";
import { type Mistake } from "../core/refusals";
import { type PolicyStatement } from "../iam/policy-statement";
import { readObjectStatements } from "../iam/s3-actions";

/** A connection of Glue that a job uses: a `GlueConnection`, or what is said of an existing one. */
export interface IGlueConnection {
  /** Physical name. */
  readonly connectionName: string;
  /**
   * The subnet it leads into. With one, the job's role may make network interfaces.
   * @default - the connection is in no VPC
   */
  readonly subnetId?: string;
  /**
   * The Secrets Manager secret that it names.
   * @default - none
   */
  readonly secretArn?: string;
  /**
   * The KMS key of that secret.
   * @default - the key of Secrets Manager, which needs no right
   */
  readonly secretKeyArn?: string;
  /**
   * The certificate of the authority that signed the server's, which the job reads.
   * @default - Java's trust store decides
   */
  readonly certificate?: UploadedFile;
  /**
   * Resources that must exist before a job that names it.
   * @default - none
   */
  readonly dependencies?: readonly ITerraformDependable[];
}

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * Lists the mistakes in `connections`. A run's network interfaces are in one subnet.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/console-connections.html
 */
export function connectionMistakes(connections: readonly IGlueConnection[], scope: IConstruct): Mistake[] {
  const names = connections.map(({ connectionName }) => connectionName);
  const subnets = connections.map(({ subnetId }) => subnetOf(subnetId, scope));
  return connections.flatMap(({ connectionName, subnetId, secretArn, secretKeyArn }, index) => {
    const field = `connections[${index}]`;
    const mistakes: Mistake[] = [];
    const first = names.indexOf(connectionName);
    if (isKnown(connectionName) && !/^[^\s,][^,\r\n\t]{0,254}$/.test(connectionName)) {
      mistakes.push([
        `${field}.connectionName`,
        `must be the name of a connection, 1 to 255 characters without commas, got ${JSON.stringify(connectionName)}`,
      ]);
    }
    if (first < index) {
      mistakes.push([
        `${field}.connectionName`,
        `must be listed once, got '${connectionName}' like 'connections[${first}]'`,
      ]);
    }
    const other = subnets.findIndex((subnet) => differ(subnet, subnets[index]));
    if (subnetId !== undefined && other >= 0 && other < index) {
      mistakes.push([
        `${field}.subnetId`,
        `must be the subnet of 'connections[${other}]', ${subnets[other]}, got ${subnets[index]}: a run is in one subnet, ` +
          "and could not reach the other connection",
      ]);
    }
    if (secretArn !== undefined && isKnown(secretArn) && !/^arn:[a-z-]+:secretsmanager:/.test(secretArn)) {
      // A secret given by mistake must not be repeated in a message.
      mistakes.push([`${field}.secretArn`, "must be the ARN of a secret in Secrets Manager"]);
    }
    if (secretKeyArn !== undefined && secretArn === undefined) {
      mistakes.push([`${field}.secretKeyArn`, "needs 'secretArn'; leave it out, or name the secret"]);
    }
    return mistakes;
  });
}

/** A subnet as an id or as a reference to a resource of the stack. */
function subnetOf(subnetId: string | undefined, scope: IConstruct): string | undefined {
  if (subnetId === undefined || isKnown(subnetId)) return subnetId;
  const resolver = new DefaultTokenResolver(new StringConcat());
  return String(Tokenization.resolve(subnetId, { scope, resolver, preparing: false }));
}

/** Tells whether two subnets are certainly two: two ids, or two resources. */
function differ(one: string | undefined, other: string | undefined): boolean {
  const kind = (subnet: string): string | undefined =>
    subnet.includes("${") ? /^\$\{aws_subnet\.[\w-]+\.id\}$/.exec(subnet)?.[0] && "resource" : "id";
  if (one === undefined || other === undefined || one === other) return false;
  return kind(one) !== undefined && kind(one) === kind(other);
}

/** Reads of a network have no resource, and the interface to make or delete has no name yet. */
const NETWORK_ACTIONS = [
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeRouteTables",
  "ec2:DescribeSecurityGroups",
  "ec2:DescribeSubnets",
  "ec2:DescribeVpcAttribute",
  "ec2:DescribeVpcEndpoints",
];

/**
 * The rights to look connections up and to use them: their secrets, and for those in a VPC network interfaces, which Glue marks with a
 * tag of its own.
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/create-service-policy.html,
 * https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html (the catalogue above a connection),
 * https://docs.aws.amazon.com/glue/latest/dg/connection-properties-secrets-manager.html
 */
export function connectionStatements(
  connections: readonly IGlueConnection[],
  { account, region }: { readonly account: string; readonly region: string },
): PolicyStatement[] {
  if (connections.length === 0) return [];
  const partition = partitionOf(region);
  const glue = `arn:${partition}:glue:${region}:${account}`;
  return [
    {
      actions: ["glue:GetConnection"],
      resources: [
        `${glue}:catalog`,
        ...connections.map(({ connectionName }) => `${glue}:connection/${connectionName}`),
      ],
    },
    ...connections.flatMap((connection) => secretStatements(connection, region)),
    ...connections.flatMap(({ certificate }) =>
      certificate === undefined ? [] : readObjectStatements(certificate.location, region),
    ),
    ...(connections.some(({ subnetId }) => subnetId !== undefined)
      ? [
          { actions: NETWORK_ACTIONS, resources: ["*"] },
          {
            actions: ["ec2:CreateTags", "ec2:DeleteTags"],
            resources: [`arn:${partition}:ec2:${region}:${account}:network-interface/*`],
            conditions: { "ForAllValues:StringEquals": { "aws:TagKeys": ["aws-glue-service-resource"] } },
          },
        ]
      : []),
  ];
}

function secretStatements({ secretArn, secretKeyArn }: IGlueConnection, region: string): PolicyStatement[] {
  if (secretArn === undefined) return [];
  const read = { actions: ["secretsmanager:GetSecretValue"], resources: [secretArn] };
  if (secretKeyArn === undefined) return [read];
  return [
    read,
    {
      actions: ["kms:Decrypt"],
      resources: [secretKeyArn],
      conditions: { StringEquals: { "kms:ViaService": viaService("secretsmanager", region) } },
    },
  ];
}
