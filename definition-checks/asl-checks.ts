import { everyState, isObject, withLanguages, type Definition } from "./asl";
import { callFindings } from "./call-checks";
import { failurePathFindings } from "./failure-path-checks";
import { readings } from "./data-flow";
import { ANY, shapeOfInput } from "./data-shape";
import { withoutAllowed, type AslCheckOptions, type Finding } from "./finding";
import { jsonataFindings } from "./jsonata-checks";
import { dataFindings } from "./lost-input";
import { mapFindings } from "./map-checks";
import { retryFindings } from "./retry-checks";
import { flowFindings, machineFindings, shapeFindings } from "./structure-checks";
import { waitingFindings } from "./waiting-checks";

/**
 * The checks that every definition must pass at synth, composed or written by hand. `cdktf-aws-etl lint` runs them on files.
 * AWS validates a definition only when a plan knows all of it, and checks neither data flow nor how failures end.
 * docs/definition-checks.md lists the checks.
 */

export { CHECKS, formatFinding, type AslCheckOptions, type CheckName, type Finding } from "./finding";

/** Lists all findings, inner machines included. An empty list means the definition may be deployed. */
export function checkDefinition(written: Definition, options: AslCheckOptions = {}): Finding[] {
  const definition = withLanguages(written);
  const states = everyState(definition);
  const all = readings(definition, options.input === undefined ? ANY : shapeOfInput(options.input));
  const findings = [
    ...machineFindings(written, options),
    ...flowFindings(definition),
    ...failurePathFindings(definition, options),
    ...states.flatMap(({ name, state }) => [
      ...shapeFindings(name, state, definition.QueryLanguage, options),
      ...mapFindings(name, state, options),
      ...callFindings(name, state, definition, options),
      ...retryFindings(name, state, options),
    ]),
    ...jsonataFindings(states, options),
    ...waitingFindings(definition, all),
    ...dataFindings(definition, all, options),
  ];
  // A Comment may also allow what the options allow, so that a file passes without options.
  const letBe = [
    ...failurePathFindings(definition, {}),
    ...states.flatMap(({ name, state }) => retryFindings(name, state, {})),
  ];
  const order = ["", ...states.map(({ name }) => name)];
  return withoutAllowed(findings, letBe, states, definition, options).sort(
    (one, other) => order.indexOf(one.state) - order.indexOf(other.state),
  );
}

/** The errors raised by the machine's own Fail states, which a redrive would only raise again. */
export const failErrors = (definition: Definition): string[] =>
  [
    ...new Set(
      everyState(definition)
        .filter(({ state }) => state.Type === "Fail" && typeof state.Error === "string")
        .map(({ state }) => state.Error as string),
    ),
  ].sort();

/** Reads a hand-written definition. @throws Error if it is not a definition */
export function asDefinition(value: unknown): Definition {
  if (!isObject(value) || typeof value.StartAt !== "string" || !isObject(value.States))
    throw new Error("is not a state machine definition: it needs StartAt and States");
  if (!Object.values(value.States).every(isObject)) throw new Error("has a state that is not an object");
  return value as unknown as Definition;
}
