import { matches, transform } from "./event-rules";

/** The statements of the documentation that the failure rules rest on. */
describe("matching", () => {
  test.each([
    ["a field by any of its values", { state: ["a", "b"] }, { state: "b" }, true],
    ["every field", { state: ["a"], size: [1] }, { state: "a", size: 2 }, false],
    ["nested fields", { detail: { state: ["a"] } }, { detail: { state: "a" } }, true],
    ["an array by any of its elements", { list: ["b"] }, { list: ["a", "b"] }, true],
    ["null is a value", { state: [null] }, { state: null }, true],
    ["null is not the text", { state: [null] }, { state: "null" }, false],
    ["null is not absent", { state: [null] }, {}, false],
    ["exists: false without the field", { state: [{ exists: false }] }, {}, true],
    ["exists: false with a null", { state: [{ exists: false }] }, { state: null }, false],
    ["exists looks at leaves", { state: [{ exists: false }] }, { state: { x: 1 } }, true],
    ["exists: true", { state: [{ exists: true }] }, { state: "a" }, true],
    ["anything-but another value", { state: [{ "anything-but": ["a"] }] }, { state: "b" }, true],
    ["anything-but the value", { state: [{ "anything-but": ["a"] }] }, { state: "a" }, false],
    ["anything-but needs the field", { state: [{ "anything-but": ["a"] }] }, {}, false],
    ["$or and its neighbours", { a: [1], $or: [{ b: [1] }, { c: [1] }] }, { a: 1, c: 1 }, true],
    ["$or of none", { a: [1], $or: [{ b: [1] }, { c: [1] }] }, { a: 1, c: 2 }, false],
  ])("%s", (_what, pattern, event, expected) => {
    expect(matches(pattern as never, event as never)).toBe(expected);
  });

  test("what is not modelled is refused", () => {
    expect(() => matches({ a: [{ prefix: "x" }] }, { a: "xy" })).toThrow("unsupported");
    expect(() => matches({ $or: [{ a: [1] }] }, { a: 1 })).toThrow("two objects");
  });
});

describe("transforming", () => {
  const paths = { state: "$.detail.state", id: "$.id" };
  test("bare values arrive as JSON, those inside texts as characters", () => {
    const event = { id: "i-1", detail: { state: 'it said "no"\n' } };
    const message = transform(paths, '{"state": <state>, "text": "run <id> \\"quoted\\""}', event);
    expect(JSON.parse(message)).toEqual({ state: 'it said "no"\n', text: 'run i-1 "quoted"' });
  });
  test("a null stays a null; a path that leads nowhere is refused", () => {
    expect(transform(paths, '{"state": <state>}', { detail: { state: null } })).toBe('{"state": null}');
    expect(() => transform(paths, '{"state": <state>}', { detail: {} })).toThrow("leads nowhere");
  });
});
