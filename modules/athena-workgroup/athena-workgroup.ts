import { AthenaWorkgroup as AthenaWorkgroupResource } from "@cdktf/provider-aws/lib/athena-workgroup";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { partitionOf } from "../core/partition";
import { placeMistakes, regionMistakes } from "../core/place";
import { prefixMistake, type S3Location, s3Uri } from "../core/s3-location";
import { type IGrantable } from "../iam/grantable";
import { encryptStatements, readStatements } from "../iam/s3-actions";

/** Props of {@link AthenaWorkgroup}. */
export interface AthenaWorkgroupProps {
  /** Physical name, 1 to 128 letters, digits and `._-`. */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** The location for query results, which are encrypted with its key. */
  readonly results: S3Location;
  /**
   * The most bytes that one query may scan, at least 10,485,760 (10 MiB); Athena cancels a query above it:
   * https://docs.aws.amazon.com/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html
   */
  readonly scanLimitBytes: number;
  /**
   * `true` lets a destroy remove the workgroup with its queries and their history; it needs `allowDataDestruction` too. Otherwise AWS
   * refuses to delete a workgroup that has run a query:
   * https://docs.aws.amazon.com/athena/latest/APIReference/API_DeleteWorkGroup.html
   * @default false
   */
  readonly forceDestroy?: boolean;
  /**
   * The environment's permission to destroy data, needed by `forceDestroy`.
   * @default false
   */
  readonly allowDataDestruction?: boolean;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A workgroup, created by {@link AthenaWorkgroup} or existing. */
export interface IWorkgroup {
  /** Physical name. */
  readonly workgroupName: string;
  /** Lets a role that runs queries in it write and read their results. */
  grantResults(grantable: IGrantable): void;
}

/** An existing workgroup, known by its name and the location of its results. */
export interface WorkgroupAttributes {
  /** Physical name, 1 to 128 letters, digits and `._-`. */
  readonly workgroupName: string;
  /**
   * The location that the workgroup writes results to. The workgroup must enforce its configuration, because steps name no location of
   * their own. The bucket's and the key's policies are not changed; they must allow roles of the account.
   */
  readonly results: S3Location;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
}

/** The AWS provider's lower bound; Athena's own is 10,000,000. */
const FEWEST_SCAN_BYTES = 10_485_760;

/**
 * A workgroup whose settings no client can change: the location and encryption of results, and the scan limit of a query.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class AthenaWorkgroup extends Construct implements IWorkgroup {
  /** The workgroup. */
  readonly resource: AthenaWorkgroupResource;
  /** Physical name; refers to the resource. */
  readonly workgroupName: string;
  /** The ARN, composed of names so that a plan knows it. */
  readonly workgroupArn: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AthenaWorkgroupProps,
  ) {
    super(scope, id);
    refuse(this, props);

    const { name, results, scanLimitBytes } = props;
    const key = results.encryptionKeyArn;
    const encryptionConfiguration =
      key === undefined ? { encryptionOption: "SSE_S3" } : { encryptionOption: "SSE_KMS", kmsKeyArn: key };

    this.resource = new AthenaWorkgroupResource(this, "Resource", {
      name,
      description: props.description,
      forceDestroy: props.forceDestroy === true ? true : undefined,
      configuration: {
        enforceWorkgroupConfiguration: true,
        publishCloudwatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: scanLimitBytes,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: { outputLocation: s3Uri(results), encryptionConfiguration },
      },
      tags: props.tags && { ...props.tags },
    });

    const { account, region } = props;
    this.workgroupName = this.resource.name;
    this.workgroupArn = `arn:${partitionOf(region)}:athena:${region}:${account}:workgroup/${name}`;
  }

  /**
   * Refers to an existing workgroup; its limits and encryption are not changed.
   * @throws Error naming every mistake in the attributes
   */
  static fromWorkgroupAttributes(attributes: WorkgroupAttributes): IWorkgroup {
    const { workgroupName, results, region } = attributes;
    refuseBrought(attributes);
    return { workgroupName, grantResults: (grantable) => grantResults(grantable, results, region) };
  }

  /**
   * Lets a role that runs queries here write and read their results: Athena does both with the caller's rights.
   * Source: https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html
   */
  grantResults(grantable: IGrantable): void {
    grantResults(grantable, this.props.results, this.props.region);
  }
}

function grantResults(grantable: IGrantable, results: S3Location, region: string): void {
  grantable.grantee.addToPolicy(
    { actions: ["s3:GetBucketLocation"], resources: [results.bucketArn] },
    {
      actions: ["s3:AbortMultipartUpload", "s3:PutObject"],
      resources: [`${results.bucketArn}/${results.prefix}*`],
    },
    ...readStatements(results, region),
    ...encryptStatements(results, region),
  );
}

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

function checkPlace(refusals: Refusals, field: string, name: string, results: S3Location): void {
  refusals.check(
    !isKnown(name) || /^[A-Za-z0-9._-]{1,128}$/.test(name),
    field,
    `must be 1 to 128 letters, digits or ._-, got ${JSON.stringify(name)}`,
  );
  if (isKnown(results.prefix)) refusals.note("results.prefix", prefixMistake(results.prefix));
}

function refuseBrought(attributes: WorkgroupAttributes): void {
  const { workgroupName, results, region } = attributes;
  const refusals = new Refusals("AthenaWorkgroup", isKnown(workgroupName) ? workgroupName : "brought");
  refusals.noteUnfilled(placeholderMistakes(attributes, isKnown));
  checkPlace(refusals, "workgroupName", workgroupName, results);
  refusals.noteAll(regionMistakes(region, isKnown));
  refusals.throwIfAny();
}

function refuse(scope: Construct, props: AthenaWorkgroupProps): void {
  const { name, results, scanLimitBytes, forceDestroy, allowDataDestruction } = props;
  const refusals = new Refusals("AthenaWorkgroup", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  refusals.noteAll(placeMistakes(props, isKnown));
  checkPlace(refusals, "name", name, results);
  refusals.check(
    !isKnown(scanLimitBytes) || (Number.isInteger(scanLimitBytes) && scanLimitBytes >= FEWEST_SCAN_BYTES),
    "scanLimitBytes",
    `must be a whole number, at least ${FEWEST_SCAN_BYTES} (10 MiB), got ${scanLimitBytes}`,
  );
  refusals.check(
    forceDestroy !== true || allowDataDestruction === true,
    "forceDestroy",
    "must be false unless 'allowDataDestruction' is true as well, got true; destroying data needs both",
  );
  refusals.throwIfAny();
}
