import { chosenOrchestrations } from "../../local/orchestration-choice";

const asked = {
  pipeline: "sales",
  orchestration: undefined,
  given: undefined,
  names: ["events", "sales", "calls"],
  deployed: { events: "stepFunctions", calls: "workflow", sales: "workflow" },
} as const;

test.each([
  [
    "others keep what they have, and the one that runs goes back to its settings",
    {},
    "events:stepFunctions,calls:workflow",
  ],
  [
    "the option is for the one that runs",
    { orchestration: "workflow" },
    "events:stepFunctions,calls:workflow,sales:workflow",
  ],
  [
    "the user's own variable wins over what others have",
    { given: "calls:stepFunctions" },
    "calls:stepFunctions,events:stepFunctions",
  ],
  [
    "the option wins over the user's own variable",
    { given: "sales:stepFunctions, calls:workflow", orchestration: "workflow" },
    "calls:workflow,events:stepFunctions,sales:workflow",
  ],
  [
    "the user's own variable is for the one that runs too",
    { given: "sales:workflow" },
    "sales:workflow,events:stepFunctions,calls:workflow",
  ],
  ["a pipeline that goes is left out", { names: ["sales"] }, ""],
  ["a mistake is passed on, for the app to report", { given: "sale", names: ["sales"] }, "sale"],
] as const)("%s", (_what, change, chosen) => {
  expect(chosenOrchestrations({ ...asked, ...change })).toBe(chosen);
});
