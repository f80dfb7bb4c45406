import { basename } from "node:path";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { ArtifactFile, fileMistake, type UploadedFile } from "../artifacts/artifact-file";
import { setMaker } from "../artifacts/owned-object";
import { partitionOf } from "../core/partition";
import { placeholderMistakes } from "../core/placeholder";
import { type Mistake } from "../core/refusals";
import { type S3Location, s3Uri } from "../core/s3-location";

/**
 * A file for a job: the absolute path of a local file, which is uploaded; the `s3://` URI of an object; or an uploaded file such as an
 * `ArtifactFile`. For an object in a bucket with a KMS key, give `{ location }`: a URI does not say which key the role needs.
 */
export type JobFile = string | UploadedFile;

/** Files of a job, as Glue's argument and as the role's rights need them. */
export interface JobFiles {
  readonly uris: readonly string[];
  readonly locations: readonly S3Location[];
}

const OBJECT_URI = /^s3:\/\/([^/]+)\/(.+)$/;
const isKnown = (value: string): boolean => !Token.isUnresolved(value);

/** Uploads the local files below a construct of their own, and finds the others. Call {@link fileMistakes} first. */
export function defineFiles(
  job: Construct,
  id: "Jars" | "ExtraFiles" | "PythonModules",
  files: readonly JobFile[],
  { artifacts, prefix, region }: { artifacts: S3Location; prefix: string; region: string },
): JobFiles {
  const scope = files.some(isLocal) ? new Construct(job, id) : job;
  const found = files.map((file): UploadedFile & { readonly uri: string } => {
    if (typeof file !== "string") return { location: file.location, uri: file.uri ?? uriOf(file.location) };
    const location = locationOf(file, region);
    if (location !== undefined) return { location, uri: file };
    // Named by the file, so that another file in the list does not move its address.
    const uploaded = new ArtifactFile(scope, basename(file), { source: file, artifacts, prefix });
    setMaker(uploaded, job);
    return uploaded;
  });
  return { uris: found.map(({ uri }) => uri), locations: found.map(({ location }) => location) };
}

/** The mistakes in a prop's files: `[field, mistake]`. Glue lists files with commas, and puts them into one folder by their names. */
export function fileMistakes(
  field: string,
  files: readonly JobFile[],
  nameMistake: (name: string) => string | undefined = () => undefined,
): Mistake[] {
  const names = files.map(nameOf);
  return files.flatMap((file, index) => {
    const name = names[index];
    const first = names.indexOf(name);
    const mistake =
      placeMistake(file) ??
      (name === undefined ? undefined : (listMistake(file, name) ?? nameMistake(name))) ??
      (name !== undefined && first < index
        ? `must have a name of its own, got '${name}' like '${field}[${first}]': one file would replace the other`
        : undefined);
    return mistake === undefined ? [] : [[`${field}[${index}]`, mistake] as const];
  });
}

/** The file's name without its folder, or `undefined` if only Terraform knows it. */
export function nameOf(file: JobFile): string | undefined {
  const path = typeof file === "string" ? file : file.location.prefix;
  const name = path.slice(path.lastIndexOf("/") + 1);
  return isKnown(name) ? name : undefined;
}

const isLocal = (file: JobFile): boolean => typeof file === "string" && !file.startsWith("s3://");

const uriOf = (location: S3Location): string => s3Uri({ ...location, prefix: "" }, location.prefix);

function locationOf(uri: string, region: string): S3Location | undefined {
  const [, bucketName, key] = OBJECT_URI.exec(uri) ?? [];
  if (bucketName === undefined || key === undefined) return undefined;
  return { bucketName, bucketArn: `arn:${partitionOf(region)}:s3:::${bucketName}`, prefix: key };
}

function placeMistake(file: JobFile): string | undefined {
  // A folder on somebody's computer may be named like a placeholder.
  const unfilled = isLocal(file) ? undefined : placeholderMistakes({ file }, isKnown)[0]?.[1];
  if (unfilled !== undefined) return unfilled;
  if (typeof file !== "string") {
    const key = file.location.prefix;
    return isKnown(key) && (key === "" || key.endsWith("/"))
      ? `must be one object, got the folder ${JSON.stringify(key)}: Glue takes no folders`
      : undefined;
  }
  if (file.startsWith("s3://")) {
    return OBJECT_URI.test(file) && !file.endsWith("/")
      ? undefined
      : `must be the URI of one object, s3://<bucket>/<key>, got '${file}': Glue takes no folders`;
  }
  if (!isKnown(file))
    return "must begin with 's3://', or be { location }: the role's right is derived from it";
  return fileMistake(file);
}

/** A local file becomes a key of its name. */
function listMistake(file: JobFile, name: string): string | undefined {
  const key = isLocal(file) ? name : typeof file === "string" ? file : file.location.prefix;
  return isKnown(key) && /[,\s]/.test(key)
    ? `must be named without commas and white space, got '${key}': Glue takes all files as one list`
    : undefined;
}
