import { plaintextSecretMistake } from "../core/plaintext-secret";
import { type Mistake } from "../core/refusals";
import { addressMistakes, type JdbcAddress } from "./jdbc-url";

/** The props of a connection with their defaults. */
export interface JudgedConnection extends JdbcAddress {
  readonly name: string;
  readonly description?: string;
  readonly allowUnencrypted: boolean;
  readonly certificate?: { readonly location: { readonly prefix: string } };
  readonly secretArn: string;
  readonly secretKeyArn?: string;
  readonly subnetId: string;
  readonly availabilityZone: string;
  readonly vpcId?: string;
  readonly securityGroupIds?: readonly string[];
  readonly region: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Glue gives a run's interfaces at most this many: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-connections.html */
const MOST_GROUPS = 50;

type IsKnown = (value: unknown) => boolean;

/** Lists the mistakes in a connection's props: `[field, mistake]`. No message repeats what may be a password. */
export function connectionMistakes(given: JudgedConnection, isKnown: IsKnown): Mistake[] {
  return [
    ...judged("name", given.name, isKnown, nameMistake),
    ...judged("description", given.description, isKnown, (text) =>
      plaintextSecretMistake("description", text),
    ),
    ...addressMistakes(given, isKnown),
    ...encryptionMistakes(given, isKnown),
    ...judged("secretArn", given.secretArn, isKnown, (arn) => secretMistake(arn, given.region, isKnown)),
    ...judged("secretKeyArn", given.secretKeyArn, isKnown, keyMistake),
    ...networkMistakes(given, isKnown),
    ...Object.entries(given.tags ?? {}).flatMap(([tag, value]) =>
      judged(`tags.${tag}`, value, isKnown, (text) => plaintextSecretMistake(tag, text)),
    ),
  ];
}

function judged(
  field: string,
  value: string | undefined,
  isKnown: IsKnown,
  judge: (value: string) => string | undefined,
): Mistake[] {
  const mistake = value === undefined || !isKnown(value) ? undefined : judge(value);
  return mistake === undefined ? [] : [[field, mistake]];
}

const nameMistake = (name: string): string | undefined =>
  /^[A-Za-z0-9_.-]{1,200}$/.test(name)
    ? undefined
    : `must be 1 to 200 letters, digits or _.-, got ${JSON.stringify(name)}`;

/** The six characters at the end are part of the ARN that IAM compares. A name, or an ARN without them, matches no right. */
function secretMistake(arn: string, region: string, isKnown: IsKnown): string | undefined {
  const form = /^arn:[a-z-]+:secretsmanager:([a-z0-9-]+):\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/;
  const [, place] = form.exec(arn) ?? [];
  if (place === undefined)
    return (
      "must be the whole ARN of a secret, arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>; " +
      "the secret holds the keys username and password"
    );
  return !isKnown(region) || place === region
    ? undefined
    : `must be a secret of 'region', ${region}, got one of ${place}: Glue reads it in its own region`;
}

const keyMistake = (arn: string): string | undefined =>
  /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(arn)
    ? undefined
    : `must be a key's ARN, arn:aws:kms:<region>:<account>:key/<id>, got ${JSON.stringify(arn)}`;

function encryptionMistakes(
  { tls, allowUnencrypted, certificate }: JudgedConnection,
  isKnown: IsKnown,
): Mistake[] {
  const mistakes: Mistake[] = [];
  if (!tls && !allowUnencrypted)
    mistakes.push([
      "tls",
      "must be true unless 'allowUnencrypted' is true as well, got false and false: without TLS the password and every row are " +
        "readable on the network",
    ]);
  if (certificate === undefined) return mistakes;
  if (!tls) mistakes.push(["certificate", "needs 'tls'; leave it out, or turn TLS on"]);
  const { prefix } = certificate.location;
  if (isKnown(prefix) && !prefix.endsWith(".pem"))
    mistakes.push(["certificate", `must be a file that ends in .pem, got ${JSON.stringify(prefix)}`]);
  return mistakes;
}

function networkMistakes(given: JudgedConnection, isKnown: IsKnown): Mistake[] {
  return [
    ...judged("subnetId", given.subnetId ?? "", isKnown, (id) => idMistake("subnet", id)),
    ...judged("availabilityZone", given.availabilityZone ?? "", isKnown, (zone) =>
      zoneMistake(zone, given.region, isKnown),
    ),
    ...groupMistakes(given, isKnown),
  ];
}

const idMistake = (kind: string, id: string): string | undefined =>
  new RegExp(`^${kind}-[0-9a-f]{8,17}$`).test(id)
    ? undefined
    : `must be an id such as ${kind}-0a1b2c3d4e5f67890, got ${JSON.stringify(id)}`;

/** Without the zone Glue refuses every run: https://docs.aws.amazon.com/glue/latest/dg/troubleshooting-connection.html */
function zoneMistake(zone: string, region: string, isKnown: IsKnown): string | undefined {
  const remedy = "give the zone of 'subnetId'; without it no run of a job can use the connection";
  if (!/^[a-z]{2,3}(-[a-z]+)+-\d+(-[a-z]+-\d+)?[a-z]$/.test(zone))
    return `must be a zone such as eu-west-1a, got ${JSON.stringify(zone)}; ${remedy}`;
  return !isKnown(region) || zone.startsWith(region)
    ? undefined
    : `must be a zone of 'region', ${region}, got ${zone}; ${remedy}`;
}

function groupMistakes({ vpcId, securityGroupIds: ids }: JudgedConnection, isKnown: IsKnown): Mistake[] {
  if (ids === undefined) {
    return vpcId === undefined
      ? [["vpcId", "must be given without 'securityGroupIds': a security group is made in it"]]
      : judged("vpcId", vpcId, isKnown, (id) => idMistake("vpc", id));
  }
  const mistakes = ids.flatMap((id, index) =>
    judged(`securityGroupIds[${index}]`, id, isKnown, (text) => groupMistake(text)),
  );
  if (vpcId !== undefined)
    mistakes.push(["vpcId", "must be left out with 'securityGroupIds': no group is made"]);
  if (ids.length < 1 || ids.length > MOST_GROUPS)
    mistakes.push(["securityGroupIds", `must be 1 to ${MOST_GROUPS} groups, got ${ids.length}`]);
  return mistakes;
}

/** Glue takes a group's name without a complaint, and the interface then has no group that lets traffic through. */
function groupMistake(id: string): string | undefined {
  const mistake = idMistake("sg", id);
  return mistake === undefined ? undefined : `${mistake}; a group's name is not accepted`;
}
