import { type Metric } from "../core/run";
import { type RunbookPage } from "../core/runbook";

/** An alarm of a function as data. Counts cross at `>= 1`: `> 1` would wait for the second failure. */
export interface FunctionAlarm {
  /** UpperCamel, the construct's id. */
  readonly id: string;
  /** The end of the alarm's name. */
  readonly suffix: string;
  readonly metric: Metric;
  readonly statistic: "Sum" | "Maximum";
  /** A clause: what happened. */
  readonly happened: string;
  /** A sentence: what to do. */
  readonly remedy: string;
  readonly runbook: RunbookPage;
  /** `false`: the alarm only shows its state, because another one reports the same failure. */
  readonly sends: boolean;
  /** `true`: OK means that the problem is solved, and is sent too. */
  readonly sendsOk: boolean;
}

/** The metrics of a function. */
export interface FunctionMetrics {
  /** Calls that ran, those that failed included. */
  readonly invocations: Metric;
  /** Calls that failed: an error of the code, or its time-out. */
  readonly errors: Metric;
  /** Calls that were refused, because no concurrency was left. */
  readonly throttles: Metric;
  /** Milliseconds of a call. */
  readonly duration: Metric;
  /** Calls at the same time. */
  readonly concurrentExecutions: Metric;
  /** Asynchronous calls that failed and could not be put into the dead letters. */
  readonly destinationDeliveryFailures: Metric;
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
export function functionMetrics(functionName: string): FunctionMetrics {
  const metric = (name: string): Metric => ({
    namespace: "AWS/Lambda",
    name,
    dimensions: { FunctionName: functionName },
  });
  return {
    invocations: metric("Invocations"),
    errors: metric("Errors"),
    throttles: metric("Throttles"),
    duration: metric("Duration"),
    concurrentExecutions: metric("ConcurrentExecutions"),
    destinationDeliveryFailures: metric("DestinationDeliveryFailures"),
  };
}

/** The alarms of a function; those of its dead letters only if it is called asynchronously. */
export function functionAlarms(
  metrics: FunctionMetrics,
  deadLetterQueueName: string | undefined,
): FunctionAlarm[] {
  const isAsynchronous = deadLetterQueueName !== undefined;
  return [
    {
      id: "Errors",
      suffix: "errors",
      metric: metrics.errors,
      statistic: "Sum",
      happened: "a call failed or ran into its time-out",
      remedy: "Read the error in its log, fix the cause, then run again what called it.",
      runbook: "function-failed",
      // Lambda repeats an asynchronous call. One that fails for good is reported by its dead letter.
      sends: !isAsynchronous,
      sendsOk: false,
    },
    {
      id: "Throttles",
      suffix: "throttles",
      metric: metrics.throttles,
      statistic: "Sum",
      happened: "a call was refused, because the function or the account was at its concurrency",
      remedy: "Check what calls it so often, then its reserved concurrency and the account's quota.",
      runbook: "function-failed",
      sends: true,
      sendsOk: false,
    },
    ...(deadLetterQueueName === undefined ? [] : lostCalls(metrics, deadLetterQueueName)),
  ];
}

function lostCalls(metrics: FunctionMetrics, queueName: string): FunctionAlarm[] {
  return [
    {
      id: "DeadLettersAlarm",
      suffix: "dead-letters",
      metric: {
        namespace: "AWS/SQS",
        name: "ApproximateNumberOfMessagesVisible",
        dimensions: { QueueName: queueName },
      },
      statistic: "Maximum",
      happened: "an asynchronous call failed in all attempts and is in the dead letters",
      remedy:
        "Read the message, fix the cause, call the function again with its payload, then delete the message.",
      runbook: "function-calls",
      sends: true,
      sendsOk: true,
    },
    {
      id: "Undelivered",
      suffix: "undelivered",
      metric: metrics.destinationDeliveryFailures,
      statistic: "Sum",
      happened: "an asynchronous call failed in all attempts, and could not be put into the dead letters",
      remedy:
        "Find the call in the function's log, check the queue and the role's right to send, then call it again.",
      runbook: "function-calls",
      sends: true,
      sendsOk: false,
    },
  ];
}
