import validate from "asl-validator";
import { checkDefinition, formatFinding } from "../../../definition-checks/asl-checks";
import { MESSENGER } from "../../support/status-events";
import { eventsProps, synthOrchestrator } from "../../support/orchestrator";

/** The synthesised definitions of parent, child and messenger before an outside judge, and before our own. */
describe.each(["etl-dev-events", "etl-dev-events-crawl", MESSENGER])("%s", (name) => {
  const { definition } = synthOrchestrator(eventsProps());

  test("asl-validator finds nothing", () => {
    const { isValid, errors } = validate(definition(name));
    expect(errors).toEqual([]);
    expect(isValid).toBe(true);
  });

  test("neither do the checks of every synth", () => {
    expect(checkDefinition(definition(name)).map(formatFinding)).toEqual([]);
  });

  test("every Task has a ResultPath and a TimeoutSeconds", () => {
    const tasks = Object.entries(definition(name).States).filter(([, state]) => state.Type === "Task");
    for (const [state, task] of tasks) {
      expect([state, "ResultPath" in task]).toEqual([state, true]);
      expect([state, typeof task.TimeoutSeconds]).toEqual([state, "number"]);
    }
  });

  test("is far below the megabyte that AWS takes", () => {
    expect(JSON.stringify(definition(name)).length).toBeLessThan(64 * 1024);
  });
});
