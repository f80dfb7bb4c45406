import { isObject, type Json, type JsonObject } from "../../definition-checks/asl";
import { resultKey } from "./state-machine-definition";
import { everyStep, makeStep, type FlowStep, type StepMistake, wholeBetween } from "./step-data";

/** A comparison of a Choice state, without `Next`: `{ Variable: "$.results.ask.rows", NumericGreaterThan: 0 }`. */
export type ChoiceRule = JsonObject;

/** Props of `Step.choose`. */
export interface ChooseStepProps {
  /** The branches in order: the first whose rule is true runs. */
  readonly branches: readonly {
    /** Source of the comparisons: https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html */
    readonly when: ChoiceRule;
    /** The steps of this branch; after them the flow goes on behind the choice. Empty: it goes on at once. */
    readonly steps: readonly FlowStep[];
  }[];
  /** The steps if no rule is true. Empty: the flow goes on behind the choice. */
  readonly otherwise: readonly FlowStep[];
}

/** Props of `Step.parallel`. */
export interface ParallelStepProps {
  /**
   * The branches by name, each with one step or more: `{ ios: [...], android: [...] }`. All start at once. The results of the branch
   * `ios` are at `$.results.<step>.ios.<step of the branch>`.
   */
  readonly branches: Readonly<Record<string, readonly FlowStep[]>>;
}

/** Props of `Step.forEach`. */
export interface ForEachStepProps {
  /** The items: a list, or the path of a list in the execution's state, such as `$.run.tables`. */
  readonly items: string | readonly Json[];
  /**
   * The most items, 1 to 1000. A longer list fails the run as `TooManyItems` before the first item is worked on.
   * @default - the length of `items`; a path needs it
   */
  readonly mostItems?: number;
  /** The steps for one item, which is at `$.item`. */
  readonly steps: readonly FlowStep[];
  /**
   * Items worked on at the same time, 1 to 40, the limit of an inline Map.
   * @default 1
   */
  readonly maxConcurrency?: number;
  /**
   * How many items may fail, 0 or more. With 0 the first failure fails the run, and a redrive works on the items that did not succeed. With
   * more, all items are worked on; one failure too many fails the run as `TooManyItemsFailed`, and a new execution works on all items.
   * @default 0
   */
  readonly toleratedFailures?: number;
  /**
   * The path of what to keep of an item, e.g. `$.results.load.payload.rows`.
   * @default - only the item and its status
   */
  readonly keep?: string;
}

/** Props of `Step.fail`. */
export interface FailStepProps {
  /** The error's name, in UpperCamel. */
  readonly error: string;
  /** The cause; a value that starts with `$.` is a path, and one that starts with `States.` an intrinsic function. */
  readonly cause: string;
}

/** An inline Map runs at most 40 iterations at once: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html */
const MOST_CONCURRENCY = 40;
const MOST_ITEMS = 1_000;
/** A history holds 25,000 events: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html; some belong to other steps. */
const MOST_EVENTS_OF_ITEMS = 20_000;
/** Events of a state that calls a service and waits: entered, scheduled, started, submitted, succeeded, exited. */
const EVENTS_OF_A_STATE = 6;

const sumOfBounds = (steps: readonly FlowStep[]): number =>
  steps.reduce((sum, { boundSeconds }) => sum + boundSeconds, 0);
const isExpression = (value: string): boolean => /^(?:\$|States\.)/.test(value);

export function choose(name: string, { branches, otherwise }: ChooseStepProps): FlowStep {
  const rules = branches.map(({ when }, index) => ({ ...when, Next: `\${Way${index + 1}}` }));
  const ways = branches.map(({ steps }, index) => [`Way${index + 1}`, steps] as const);
  const rest = (otherwise as readonly FlowStep[] | undefined) ?? [];
  return makeStep(
    {
      name,
      kind: "choose",
      fragment: {
        StartAt: "${Step}",
        States: { "${Step}": { Type: "Choice", Choices: rules, Default: "${Otherwise}" } },
      },
      values: {},
      ways: { ...Object.fromEntries(ways), Otherwise: rest },
      boundSeconds: Math.max(...[...branches.map(({ steps }) => steps), rest].map(sumOfBounds)),
      leavesNoResult: true,
      reads: branches.map(({ when }) => JSON.stringify(when)),
    },
    [
      ...(branches.length === 0 ? [{ field: "branches", message: "must not be empty" }] : []),
      ...((otherwise as readonly FlowStep[] | undefined) === undefined
        ? [
            {
              field: "otherwise",
              message: "must be given: the steps if no rule is true, or [] to go on behind the choice",
            },
          ]
        : []),
      ...branches.flatMap(({ when, steps }, index) => [
        ...ruleMistakes(`branches[${index}].when`, when),
        ...listMistakes(`branches[${index}].steps`, steps),
      ]),
    ],
  );
}

