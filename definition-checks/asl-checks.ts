import { everyState, isObject, type Definition } from "./asl";
import { callFindings } from "./call-checks";
import { failurePathFindings } from "./failure-path-checks";
import { readings } from "./data-flow";
import { ANY, shapeOfInput } from "./data-shape";
import { withoutAllowed, type AslCheckOptions, type Finding } from "./finding";
import { dataFindings } from "./lost-input";
import { retryFindings } from "./retry-checks";
import { flowFindings, machineFindings, shapeFindings } from "./structure-checks";
import { waitingFindings } from "./waiting-checks";

/**
 * Checks every definition passes at synth, composed or written by hand; `cdktf-aws-etl lint` runs them on files. Pure.
 * AWS checks a definition only when a plan knows all of it, and knows nothing of data flow or of what a failure is.
 * docs/definition-checks.md lists them.
 */

export { CHECKS, formatFinding, type AslCheckOptions, type CheckName, type Finding } from "./finding";

/** All findings, those of inner machines included; an empty list is a definition that may be deployed. */
export function checkDefinition(definition: Definition, options: AslCheckOptions = {}): Finding[] {
  const states = everyState(definition);
  const isJsonata = definition.QueryLanguage !== undefined && definition.QueryLanguage !== "JSONPath";
  const all = readings(definition, options.input === undefined ? ANY : shapeOfInput(options.input));
  const findings = [
    ...machineFindings(definition, options.isFragment ?? false),
    ...flowFindings(definition),
    ...failurePathFindings(definition, options),
    ...states.flatMap(({ name, state }) => [
      ...shapeFindings(name, state, isJsonata),
      ...callFindings(name, state, definition, options),
      ...retryFindings(name, state, options),
    ]),
    ...waitingFindings(definition, all),
    ...dataFindings(definition, all, options),
  ];
  // What the options let be may be allowed in a Comment as well, so that a file passes by itself.
  const letBe = [
    ...failurePathFindings(definition, {}),
    ...states.flatMap(({ name, state }) => retryFindings(name, state, {})),
  ];
  const order = ["", ...states.map(({ name }) => name)];
  return withoutAllowed(findings, letBe, states, definition, options).sort(
    (one, other) => order.indexOf(one.state) - order.indexOf(other.state),
  );
}

/** Errors that the machine's own Fail states raise: repeating a Fail state cannot help. */
export const failErrors = (definition: Definition): string[] =>
  [
    ...new Set(
      everyState(definition)
        .filter(({ state }) => state.Type === "Fail" && typeof state.Error === "string")
        .map(({ state }) => state.Error as string),
    ),
  ].sort();

/** Reads a hand-written definition. @throws Error when it has not the shape of one. */
export function asDefinition(value: unknown): Definition {
  if (!isObject(value) || typeof value.StartAt !== "string" || !isObject(value.States))
    throw new Error("is no state machine definition: it needs StartAt and States");
  if (!Object.values(value.States).every(isObject)) throw new Error("holds a state that is no object");
  return value as unknown as Definition;
}
