import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { NotificationListener } from "../../local/notifications";
import { BENCH, PYTHON } from "../../local/places";
import { type BenchSession } from "./session";

/** Watches the alarms of a deployed clone through CloudWatch and a subscriber of the alerts topic. */

export type State = "OK" | "ALARM" | "INSUFFICIENT_DATA";

export interface Transition {
  readonly alarm: string;
  readonly old: State;
  readonly new: State;
  /** Seconds since 1970. */
  readonly at: number;
}

export interface Seen {
  readonly states: Readonly<Record<string, State>>;
  readonly transitions: readonly Transition[];
  /** `true`: everything expected has arrived. */
  readonly met: boolean;
}

/** A message of an alarm, as SNS delivers it. */
export interface Alert {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly NewStateValue: State;
}

export class AlarmWatch {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: Interface,
    private readonly listener: NotificationListener,
    private readonly prefix: string,
  ) {}

  static async open({ aws, clients, output }: Opened, prefix: string): Promise<AlarmWatch> {
    const child = spawn(PYTHON, [join(__dirname, "alarm_states.py")], {
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        PATH: process.env.PATH,
        BENCH_ENDPOINT: aws.at.endpoint,
        BENCH_CA: aws.at.caBundle,
        BENCH_REGION: BENCH.region,
        AWS_ACCESS_KEY_ID: aws.at.accessKeyId,
        AWS_SECRET_ACCESS_KEY: aws.at.secretAccessKey,
      },
    });
    const { sqs, sns } = clients;
    const listener = await NotificationListener.subscribe(sqs, sns, output("alerts_topic_arn"));
    return new AlarmWatch(child, createInterface({ input: child.stdout }), listener, prefix);
  }

  /**
   * Waits until each alarm has entered its states, in their order, since a moment.
   * @param since seconds since 1970
   * @param until alarms without the prefix, and states
   */
  async entered(
    since: number,
    until: readonly (readonly [alarm: string, state: State])[],
    seconds: number,
  ): Promise<Seen> {
    const answer = once(this.lines, "line") as Promise<[string]>;
    const named = until.map(([alarm, state]) => [this.prefix + alarm, state]);
    this.child.stdin!.write(`${JSON.stringify({ prefix: this.prefix, since, until: named, seconds })}\n`);
    const seen = JSON.parse((await answer)[0]) as Seen;
    const bare = (name: string): string => name.slice(this.prefix.length);
    return {
      met: seen.met,
      states: Object.fromEntries(Object.entries(seen.states).map(([name, state]) => [bare(name), state])),
      transitions: seen.transitions.map((one) => ({ ...one, alarm: bare(one.alarm) })),
    };
  }

  /** Messages on the alerts topic since the last call. */
  async alerts(): Promise<Alert[]> {
    const received = await this.listener.received();
    return received.map(({ message }) => message as Alert);
  }

  async close(): Promise<void> {
    this.child.stdin!.end();
    await this.listener.close();
  }
}

type Opened = Pick<BenchSession, "aws" | "clients"> & { readonly output: (name: string) => string };