function ruleMistakes(field: string, rule: ChoiceRule): StepMistake[] {
  if (!isObject(rule))
    return [{ field, message: `must be a comparison of a Choice state, got ${JSON.stringify(rule)}` }];
  if ("Next" in rule) return [{ field, message: "must have no Next: the branch's steps follow" }];
  if ("Condition" in rule)
    return [
      {
        field,
        message: "must be a comparison in JSONPath, such as { Variable, StringEquals }, got a Condition",
      },
    ];
  return [];
}

function listMistakes(field: string, steps: readonly FlowStep[] | undefined): StepMistake[] {
  return Array.isArray(steps)
    ? []
    : [{ field, message: `must be a list of steps, got ${JSON.stringify(steps)}` }];
}

/** The keys of the results that steps leave for sure: a result that a step may go past is not one of them. */
export function resultsLeft(steps: readonly FlowStep[]): string[] {
  const skipped = new Set<string>();
  steps.forEach(({ goesTo = {} }, index) => {
    for (const target of Object.values(goesTo)) {
      const found = steps.findIndex(({ name }) => name === target);
      const end = target === undefined ? steps.length - 1 : found < 0 ? steps.length : found;
      steps.slice(index + 1, end).forEach(({ name }) => skipped.add(name));
    }
  });
  return steps
    .filter(
      ({ name, leavesNoResult, isEnd }) => leavesNoResult !== true && isEnd !== true && !skipped.has(name),
    )
    .map(({ name }) => resultKey(name));
}

export function parallel(name: string, { branches }: ParallelStepProps): FlowStep {
  const all = Object.entries(branches);
  const upperFirst = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const machines = all.map(([branch, steps]) => {
    const left = resultsLeft(Array.isArray(steps) ? steps : []).map(
      (key) => [`${key}.$`, `$.results.${key}`] as const,
    );
    const output: JsonObject = left.length === 0 ? { Result: {} } : { Parameters: Object.fromEntries(left) };
    return { steps, lastState: `${name}${upperFirst(branch)}Results`, output };
  });
  const selector = all.map(([branch], index) => [`${branch}.$`, `$[${index}]`] as const);
  return makeStep(
    {
      name,
      kind: "parallel",
      fragment: {
        StartAt: "${Step}",
        States: {
          "${Step}": {
            Type: "Parallel",
            Branches: "${Branches}",
            ResultSelector: Object.fromEntries(selector),
            ResultPath: "$.results.${Result}",
            Next: "${Next}",
          },
        },
      },
      values: {},
      machines: { Branches: machines },
      boundSeconds: Math.max(0, ...all.map(([, steps]) => sumOfBounds(steps))),
    },
    [
      ...(all.length < 2
        ? [
            {
              field: "branches",
              message: `must be two or more, got ${all.length}; steps of one need no parallel`,
            },
          ]
        : []),
      ...all.flatMap(([branch, steps]) => [
        ...(/^[a-z][A-Za-z0-9]{0,19}$/.test(branch)
          ? []
          : [
              {
                field: `branches.${branch}`,
                message: "must be named by a word in lowerCamel of at most 20 letters and digits",
              },
            ]),
        ...listMistakes(`branches.${branch}`, steps),
        ...(Array.isArray(steps) && steps.length === 0
          ? [{ field: `branches.${branch}`, message: "must have steps, got none" }]
          : []),
      ]),
    ],
  );
}

const INLINE: JsonObject = { ProcessorConfig: { Mode: "INLINE" } };

