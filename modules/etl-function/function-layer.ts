import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { LambdaLayerVersion } from "@cdktf/provider-aws/lib/lambda-layer-version";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { ArtifactFile, fileMistake } from "../artifacts/artifact-file";
import { setMaker } from "../artifacts/owned-object";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { prefixMistake, type S3Location } from "../core/s3-location";
import { type ReadLayer, readLayer } from "./layer-archive";
import {
  architectureMistake,
  type FunctionArchitecture,
  type FunctionRuntime,
  megabytes,
  MOST_UNZIPPED_BYTES,
  runtimeMistake,
} from "./runtimes";

/** A version of a layer, created by {@link FunctionLayer} or existing. */
export interface ILayer {
  /** The ARN of the version: `arn:aws:lambda:<region>:<account>:layer:<name>:<version>`. */
  readonly layerArn: string;
  /** The runtimes for which its packages are built. */
  readonly runtimes: readonly FunctionRuntime[];
  /** The architectures for which its packages are built. */
  readonly architectures: readonly FunctionArchitecture[];
  /** Its size in bytes after extraction. */
  readonly unzippedBytes: number;
}

/** Props of {@link FunctionLayer}. */
export interface FunctionLayerProps {
  /** Physical name: 1 to 140 letters, digits, `_` and `-`. */
  readonly name: string;
  /** Absolute path of the zip that `npx cdktf-aws-etl layer build` wrote. It knows its runtime and architecture. */
  readonly file: string;
  /** The location for the zip. It is uploaded under a key that holds the hash of its content. */
  readonly artifacts: S3Location;
  /** @default - the names and versions of its packages */
  readonly description?: string;
}

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html */
const MOST_DESCRIPTION_CHARACTERS = 256;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * A layer of Python packages for {@link EtlFunction}. A new zip is a new version, published before functions change.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class FunctionLayer extends Construct implements ILayer {
  /** The version of the layer. */
  readonly resource: LambdaLayerVersion;
  readonly layerArn: string;
  readonly runtimes: readonly FunctionRuntime[];
  readonly architectures: readonly FunctionArchitecture[];
  readonly unzippedBytes: number;

  constructor(scope: Construct, id: string, props: FunctionLayerProps) {
    super(scope, id);
    const { record, unzippedBytes } = refuse(this, props);

    const { name, file, artifacts, description } = props;
    this.runtimes = [record.runtime];
    this.architectures = [record.architecture];
    this.unzippedBytes = unzippedBytes;

    const archive = new ArtifactFile(this, "Archive", { source: file, artifacts, prefix: "layers/" });
    setMaker(archive, this);
    const packages = record.packages.map((one) => `${one.name} ${one.version}`).join(", ");
    this.resource = new LambdaLayerVersion(this, "Resource", {
      layerName: name,
      description: description ?? packages.slice(0, MOST_DESCRIPTION_CHARACTERS),
      s3Bucket: archive.resource.bucket,
      s3Key: archive.resource.key,
      sourceCodeHash: createHash("sha256").update(readFileSync(file)).digest("base64"),
      compatibleRuntimes: [...this.runtimes],
      compatibleArchitectures: [...this.architectures],
      lifecycle: { createBeforeDestroy: true },
    });
    this.layerArn = this.resource.arn;
  }
}

function refuse(scope: Construct, props: FunctionLayerProps): ReadLayer {
  const { name, file, artifacts, description } = props;
  const refusals = new Refusals("FunctionLayer", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes({ name, artifacts, description }, isKnown));
  refusals.check(
    !isKnown(name) || /^[A-Za-z0-9_-]{1,140}$/.test(name),
    "name",
    `must be 1 to 140 letters, digits, hyphens or underscores, got ${JSON.stringify(name)} with ${name.length}`,
  );
  refusals.check(
    description === undefined || !isKnown(description) || description.length <= MOST_DESCRIPTION_CHARACTERS,
    "description",
    `must have at most ${MOST_DESCRIPTION_CHARACTERS} characters, got ${description?.length}`,
  );
  if (isKnown(artifacts.prefix)) refusals.note("artifacts.prefix", prefixMistake(artifacts.prefix));
  const unreadable = fileMistake(file);
  const read = unreadable ?? readLayer(readFileSync(file));
  if (typeof read === "string") refusals.note("file", read);
  else {
    const { record, unzippedBytes: bytes } = read;
    refusals.note("file", runtimeMistake(record.runtime));
    refusals.note("file", architectureMistake(record.architecture));
    refusals.check(
      bytes < MOST_UNZIPPED_BYTES,
      "file",
      `must have less than ${megabytes(MOST_UNZIPPED_BYTES)} unzipped, got ${megabytes(bytes)}; leave packages out, or use a Glue job`,
    );
  }
  refusals.throwIfAny();
  return read as ReadLayer;
}
