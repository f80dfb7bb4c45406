import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { S3Object } from "@cdktf/provider-aws/lib/s3-object";
import { App, AssetType, TerraformAsset } from "cdktf";
import { Construct } from "constructs";
import { type S3Location, s3Uri } from "../core/s3-location";
import { defineObject } from "./artifact-file";
import { shortHash } from "./python-package";

export interface ArtifactTextProps {
  /** The name of the object, e.g. `events.plan.json`. */
  readonly name: string;
  readonly text: string;
  readonly artifacts: S3Location;
  /** The folder below `artifacts`; ends in a slash. */
  readonly prefix: string;
}

/** A text made at synth, uploaded like an `ArtifactFile`. */
export class ArtifactText extends Construct {
  readonly resource: S3Object;
  readonly key: string;
  readonly uri: string;
  readonly location: S3Location;

  constructor(scope: Construct, id: string, { name, text, artifacts, prefix }: ArtifactTextProps) {
    super(scope, id);
    const digest = createHash("sha256").update(text).digest("hex");
    // An asset copies an existing file; one place per construct keeps old files from piling up.
    const file = resolve(App.of(this).outdir, "texts", this.node.addr, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    const asset = new TerraformAsset(this, "Asset", {
      path: file,
      type: AssetType.FILE,
      assetHash: shortHash(digest),
    });
    this.key = `${artifacts.prefix}${prefix}${shortHash(digest)}/${name}`;
    this.resource = defineObject(this, artifacts, this.key, asset.path, digest);
    this.uri = s3Uri({ ...artifacts, prefix: "" }, this.resource.key);
    this.location = { ...artifacts, prefix: this.key };
  }
}