/** The item's steps with one Catch: a failure becomes the item's outcome, and the other items go on. */
const tolerant = (): JsonObject => ({
  StartAt: "${Step}Item",
  States: {
    "${Step}Item": {
      Comment:
        "One branch, so that one Catch holds for all steps of the item. allow(caught-success): failed items are counted behind the Map",
      Type: "Parallel",
      Branches: ["${Item}"],
      OutputPath: "$[0]",
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "${Step}ItemFailed" }],
      End: true,
    },
    "${Step}ItemFailed": {
      Type: "Pass",
      Parameters: {
        "item.$": "$.item",
        status: "FAILED",
        failure: { "item.$": "$.item", "error.$": "$.failure.Error", "cause.$": "$.failure.Cause" },
      },
      End: true,
    },
  },
});

export function forEach(name: string, props: ForEachStepProps): FlowStep {
  const { items, steps, maxConcurrency = 1, toleratedFailures = 0, keep } = props;
  const mostItems = props.mostItems ?? (typeof items === "string" ? 0 : items.length);
  const tolerates = toleratedFailures > 0;
  const outcome: JsonObject = {
    "item.$": "$.item",
    status: "SUCCEEDED",
    ...(keep === undefined ? {} : { "kept.$": keep }),
  };
  const inner = {
    steps,
    lastState: `${name}ItemDone`,
    output: { Parameters: outcome },
    fields: tolerates ? {} : INLINE,
  };
  const list: JsonObject = typeof items === "string" ? { "items.$": "${Items}" } : { items: "${Items}" };
  const selector: JsonObject = tolerates
    ? { "items.$": "$", "failed.$": "States.ArrayLength($[*].failure)" }
    : { "items.$": "$", failed: 0 };
  return makeStep(
    {
      name,
      kind: "forEach",
      fragment: {
        StartAt: "${Step}",
        States: {
          "${Step}": {
            Type: "Pass",
            Parameters: list,
            ResultPath: "$.results.${Result}",
            Next: "${Step}Count",
          },
          "${Step}Count": {
            Type: "Pass",
            Parameters: { "count.$": "States.ArrayLength($.results.${Result}.items)" },
            ResultPath: "$.results.${Result}.length",
            Next: "${Step}IsBounded",
          },
          "${Step}IsBounded": {
            Type: "Choice",
            Choices: [
              {
                Variable: "$.results.${Result}.length.count",
                NumericLessThanEquals: "${MostItems}",
                Next: "${Step}Items",
              },
            ],
            Default: "${Step}ReportTooMany",
          },
          "${Step}ReportTooMany": {
            Type: "Pass",
            Parameters: {
              "cause.$":
                "States.Format('step ${Step} takes at most ${MostItems} items, got {}', $.results.${Result}.length.count)",
            },
            ResultPath: "$.results.${Result}",
            Next: "${Step}TooMany",
          },
          "${Step}TooMany": { Type: "Fail", Error: "TooManyItems", CausePath: "$.results.${Result}.cause" },
          "${Step}Items": {
            Type: "Map",
            ItemsPath: "$.results.${Result}.items",
            ItemSelector: { "run.$": "$.run", "results.$": "$.results", "item.$": "$$.Map.Item.Value" },
            MaxConcurrency: "${MaxConcurrency}",
            ItemProcessor: tolerates ? { ...INLINE, ...tolerant() } : "${Item}",
            ResultSelector: selector,
            ResultPath: "$.results.${Result}",
            Next: tolerates ? "${Step}Judge" : "${Next}",
          },
          ...(tolerates ? judged() : {}),
        },
      },
      values: {
        Items: items,
        MostItems: mostItems,
        MaxConcurrency: maxConcurrency,
        ...(tolerates ? { Tolerated: toleratedFailures } : {}),
      },
      machines: { Item: inner },
      boundSeconds: Math.ceil(mostItems / Math.max(1, maxConcurrency)) * sumOfBounds(steps) + 60,
      reads: typeof items === "string" ? [items] : [],
    },
    [
      ...wholeBetween("maxConcurrency", maxConcurrency, 1, MOST_CONCURRENCY),
      ...wholeBetween("toleratedFailures", toleratedFailures, 0, MOST_ITEMS),
      ...boundMistakes(props, mostItems),
      ...listMistakes("steps", steps),
      ...(Array.isArray(steps) && steps.length === 0
        ? [{ field: "steps", message: "must not be empty" }]
        : []),
      ...(keep === undefined || /^\$\./.test(keep)
        ? []
        : [{ field: "keep", message: `must be a path such as $.results.load, got ${JSON.stringify(keep)}` }]),
    ],
  );
}

