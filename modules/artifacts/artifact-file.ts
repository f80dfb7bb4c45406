import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, resolve } from "node:path";
import type { S3Object } from "@cdktf/provider-aws/lib/s3-object";
import { App, AssetType, TerraformAsset, Token } from "cdktf";
import { Construct } from "constructs";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { prefixMistake, type S3Location, s3Uri } from "../core/s3-location";
import { OwnedObject } from "./owned-object";
import { type PackedPackage, packPackage, shortHash } from "./python-package";

/** Props of {@link ArtifactFile}. */
export interface ArtifactFileProps {
  /** Absolute path of the file. */
  readonly source: string;
  /** The bucket and prefix for artifacts. */
  readonly artifacts: S3Location;
  /** The folder below that, e.g. `contracts/`; ends in a slash. */
  readonly prefix: string;
}

/** A file that has been uploaded, such as an {@link ArtifactFile} or a `ContractPlan`. */
export interface UploadedFile {
  /** The object as a location, for grants: its key is the location's prefix. */
  readonly location: S3Location;
  /**
   * The object's URI.
   * @default - made from `location`
   */
  readonly uri?: string;
}

/** The mistake in the path of a file to upload, as words that follow its field. */
export function fileMistake(path: string): string | undefined {
  if (!isAbsolute(path)) return `must be an absolute path, got '${path}'; use join(__dirname, …)`;
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    return `must be a file, got '${path}', which does not exist or is not a file`;
  }
  return undefined;
}

/**
 * A file uploaded under a key that holds the hash of its content. New content becomes a new object, created before its users
 * change, so that a running job never sees another version of its files.
 *
 * @throws Error naming every mistake in the props, before anything is created; at synth if another construct of the app makes
 * the same object
 */
export class ArtifactFile extends Construct {
  /** The S3 object. */
  readonly resource: S3Object;
  /** The object's key, `<artifacts prefix><prefix><hash>/<file name>`. */
  readonly key: string;
  /** The object's URI, `s3://<bucket>/<key>`. */
  readonly uri: string;
  /** The object as a location, for grants. */
  readonly location: S3Location;

  constructor(scope: Construct, id: string, props: ArtifactFileProps) {
    super(scope, id);
    refuse(this, props);

    const { source, artifacts, prefix } = props;
    const digest = createHash("sha256").update(readFileSync(source)).digest("hex");
    const asset = new TerraformAsset(this, "Asset", {
      path: source,
      type: AssetType.FILE,
      assetHash: shortHash(digest),
    });
    this.key = `${artifacts.prefix}${prefix}${shortHash(digest)}/${basename(source)}`;
    this.resource = defineObject(this, artifacts, this.key, asset.path, digest);
    this.uri = s3Uri({ ...artifacts, prefix: "" }, this.resource.key);
    this.location = { ...artifacts, prefix: this.key };
  }
}

interface ArtifactZipProps {
  readonly packed: PackedPackage;
  readonly artifacts: S3Location;
  readonly prefix: string;
}

/** A zip made at synth, uploaded like an {@link ArtifactFile}. */
export class ArtifactZip extends Construct {
  readonly resource: S3Object;
  readonly key: string;
  readonly uri: string;
  readonly location: S3Location;

  constructor(scope: Construct, id: string, { packed, artifacts, prefix }: ArtifactZipProps) {
    super(scope, id);
    const { name, hash, zip } = packed;
    // An asset copies an existing file; one place per construct keeps old files from piling up.
    const file = resolve(App.of(this).outdir, "packages", this.node.addr, `${name}.zip`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, zip);
    const asset = new TerraformAsset(this, "Asset", { path: file, type: AssetType.FILE, assetHash: hash });
    this.key = `${artifacts.prefix}${prefix}${hash}/${name}.zip`;
    this.resource = defineObject(this, artifacts, this.key, asset.path, hash);
    this.uri = s3Uri({ ...artifacts, prefix: "" }, this.resource.key);
    this.location = { ...artifacts, prefix: this.key };
  }
}

export interface ArtifactPackageProps {
  /** Absolute path of the Python package's folder. */
  readonly folder: string;
  readonly artifacts: S3Location;
  readonly prefix: string;
}

/** An importable Python package as a deterministic zip, for GlueSparkJob. */
export class ArtifactPackage extends ArtifactZip {
  constructor(scope: Construct, id: string, { folder, ...place }: ArtifactPackageProps) {
    super(scope, id, { packed: packPackage(folder), ...place });
  }
}

export function defineObject(
  scope: Construct,
  artifacts: S3Location,
  key: string,
  source: string,
  hash: string,
): S3Object {
  return new OwnedObject(scope, "Resource", {
    bucket: artifacts.bucketName,
    key,
    source,
    // With KMS an etag is not a hash of the content, and would differ in every plan.
    sourceHash: hash,
    lifecycle: { createBeforeDestroy: true },
  });
}

function refuse(scope: Construct, props: ArtifactFileProps): void {
  const refusals = new Refusals("ArtifactFile", scope.node.path);
  refusals.note("source", fileMistake(props.source));
  notePlace(refusals, props);
  refusals.throwIfAny();
}

/** Notes the mistakes in the place of an upload, as far as it is known. */
export function notePlace(
  refusals: Refusals,
  { artifacts, prefix }: Pick<ArtifactFileProps, "artifacts" | "prefix">,
): void {
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  refusals.noteUnfilled(placeholderMistakes({ artifacts, prefix }, isKnown));
  if (isKnown(artifacts.prefix)) refusals.note("artifacts.prefix", prefixMistake(artifacts.prefix));
  if (isKnown(prefix)) refusals.note("prefix", prefixMistake(prefix));
}
