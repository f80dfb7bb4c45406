import * as fc from "fast-check";
import { type PolicyStatement, policyJson } from "../../../modules/iam/policy-statement";
import { type Statement } from "../../support/synth";

/** Statements are merged for the reader's sake; what they allow and deny stays what it was. */

const some = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 });
const statement: fc.Arbitrary<PolicyStatement> = fc.record(
  {
    sid: fc.constantFrom("One", "Two"),
    effect: fc.constantFrom("Allow", "Deny"),
    actions: some("s3:GetObject", "s3:PutObject", "kms:Decrypt"),
    resources: some("arn:a", "arn:b", "*"),
    conditions: fc.constantFrom<NonNullable<PolicyStatement["conditions"]>>(
      { Bool: { "aws:SecureTransport": "true" } },
      { StringLike: { "s3:prefix": ["b", "a"] } },
      { StringLike: { "s3:prefix": ["a", "b"] } },
    ),
  },
  { requiredKeys: ["actions", "resources"] },
);

/** Every single right: effect, action, resource and condition. */
function rights(statements: readonly Statement[]): Set<string> {
  const all = statements.flatMap(({ Effect, Action, Resource, Condition }) =>
    [Action]
      .flat()
      .flatMap((action) =>
        [Resource]
          .flat()
          .map((resource) => JSON.stringify([Effect, action, resource, sortedLists(Condition)])),
      ),
  );
  return new Set(all);
}

function sortedLists(value: unknown): unknown {
  if (Array.isArray(value)) return [...(value as unknown[])].sort();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sortedLists(inner)]));
}

const rendered = (statements: readonly PolicyStatement[]): Statement[] =>
  (JSON.parse(policyJson(statements)) as { Statement: Statement[] }).Statement;

test("merging neither widens nor narrows", () => {
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 6 }), (statements) => {
      const asGiven = statements.map(({ effect = "Allow", actions, resources, conditions }) => ({
        Effect: effect,
        Action: [...actions],
        Resource: [...resources],
        Condition: conditions as Statement["Condition"],
      }));
      expect(rights(rendered(statements))).toEqual(rights(asGiven));
    }),
    { numRuns: 500 },
  );
});

test("any order of the same grants gives the same bytes, and so does a grant made twice", () => {
  const shuffled = fc.array(statement, { maxLength: 6 }).chain((statements) =>
    fc.record({
      statements: fc.constant(statements),
      order: fc.shuffledSubarray(statements, { minLength: statements.length }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ statements, order }) => {
      expect(policyJson(order)).toBe(policyJson(statements));
      expect(policyJson([...order, ...statements])).toBe(policyJson(statements));
    }),
    { numRuns: 500 },
  );
});
