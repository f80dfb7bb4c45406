import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GetQueryExecutionCommand, StartQueryExecutionCommand } from "@aws-sdk/client-athena";
import { DynamoDBClient, DeleteItemCommand, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  type HistoryEvent,
  paginateGetExecutionHistory,
  RedriveExecutionCommand,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { ask } from "../../local/athena";
import { type Books, readBooks } from "../../local/books";
import { clientOptions, type Clients, clientsOf } from "../../local/clients";
import { EmbeddedAws } from "../../local/embedded-aws";
import { NotificationListener } from "../../local/notifications";
import { STEPS } from "../support/pipeline-run";

/**
 * A deployed clone with its embedded AWS running, in the hands of the account's owner: executions are started, services are
 * broken and restored, and messages are read from a subscribed queue.
 */

export interface Finished {
  readonly executionArn: string;
  readonly name: string;
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}

interface PolicyStatement {
  readonly Action: string | string[];
  readonly Resource: string | string[];
}

const POLL_MS = 150;

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

export class BenchSession {
  readonly clients: Clients & {
    readonly iam: IAMClient;
    readonly dynamodb: DynamoDBClient;
  };
  private constructor(
    readonly clone: string,
    readonly aws: EmbeddedAws,
    private readonly outputs: Readonly<Record<string, { readonly value: string }>>,
    private listener: NotificationListener | undefined,
  ) {
    const options = clientOptions(aws.at);
    this.clients = {
      ...clientsOf(aws.at),
      iam: new IAMClient(options),
      dynamodb: new DynamoDBClient(options),
    };
  }

  /** @param options further arguments of the server */
  static async open(clone: string, options: readonly string[] = []): Promise<BenchSession> {
    const local = join(clone, ".local");
    const aws = await EmbeddedAws.start(local, options);
    const state = join(local, "terraform", "etl-dev", "terraform.tfstate");
    return BenchSession.of(clone, aws, state, "notifications_topic_arn");
  }

  /**
   * The session of a stack that is applied to a running server.
   *
   * @param state the path of Terraform's state
   * @param topic the output with the ARN of the topic whose messages are read
   */
  static async of(clone: string, aws: EmbeddedAws, state: string, topic: string): Promise<BenchSession> {
    const { outputs } = JSON.parse(readFileSync(state, "utf8")) as {
      outputs: Record<string, { value: string }>;
    };
    const session = new BenchSession(clone, aws, outputs, undefined);
    const { sqs, sns } = session.clients;
    session.listener = await NotificationListener.subscribe(sqs, sns, session.output(topic));
    return session;
  }

  async close(): Promise<void> {
    const { listener } = this;
    this.listener = undefined;
    await listener?.close();
    await this.aws.stop();
  }

  output(name: string): string {
    const found = this.outputs[name];
    if (found === undefined) throw new Error(`no output ${name}`);
    return found.value;
  }

  // -- executions --

  /** Starts the alias that is deployed, or another machine of the same input. */
  async start(input: unknown, stateMachineArn = this.output("events_alias_arn")): Promise<string> {
    const { executionArn } = await this.clients.sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    return executionArn!;
  }

  describe(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return this.clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
  }

  async finish(executionArn: string): Promise<Finished> {
    for (;;) {
      const { status, name, error, cause } = await this.describe(executionArn);
      if (status !== "RUNNING") return { executionArn, status: status!, name: name!, error, cause };
      await pause(POLL_MS);
    }
  }

  async run(input: unknown): Promise<Finished> {
    return this.finish(await this.start(input));
  }

  async redrive(executionArn: string): Promise<Finished> {
    await this.clients.sfn.send(new RedriveExecutionCommand({ executionArn }));
    return this.finish(executionArn);
  }

  async history(executionArn: string): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    const { sfn: client } = this.clients;
    for await (const page of paginateGetExecutionHistory({ client }, { executionArn }))
      events.push(...(page.events ?? []));
    return events;
  }

  /**
   * The steps of the pipeline that were entered, in order; those of a redrive are `after` its event. The failed step itself
   * is not entered again: its Task is scheduled again.
   */
  async steps(executionArn: string, after?: "ExecutionRedriven"): Promise<string[]> {
    const events = await this.history(executionArn);
    const from = after === undefined ? 0 : events.findIndex(({ type }) => type === after);
    if (from < 0) throw new Error(`${executionArn} has no event ${after}`);
    return events
      .slice(from)
      .flatMap(({ stateEnteredEventDetails: entered }) => entered?.name ?? [])
      .filter((name) => STEPS.includes(name));
  }

  /** Waits until a state has been entered. */
  async until(executionArn: string, state: string): Promise<void> {
    for (;;) {
      const events = await this.history(executionArn);
      if (events.some(({ stateEnteredEventDetails: entered }) => entered?.name === state)) return;
      const { status } = await this.describe(executionArn);
      if (status !== "RUNNING") throw new Error(`${executionArn} is ${status} and never entered ${state}`);
      await pause(POLL_MS);
    }
  }

  /** Messages since the last call. */
  async messages(): Promise<Record<string, unknown>[]> {
    const received = await this.listener!.received();
    return received.map(({ message }) => message as Record<string, unknown>);
  }

  // -- data --

  async deliver(day: string, lines: readonly unknown[], file = "events.json"): Promise<void> {
    const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
    await this.put(
      this.output("raw_bucket"),
      `events/dt=${day}/${file}`,
      texts.map((text) => `${text}\n`).join(""),
    );
  }

  async put(bucket: string, key: string, body: string | Uint8Array): Promise<void> {
    // Without a length the client warns about an empty text.
    const ContentLength = Buffer.byteLength(body);
    await this.clients.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentLength }));
  }

  async get(bucket: string, key: string): Promise<Uint8Array> {
    const { Body } = await this.clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Body!.transformToByteArray();
  }

  async remove(bucket: string, key: string): Promise<void> {
    await this.clients.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }

  /** Keys and ETags below a prefix. */
  async list(bucket: string, prefix: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const { s3: client } = this.clients;
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client },
      { Bucket: bucket, Prefix: prefix },
    ))
      for (const { Key, ETag } of Contents) found[Key!] = ETag!;
    return found;
  }

  /** Everything that is published: good rows and refused ones. */
  async published(): Promise<Record<string, string>> {
    return {
      ...(await this.list(this.output("processed_bucket"), "events/")),
      ...(await this.list(this.output("quarantine_bucket"), "events/")),
    };
  }

  async query(sql: string): Promise<readonly (readonly string[])[]> {
    const { rows } = await ask(this.clients.athena, this.output("workgroup"), sql);
    return rows.map((row) => row.map((value) => value ?? ""));
  }

  /** The bytes that Athena scans for a query. */
  async bytesScanned(sql: string): Promise<number> {
    const { athena } = this.clients;
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: this.output("workgroup") }),
    );
    for (;;) {
      const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
      const { State, StateChangeReason } = QueryExecution!.Status!;
      if (State === "SUCCEEDED") return QueryExecution!.Statistics!.DataScannedInBytes!;
      if (State === "FAILED" || State === "CANCELLED") throw new Error(StateChangeReason);
      await pause(POLL_MS);
    }
  }

  books({ name }: Finished): Promise<Books | undefined> {
    return readBooks(this.clients.s3, this.output("processed_bucket"), "events", name);
  }

  // -- breaking --

  /**
   * Takes one right away from a role's policy, where the resource says `of`; gives back what restores it. Fails when the
   * role has no such right: a test that removes nothing would prove nothing.
   */
  async withoutRight(role: string, action: string, of = ""): Promise<() => Promise<void>> {
    const { iam } = this.clients;
    const name = { RoleName: role, PolicyName: "derived" };
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand(name));
    const original = decodeURIComponent(PolicyDocument!);
    const policy = JSON.parse(original) as { Statement: PolicyStatement[] };
    let removed = 0;
    const Statement = policy.Statement.flatMap((statement) => {
      const resources = [statement.Resource].flat();
      const taken = resources.filter((arn) => arn.includes(of));
      if (![statement.Action].flat().includes(action) || taken.length === 0) return [statement];
      removed += 1;
      const others = [statement.Action].flat().filter((one) => one !== action);
      const kept = resources.filter((arn) => !taken.includes(arn));
      return [
        ...(others.length === 0 ? [] : [{ ...statement, Action: others }]),
        ...(kept.length === 0 ? [] : [{ ...statement, Action: action, Resource: kept }]),
      ];
    });
    if (removed === 0) throw new Error(`${role} may not ${action} on anything with '${of}'`);
    const put = (document: string) =>
      iam.send(new PutRolePolicyCommand({ ...name, PolicyDocument: document }));
    await put(JSON.stringify({ ...policy, Statement }));
    return async () => {
      await put(original);
    };
  }

  async lockOwner(): Promise<string | undefined> {
    const { Item } = await this.clients.dynamodb.send(
      new GetItemCommand({ TableName: this.output("lock_table"), Key: { pipeline: { S: "events" } } }),
    );
    return Item?.owner?.S;
  }

  async giveLock(owner: string): Promise<void> {
    await this.clients.dynamodb.send(
      new PutItemCommand({
        TableName: this.output("lock_table"),
        Item: { pipeline: { S: "events" }, owner: { S: owner } },
      }),
    );
  }

  async freeLock(): Promise<void> {
    await this.clients.dynamodb.send(
      new DeleteItemCommand({ TableName: this.output("lock_table"), Key: { pipeline: { S: "events" } } }),
    );
  }
}
