import { type RunShape } from "../core/job-runs";
import { type JsonObject } from "../../definition-checks/asl";
import { type PolicyStatement } from "../iam/policy-statement";
import { type InnerMachine, type PlaceholderValues } from "./state-machine-definition";

/** A mistake in a step's props: the field, and words that follow it. */
export interface StepMistake {
  readonly field: string;
  readonly message: string;
}

/** A step of a pipeline's flow: plain data, made by the functions of `Step`. */
export interface FlowStep {
  /** UpperCamel, unique in its flow; the state's name, and in lowerCamel the key of its result. */
  readonly name: string;
  /** The function that made it, e.g. `notify`, for messages. */
  readonly kind?: string;
  /** The kinds of steps of which one must come before it, and why. */
  readonly needs?: readonly { readonly kinds: readonly string[]; readonly why: string }[];
  /** The name of the check-books step whose figures it needs. */
  readonly needsBooks?: string;
  /** The step's states: part of a definition, with placeholders. */
  readonly fragment: JsonObject;
  /** Values for the fragment's placeholders. */
  readonly values: PlaceholderValues;
  /** An upper bound of the step's duration in seconds, retries included. */
  readonly boundSeconds: number;
  /** Placeholders for later steps; `undefined` stands for the last step. */
  readonly goesTo?: Readonly<Record<string, string | undefined>>;
  /** `true`: nothing follows it, because it ends the execution. */
  readonly isEnd?: boolean;
  /** `true`: it may leave no result at `$.results.<step>`. */
  readonly leavesNoResult?: boolean;
  /** The texts in which it may read results of earlier steps, such as the arguments of a run. */
  readonly reads?: readonly string[];
  /** Flows between this step and the next one, by the placeholder for their first state. One of them runs. */
  readonly ways?: Readonly<Record<string, readonly FlowStep[]>>;
  /** Machines inside of it, by the placeholder for their definitions. All of them run. */
  readonly machines?: Readonly<Record<string, InnerMachine<FlowStep> | readonly InnerMachine<FlowStep>[]>>;
  /** Set for a crawl: the child machine's input. */
  readonly crawl?: { readonly crawlerName: string; readonly deadlineMinutes: number };
  /** Set for a job run: its settings, overrides included. */
  readonly jobRun?: { readonly jobName: string; readonly run: RunShape };
  /** ARNs of the KMS keys of what the step reads from S3. */
  readonly decryptsWith?: readonly string[];
  /** Rights that cannot be derived from its calls. */
  readonly statements?: readonly PolicyStatement[];
  /** The path at which the step reads the ARN of an execution of its own machine. */
  readonly ownExecutionAt?: string;
  /** Mistakes in the step's props. */
  readonly mistakes: readonly StepMistake[];
}

const NAME = /^[A-Z][A-Za-z0-9]{0,39}$/;

/** A step with the mistakes that were found in its props, and the one in its name. */
export function makeStep(parts: Omit<FlowStep, "mistakes">, mistakes: readonly StepMistake[] = []): FlowStep {
  const badName = NAME.test(parts.name)
    ? []
    : [
        {
          field: "name",
          message: `must be a word in UpperCamel of at most 40 letters and digits, got ${JSON.stringify(parts.name)}`,
        },
      ];
  return { ...parts, mistakes: [...badName, ...mistakes] };
}

/** The mistake in a number that must be whole and between two bounds. */
export const wholeBetween = (field: string, value: number, from: number, to: number): StepMistake[] =>
  Number.isInteger(value) && value >= from && value <= to
    ? []
    : [{ field, message: `must be a whole number from ${from} to ${to}, got ${value}` }];

/** The steps inside of a step, flow by flow. */
export function innerFlows({ ways = {}, machines = {} }: FlowStep): (readonly FlowStep[])[] {
  return [
    ...Object.values(ways),
    ...Object.values(machines)
      .flat()
      .map(({ steps }) => steps),
  ];
}

/** Steps and all that are inside of them, each once. */
export const everyStep = (steps: readonly FlowStep[]): FlowStep[] =>
  steps.flatMap((step) => [step, ...innerFlows(step).flatMap(everyStep)]);
