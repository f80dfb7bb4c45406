import { shownPath } from "../core/refusals";
import { S3Object, type S3ObjectConfig } from "@cdktf/provider-aws/lib/s3-object";
import {
  DefaultTokenResolver,
  StringConcat,
  TerraformElement,
  type TerraformStack,
  Tokenization,
} from "cdktf";
import { type Construct, type IConstruct } from "constructs";

/** An object's place, comparable over all stacks of an app, its URI for messages, and the construct that makes it. */
interface Ownership {
  readonly place: string;
  readonly uri: string;
  readonly owner: IConstruct;
}

/** The objects that an app's constructs make, and the places that its synthesised stacks hold. */
interface Register {
  readonly objects: OwnedObject[];
  readonly held: Map<TerraformStack, readonly Ownership[]>;
}

const registers = new WeakMap<IConstruct, Register>();

/**
 * An S3 object that only one construct may make. Two Terraform resources with one key replace each other's content in every apply,
 * and destroying either removes the file of both. Keys are compared when the stack is rendered, because only then tokens are resolved.
 *
 * @throws Error at synth, naming every key that two constructs of the app make
 */
export class OwnedObject extends S3Object {
  constructor(scope: Construct, id: string, config: S3ObjectConfig) {
    super(scope, id, config);
    registerOf(this).objects.push(this);
  }

  override toTerraform(): ReturnType<S3Object["toTerraform"]> {
    refuseSecondOwners(this);
    return super.toTerraform();
  }

  override toHclTerraform(): ReturnType<S3Object["toHclTerraform"]> {
    refuseSecondOwners(this);
    return super.toHclTerraform();
  }
}

function registerOf({ node: { root } }: IConstruct): Register {
  const register = registers.get(root) ?? { objects: [], held: new Map() };
  registers.set(root, register);
  return register;
}

/** Checks a stack once, when its first object is rendered. */
function refuseSecondOwners(object: OwnedObject): void {
  const stack = object.cdktfStack;
  const { objects, held } = registerOf(object);
  const own = objects.filter((one) => one.cdktfStack === stack && isInTree(one));
  if (own[0] !== object) return;
  held.delete(stack);
  const before = [...held.values()].flat();
  const found = own.map(ownershipOf);
  held.set(stack, found);
  const mistakes = found.flatMap((one, index) => {
    const first = [...before, ...found.slice(0, index)].find(({ place }) => place === one.place);
    return first === undefined ? [] : [mistake(one, first)];
  });
  if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
}

const mistake = ({ owner, uri }: Ownership, first: Ownership): string =>
  `${owner.constructor.name} '${shownPath(owner.node.path)}': 'artifacts' must lead to a key of its own, got ${uri}, which ` +
  `${first.owner.constructor.name} '${shownPath(first.owner.node.path)}' makes already: an S3 object belongs to one construct, and is deleted with it; ` +
  "give one of them another prefix in 'artifacts'" +
  // Two users can share an ArtifactFile; a job makes its own script and modules.
  (owner.constructor.name === "ArtifactFile" ? ", or let both use one ArtifactFile" : "");

const makers = new WeakMap<IConstruct, IConstruct>();

/** Names the construct to report as a file's owner, if the caller did not create the file's construct. */
export function setMaker(file: IConstruct, maker: IConstruct): void {
  makers.set(file, maker);
}

function ownershipOf(object: OwnedObject): Ownership {
  const [bucket, key] = [object.bucketInput, object.keyInput].map((text) => rendered(object, text));
  const file = object.node.scope ?? object;
  const owner = makers.get(file) ?? file;
  return { place: `${comparable(object.cdktfStack, bucket!)}/${key}`, uri: `s3://${bucket}/${key}`, owner };
}

/** The text as Terraform's JSON will hold it. */
function rendered(scope: IConstruct, text: string | undefined): string {
  const resolver = new DefaultTokenResolver(new StringConcat());
  return String(Tokenization.resolve(text ?? "", { scope, resolver, preparing: false }));
}

const REMOTE = /^\$\{data\.terraform_remote_state\.(cross-stack-reference-input-.+)\.outputs\.([^.]+)\}$/;

/** A bucket's name is comparable everywhere, a reference only within its stack; a reference to another stack becomes that stack's own. */
function comparable(stack: TerraformStack, bucket: string): string {
  if (!bucket.includes("${")) return bucket;
  const remote = REMOTE.exec(bucket);
  if (remote !== null) return `${remote[1]} ${remote[2]}`;
  // A bucket's id is its name, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket.
  const named = bucket.replace(/^(\$\{aws_s3_bucket\..+)\.id\}$/, "$1.bucket}");
  // CDKTF adds this output once another stack refers to the bucket.
  const output = stack.node.tryFindChild(`cross-stack-output-${named.slice(2, -1)}`);
  return output instanceof TerraformElement
    ? `cross-stack-reference-input-${stack.node.path} ${output.friendlyUniqueId}`
    : `${stack.node.path} ${named}`;
}

const isInTree = (one: IConstruct): boolean =>
  one.node.scopes.every(
    (scope, index, scopes) => index === 0 || scopes[index - 1]!.node.tryFindChild(scope.node.id) === scope,
  );
