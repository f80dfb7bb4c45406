import { Lazy, type TerraformStack } from "cdktf";
import { type Definition } from "../../definition-checks/asl";
import { EtlOrchestrator, type EtlOrchestratorProps } from "../../modules/etl-orchestrator/etl-orchestrator";
import { type INotificationTarget } from "../../modules/etl-orchestrator/notification-target";
import { LOCK_ARGUMENTS, RUN_ARGUMENTS, Step } from "../../modules/etl-orchestrator/step";
import { type IGrantable } from "../../modules/iam/grantable";
import { synth } from "./synth";

/** The events pipeline's orchestrator alone in a stack, and what its synthesised Terraform says. */

export const ACCOUNT = "000000000000";
export const REGION = "us-east-1";
export const TOPIC_ARN = `arn:aws:sns:${REGION}:${ACCOUNT}:etl-dev-notifications`;
export const MACHINE_ARN = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:etl-dev-events`;
export const CRAWL_MACHINE_ARN = `${MACHINE_ARN}-crawl`;
export const BOOKS_BUCKET = "etl-dev-processed-000000000000-us-east-1";
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/0a1b`;

/** A topic that writes down whom it let publish. */
export class RecordingTopic implements INotificationTarget {
  readonly rules: string[] = [];
  constructor(readonly topicArn = TOPIC_ARN) {}
  allowPublishFromRule(ruleArn: string): void {
    this.rules.push(ruleArn);
  }
  grantPublish({ grantee }: IGrantable): void {
    grantee.addToPolicy({ actions: ["sns:Publish"], resources: [this.topicArn] });
  }
}

export const books = {
  bucketName: BOOKS_BUCKET,
  bucketArn: `arn:aws:s3:::${BOOKS_BUCKET}`,
  prefix: "books/events/",
  encryptionKeyArn: KEY_ARN,
};

export const LOCKS = { tableName: "etl-dev-locks" };
export const QUERY = {
  sql: "select '1' as seen, 'PASSED' as verdict, 100 as score, '' as failed where ? < ? and ? <= ?",
  parameters: ["fromDate", "toDate", "read", "written"] as const,
};

export const eventsSteps = (): Step[] => [
  Step.acquireLock("AcquireLock", { table: LOCKS, waitMinutes: 5 }),
  Step.crawl("CrawlRaw", { crawlerName: "etl-dev-events-raw", deadlineMinutes: 5 }),
  Step.runJob("RunJob", {
    jobName: "etl-dev-events-transform",
    timeoutMinutes: 60,
    runArguments: { ...RUN_ARGUMENTS, ...LOCK_ARGUMENTS },
  }),
  Step.checkBooks("CheckBooks", { books, emptyGoesTo: "ReleaseLock" }),
  Step.crawl("CrawlProcessed", { crawlerName: "etl-dev-events-processed", deadlineMinutes: 10 }),
  Step.checkQuality("CheckQuality", {
    query: QUERY,
    workgroup: { workgroupName: "etl-dev" },
    output: { ...books, prefix: "events/" },
  }),
  Step.releaseLock("ReleaseLock", { table: LOCKS }),
  Step.recordMetrics("RecordMetrics", { books: "CheckBooks" }),
  Step.notify("Notify", { books: "CheckBooks" }),
];

export const eventsProps = (): EtlOrchestratorProps => ({
  name: "etl-dev-events",
  pipeline: "events",
  steps: eventsSteps(),
  notifications: new RecordingTopic(),
  account: ACCOUNT,
  region: REGION,
});

type Block = Record<string, unknown>;
type Resources = Record<string, Record<string, Block>>;

export interface SynthesisedOrchestrator {
  readonly orchestrator: EtlOrchestrator;
  /** Everything of a type, by its Terraform name. */
  readonly all: (type: string) => Record<string, Block>;
  /** The one resource of a type whose `name` is this. */
  readonly named: (type: string, name: string) => Block;
  /** The definition of a machine by its physical name. */
  readonly definition: (machineName: string) => Definition;
  /** The inline policy of a role by the machine's physical name. */
  readonly statements: (machineName: string) => Block[];
}

export function synthOrchestrator(
  props: EtlOrchestratorProps | ((stack: TerraformStack) => EtlOrchestratorProps),
): SynthesisedOrchestrator {
  const { built: orchestrator, json } = synth(
    (stack) => new EtlOrchestrator(stack, "Orchestrator", typeof props === "function" ? props(stack) : props),
  );
  const { resource } = JSON.parse(json) as { resource: Resources };
  const all = (type: string) => resource[type] ?? {};
  const named = (type: string, name: string) => {
    const found = Object.values(all(type)).filter((block) => block.name === name);
    if (found.length !== 1) throw new Error(`${found.length} resources ${type} are named ${name}`);
    return found[0]!;
  };
  return {
    orchestrator,
    all,
    named,
    definition: (machineName) =>
      JSON.parse(named("aws_sfn_state_machine", machineName).definition as string) as Definition,
    statements: (machineName) => {
      const roles = Object.entries(all("aws_iam_role")).filter(
        ([, role]) => role.name === `${machineName}-states`,
      );
      const reference = `\${aws_iam_role.${roles[0]?.[0]}.name}`;
      const policies = Object.values(all("aws_iam_role_policy")).filter(({ role }) => role === reference);
      return policies.flatMap(
        ({ policy }) => (JSON.parse(policy as string) as { Statement: Block[] }).Statement,
      );
    },
  };
}

/** A string that only Terraform can resolve. */
export const token = (reference: string): string => Lazy.stringValue({ produce: () => reference });
