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

export interface AthenaWorkgroupProps {
  /** Physical name, 1 to 128 letters, digits and `._-`. */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** Where answers are written, encrypted with the location's key. */
  readonly results: S3Location;
  /** The most bytes that one query may scan, at least 10,485,760: a query above it is cancelled. */
  readonly scanLimitBytes: number;
  /**
   * Whether destroying the stack removes the workgroup's queries and their history too. Without, a workgroup that has run a query is
   * not deleted: https://docs.aws.amazon.com/athena/latest/APIReference/API_DeleteWorkGroup.html. `true` takes
   * `allowDataDestruction` as well.
   * @default false
   */
  readonly forceDestroy?: boolean;
  /**
   * The environment's permission to destroy data: the second key.
   * @default false
   */
  readonly allowDataDestruction?: boolean;
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
  /** @default - none beside the provider's */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A workgroup, made here or brought. */
export interface IWorkgroup {
  readonly workgroupName: string;
  /** Lets whoever runs queries in it write their answers and read them again. */
  grantResults(grantable: IGrantable): void;
}

/** A workgroup that is known by its name and by where its answers go only. */
export interface WorkgroupAttributes {
  /** 1 to 128 letters, digits and `._-`. */
  readonly workgroupName: string;
  /**
   * Where the workgroup has answers written. It must enforce its configuration: steps and alarms name no place of their own. The
   * policies of the bucket and of its key stay their owner's, and must not keep other roles of the account out.
   */
  readonly results: S3Location;
  readonly region: string;
}

/** The provider's lower bound; Athena's own is 10,000,000. */
const FEWEST_SCAN_BYTES = 10_485_760;

/**
 * A workgroup whose settings no client can change: where answers go, how they are encrypted, how much a query may scan.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class AthenaWorkgroup extends Construct implements IWorkgroup {
  readonly resource: AthenaWorkgroupResource;
  readonly workgroupName: string;
  /** Composed of names, so that it is known in a plan. */
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
   * A workgroup from elsewhere, whose limits and encryption stay its owner's.
   * @throws Error naming every mistake in the attributes
   */
  static fromWorkgroupAttributes(attributes: WorkgroupAttributes): IWorkgroup {
    const { workgroupName, results, region } = attributes;
    refuseBrought(attributes);
    return { workgroupName, grantResults: (grantable) => grantResults(grantable, results, region) };
  }

  /**
   * Lets whoever runs queries here write their answers and read them again: Athena does both in the caller's name.
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
    "must be false unless 'allowDataDestruction' is true as well, got true; destroying data takes both",
  );
  refusals.throwIfAny();
}
