import { jsonMistake } from "../../contracts/json-mistake";

/** Node's messages for invalid JSON, in the words of its versions. */

function mistakeIn(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return jsonMistake(text, error as Error);
  }
  throw new Error("is JSON");
}

test.each([
  [
    "a missing comma",
    '{\n  "a": 1\n  "b": 2\n}',
    /property value in JSON at position 13 \(line 3 column 3\)$/,
  ],
  ["a comma too many", '{\n  "a": 1,\n}', /in JSON at position 12 \(line 3 column 1\)$/],
  ["a single quote", "{'a': 1}", /in JSON at position 1 \(line 1 column 2\)$/],
  ["no more text", '{ "a": [', /^Unexpected end of JSON input$/],
])("%s is reported with its line", (_what, text, expected) => {
  expect(mistakeIn(text)).toMatch(expected);
});

test("where Node tells the line, or shows the text, that is enough", () => {
  for (const message of [
    "Bad control character in string literal in JSON at position 9 (line 2 column 3)",
    `Unexpected token 'x', "{"a": x}" is not valid JSON`,
  ])
    expect(jsonMistake('{"a": x}', new SyntaxError(message))).toBe(message);
});
