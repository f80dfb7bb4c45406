import { Step, Steps } from "../../index";

const step = (name: string): Step => Step.runJob(name, { jobName: name, timeoutMinutes: 1 });
const steps = new Steps(["One", "Two", "Three"].map(step));
const [x, y] = [step("X"), step("Y")];

test.each<[string, Steps, readonly string[]]>([
  ["insertBefore the first", steps.insertBefore("One", x, y), ["X", "Y", "One", "Two", "Three"]],
  ["insertBefore another", steps.insertBefore("Three", x), ["One", "Two", "X", "Three"]],
  ["insertAfter the last", steps.insertAfter("Three", x, y), ["One", "Two", "Three", "X", "Y"]],
  ["insertAfter another", steps.insertAfter("One", x), ["One", "X", "Two", "Three"]],
  ["replace by one", steps.replace("Two", x), ["One", "X", "Three"]],
  ["replace by two", steps.replace("Two", x, y), ["One", "X", "Y", "Three"]],
  ["without one", steps.without("Two"), ["One", "Three"]],
  ["without two", steps.without("Three", "One"), ["Two"]],
  [
    "one verb after the other",
    steps.without("One").insertAfter("Two", x).replace("X", y),
    ["Two", "Y", "Three"],
  ],
  ["nothing", steps, ["One", "Two", "Three"]],
])("%s", (_, { all }, names) => {
  expect(all.map(({ name }) => name)).toEqual(names);
});

test.each<[string, () => unknown]>([
  ["insertBefore", () => steps.insertBefore("Four", x)],
  ["insertAfter", () => steps.insertAfter("Four", x)],
  ["replace", () => steps.replace("Four", x)],
  ["without", () => steps.without("One", "Four")],
])("%s of an unknown step names those that there are", (verb, change) => {
  expect(change).toThrow(new Error(`Steps.${verb}: unknown step 'Four'; the steps are One, Two, Three`));
});
