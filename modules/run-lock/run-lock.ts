import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type IGrantable } from "../iam/grantable";

/** Props of {@link RunLock}. */
export interface RunLockProps {
  /** Physical name, 3 to 255 letters, digits and `._-`. */
  readonly name: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * The table of locks that lets only one run of a pipeline work at a time: an item per pipeline, whose `owner` is the ARN of the
 * execution that holds the lock. It holds no data, so it is encrypted with DynamoDB's own key and destroyed with its environment.
 *
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class RunLock extends Construct {
  /** The table. */
  readonly resource: DynamodbTable;
  /** Physical name; known in a plan. */
  readonly tableName: string;
  /** The ARN, composed of names; known in a plan. */
  readonly tableArn: string;

  constructor(scope: Construct, id: string, props: RunLockProps) {
    super(scope, id);
    refuse(this, props);

    const { name, account, region, tags } = props;
    this.resource = new DynamodbTable(this, "Resource", {
      name,
      billingMode: "PAY_PER_REQUEST",
      hashKey: "pipeline",
      attribute: [{ name: "pipeline", type: "S" }],
      tags: tags && { ...tags },
    });
    this.tableName = name;
    this.tableArn = `arn:${partitionOf(region)}:dynamodb:${region}:${account}:table/${name}`;
  }

  /** Lets a job take its pipeline's lock and release it, where no step does. */
  grantHold(grantable: IGrantable, pipeline: string): void {
    grantable.grantee.addToPolicy({
      actions: ["dynamodb:DeleteItem", "dynamodb:PutItem"],
      resources: [this.tableArn],
      conditions: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": pipeline } },
    });
  }

  /** Lets a job renew its pipeline's lock before it writes, but no other pipeline's. */
  grantFence(grantable: IGrantable, pipeline: string): void {
    grantable.grantee.addToPolicy({
      actions: ["dynamodb:PutItem"],
      resources: [this.tableArn],
      conditions: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": pipeline } },
    });
  }

  /** Lets a job read and move its pipeline's marks, up to where it has read a database: the item `marks/<pipeline>` of this table. */
  grantMarks(grantable: IGrantable, pipeline: string): void {
    grantable.grantee.addToPolicy({
      actions: ["dynamodb:GetItem", "dynamodb:PutItem"],
      resources: [this.tableArn],
      conditions: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": `marks/${pipeline}` } },
    });
  }

  /** Lets a watcher claim the runs of a workflow, so that each is reported once: items `runs/<workflow>/<run id>` of this table. */
  grantClaims(grantable: IGrantable, workflow: string): void {
    grantable.grantee.addToPolicy({
      actions: ["dynamodb:UpdateItem"],
      resources: [this.tableArn],
      conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": `runs/${workflow}/*` } },
    });
  }
}

function refuse(scope: Construct, props: RunLockProps): void {
  const { name } = props;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("RunLock", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  refusals.noteAll(placeMistakes(props, isKnown));
  refusals.check(
    !isKnown(name) || /^[A-Za-z0-9._-]{3,255}$/.test(name),
    "name",
    `must be 3 to 255 letters, digits or ._-, got ${JSON.stringify(name)}`,
  );
  refusals.throwIfAny();
}
