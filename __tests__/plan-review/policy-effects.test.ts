import fc from "fast-check";
import { arnContains, contains, intersects } from "../../plan-review/globs";
import { parsePolicy } from "../../plan-review/policy-document";
import { gained } from "../../plan-review/policy-effects";

const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 5 });
const word = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 });
const matches = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(text);

test.each([
  ["s3:get*", "s3:getobject", true],
  ["s3:getobject", "s3:get*", false],
  ["s3:*", "s3:get*", true],
  ["*", "a?b*", true],
  ["?*", "*?", true],
  ["a*b", "a*", false],
  ["a*b", "a?b", true],
])("%s holds %s: %s", (outer, inner, expected) => expect(contains(outer, inner)).toBe(expected));

test("what is contained is matched, whatever the text", () => {
  fc.assert(
    fc.property(glob, glob, word, (outer, inner, text) => {
      fc.pre(contains(outer, inner) && matches(inner, text));
      return matches(outer, text);
    }),
  );
});

test("what matches one text meets", () => {
  fc.assert(
    fc.property(glob, glob, word, (one, other, text) => {
      fc.pre(matches(one, text) && matches(other, text));
      return intersects(one, other);
    }),
  );
});

test("a wildcard stays within its part of an ARN", () => {
  expect(arnContains("arn:aws:s3:::raw*", "arn:aws:s3:::raw/a/b")).toBe(true);
  expect(arnContains("arn:aws:*:::raw", "arn:aws:s3:x::raw")).toBe(false);
});

const subset = <T>(...all: T[]) => fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 3 });
const statement = fc.record({
  Effect: fc.constantFrom("Allow", "Deny"),
  Action: subset("s3:GetObject", "s3:Get*", "s3:*", "s3:PutObject", "*"),
  Resource: subset("*", "arn:aws:s3:::a/*", "arn:aws:s3:::a/x/*", "arn:aws:s3:::b"),
  Condition: fc.constantFrom({}, { StringEquals: { k: ["v"] } }, { StringEquals: { k: ["v", "w"] } }),
});
const policy = fc.array(statement, { maxLength: 4 });
const parse = (Statement: unknown[]) => parsePolicy({ Statement }, { principal: "role r" });

test("another order of statements, actions and resources changes nothing", () => {
  fc.assert(
    fc.property(policy, (statements) => {
      const other = [...statements].reverse().map((one) => ({
        Resource: [...one.Resource].reverse(),
        Condition: one.Condition,
        Action: [...one.Action].reverse().map((action) => action.toUpperCase()),
        Effect: one.Effect,
      }));
      expect(gained(parse(statements), parse(other))).toEqual([]);
      expect(gained(parse(other), parse(statements))).toEqual([]);
    }),
  );
});

test("one more Allow never narrows, one more Deny never widens", () => {
  fc.assert(
    fc.property(policy, statement, (statements, one) => {
      const [before, after] = [parse(statements), parse([...statements, one])];
      expect(one.Effect === "Allow" ? gained(after, before) : gained(before, after)).toEqual([]);
    }),
  );
});

const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::a/*" };
const when = (values: string[], operator = "StringEquals") => ({
  ...allow,
  Condition: { [operator]: { k: values } },
});

test.each<readonly [string, object[], object[], number]>([
  ["a condition that lets more in", [when(["v"])], [when(["v", "w"])], 1],
  ["a condition that lets less in", [when(["v", "w"])], [when(["v"])], 0],
  [
    "a negated condition with less to keep out",
    [when(["v", "w"], "StringNotEquals")],
    [when(["v"], "StringNotEquals")],
    1,
  ],
  ["a condition less", [when(["v"])], [allow], 1],
  ["NotAction for what was listed", [allow], [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }], 1],
  [
    "a shorter NotAction",
    [{ Effect: "Allow", NotAction: ["iam:*", "sts:*"], Resource: "*" }],
    [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }],
    1,
  ],
  [
    "an action that NotAction held already",
    [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }],
    [allow],
    0,
  ],
  ["an Allow that a Deny takes back", [], [allow, { ...allow, Effect: "Deny" }], 0],
  ["a Deny that is gone", [allow, { ...allow, Effect: "Deny" }], [allow], 1],
  ["a Deny with one more condition", [{ ...allow, Effect: "Deny" }], [{ ...when(["v"]), Effect: "Deny" }], 1],
])("%s", (_what, before, after, number) => expect(gained(parse(before), parse(after))).toHaveLength(number));

test("a document that cannot be read is refused", () => {
  expect(() => parsePolicy("nonsense", {})).toThrow("not valid JSON");
  expect(() => parsePolicy({ Statement: { Effect: "Maybe" } }, {})).toThrow("Maybe");
  expect(() => parsePolicy({ Statement: { ...allow } }, {})).toThrow("Principal");
});
