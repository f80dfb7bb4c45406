import fc from "fast-check";
import { readDocument } from "../../contracts/read-document";

/** JSON, read strictly. */

const TWICE = "is there twice: leave one of the two out";

test.each([
  ['{"a": 1, "a": 2}', ["a"]],
  ['{"a": {"b": 1, "c": {}, "b": 1}, "b": 1}', ["a.b"]],
  ['[{"a": 1}, {"a": 1, "b": [{"c": 1, "c": 1}]}]', ["[1].b[0].c"]],
  ['{"a": [1, [2, 3], {"x": 1, "x": 1}], "a": 1}', ["a[2].x", "a"]],
  // The same key, written in another way.
  ['{"a": 1, "\\u0061": 2}', ["a"]],
  ['{"a\\"": 1, "b": ",{}[]:", "a\\"": 2}', ['a"']],
  ['{"x": "a", "y": "a", "a": "a"}', []],
  ["[[], [], {}, {}]", []],
  ['"a"', []],
])("%s repeats %j", (text, fields) => {
  const { document, mistakes } = readDocument(text);
  expect(document).toEqual(JSON.parse(text));
  expect(mistakes).toEqual(fields.map((field) => [field, TWICE]));
});

test("a text that is not JSON has no document", () => {
  expect(readDocument("{")).toEqual({
    mistakes: [["", expect.stringMatching(/^is not valid JSON: /) as string]],
  });
});

test("any JSON without equal keys is taken as it is", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(readDocument(text)).toEqual({ document: JSON.parse(text) as unknown, mistakes: [] });
    }),
  );
});
