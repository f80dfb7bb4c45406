import { basename } from "node:path";
import { AnnotationMetadataEntryType } from "cdktf";
import { Construct } from "constructs";
import { type ContractTables, contractTables } from "../../contracts/contract-tables";
import { planText } from "../../contracts/plan";
import { fileMistake, notePlace } from "../artifacts/artifact-file";
import { ArtifactText } from "../artifacts/artifact-text";
import { setMaker } from "../artifacts/owned-object";
import { Refusals } from "../core/refusals";
import type { S3Location } from "../core/s3-location";
import { readPlan, type ReadPlan } from "./plan-files";

/** Props of {@link ContractPlan}. */
export interface ContractPlanProps {
  /**
   * Absolute path of the contract. What Spark said of its expressions is recorded beside it, in `<name>.spark.json`, by
   * `npx cdktf-aws-etl contract compile`.
   */
  readonly contractFile: string;
  /** Absolute path of the quality rules. */
  readonly rulesFile: string;
  /** The bucket and prefix for artifacts. */
  readonly artifacts: S3Location;
  /**
   * The folder of the plan below that; ends in a slash.
   * @default "contracts/"
   */
  readonly prefix?: string;
}

/**
 * A contract and its quality rules, judged and compiled at synth to the plan that a job loads (`--plan_uri`), and uploaded. A moment whose
 * zone nobody declared is a warning at synth.
 *
 * @throws Error naming every mistake in the props and the files, before anything is created
 */
export class ContractPlan extends Construct {
  /** The URI of the plan. */
  readonly uri: string;
  /** The plan as a location, for grants. */
  readonly location: S3Location;
  /** The tables that the job writes. */
  readonly tables: ContractTables;

  constructor(scope: Construct, id: string, props: ContractPlanProps) {
    super(scope, id);
    const { prefix = DEFAULT_PREFIX } = props;
    const { compiled, contract, warnings } = refuse(this, { ...props, prefix });

    // Without the trace that Annotations add, which names folders.
    for (const warning of warnings) this.node.addMetadata(AnnotationMetadataEntryType.WARN, warning);
    const artifact = new ArtifactText(this, "Text", {
      name: basename(props.contractFile).replace(/(?:\.schema)?\.json$/, ".plan.json"),
      text: planText(compiled!.plan!),
      artifacts: props.artifacts,
      prefix,
    });
    setMaker(artifact, this);
    this.uri = artifact.uri;
    this.location = artifact.location;
    this.tables = contractTables(contract);
  }
}

const DEFAULT_PREFIX = "contracts/";

function refuse(scope: Construct, props: ContractPlanProps & { readonly prefix: string }): ReadPlan {
  const refusals = new Refusals("ContractPlan", scope.node.path);
  const { contractFile, rulesFile } = props;
  const files = Object.entries({ contractFile, rulesFile }).map(
    ([field, file]) => [field, fileMistake(file)] as const,
  );
  for (const [field, mistake] of files) refusals.note(field, mistake);
  notePlace(refusals, props);
  const read = files.every(([, mistake]) => mistake === undefined) ? readPlan(props) : NOTHING;
  for (const sentence of read.sentences) refusals.note("", sentence);
  refusals.throwIfAny();
  return read;
}

const NOTHING: ReadPlan = { sentences: [], warnings: [] };