/** Counts failed items and fails if there are more than are tolerated. */
const judged = (): JsonObject => ({
  "${Step}Judge": {
    Type: "Choice",
    Choices: [
      { Variable: "$.results.${Result}.failed", NumericLessThanEquals: "${Tolerated}", Next: "${Next}" },
    ],
    Default: "${Step}ReportFailures",
  },
  "${Step}ReportFailures": {
    Type: "Pass",
    Parameters: {
      "cause.$":
        "States.Format('{} items of step ${Step} failed, ${Tolerated} may fail: {}', $.results.${Result}.failed, States.JsonToString($.results.${Result}.items[*].failure))",
    },
    ResultPath: "$.results.${Result}",
    Next: "${Step}TooManyFailed",
  },
  "${Step}TooManyFailed": {
    Type: "Fail",
    Error: "TooManyItemsFailed",
    CausePath: "$.results.${Result}.cause",
  },
});

function boundMistakes({ items, steps, ...props }: ForEachStepProps, mostItems: number): StepMistake[] {
  if (typeof items === "string") {
    if (!/^\$\./.test(items))
      return [
        {
          field: "items",
          message: `must be a list or a path such as $.run.tables, got ${JSON.stringify(items)}`,
        },
      ];
    if (props.mostItems === undefined)
      return [
        {
          field: "mostItems",
          message: `must be given, because the length of ${items} is not known at synth; a run with more items fails before the first`,
        },
      ];
  } else if (props.mostItems !== undefined && props.mostItems < items.length) {
    return [
      { field: "mostItems", message: `must not be less than the ${items.length} items, got ${mostItems}` },
    ];
  }
  const whole = wholeBetween(
    typeof items === "string" || props.mostItems !== undefined ? "mostItems" : "items.length",
    mostItems,
    1,
    MOST_ITEMS,
  );
  if (whole.length > 0) return whole;
  const states = everyStep(steps).reduce(
    (sum, { fragment }) => sum + Object.keys((fragment.States ?? {}) as JsonObject).length,
    0,
  );
  const events = mostItems * states * EVENTS_OF_A_STATE;
  return events <= MOST_EVENTS_OF_ITEMS
    ? []
    : [
        {
          field: "mostItems",
          message:
            `would let a run record about ${events} events (${mostItems} items of ${states} states), and a history holds 25000; ` +
            "take fewer items, or start one execution per item",
        },
      ];
}

export function fail(name: string, { error, cause }: FailStepProps): FlowStep {
  const isIntrinsic = cause.startsWith("States.");
  const cases: Readonly<Record<string, JsonObject>> = isIntrinsic
    ? {
        "${Step}": {
          Comment: "Interpreters disagree on intrinsic functions in CausePath",
          Type: "Pass",
          Parameters: { "cause.$": "${Cause}" },
          Next: "${Step}Failed",
        },
        "${Step}Failed": { Type: "Fail", Error: "${Error}", CausePath: "$.cause" },
      }
    : {
        "${Step}": {
          Type: "Fail",
          Error: "${Error}",
          [isExpression(cause) ? "CausePath" : "Cause"]: "${Cause}",
        },
      };
  return makeStep(
    {
      name,
      kind: "fail",
      fragment: { StartAt: "${Step}", States: cases },
      values: { Error: error, Cause: cause },
      boundSeconds: 1,
      isEnd: true,
      leavesNoResult: true,
      reads: isExpression(cause) ? [cause] : [],
    },
    [
      ...(/^[A-Z][A-Za-z0-9]{0,79}$/.test(error)
        ? []
        : [
            {
              field: "error",
              message: `must be a word in UpperCamel of at most 80 letters and digits, got ${JSON.stringify(error)}`,
            },
          ]),
      ...(cause.trim() === "" ? [{ field: "cause", message: "must not be empty" }] : []),
    ],
  );
}
