import { noVerdictPage, verdictOf } from "../../../local/plan/no-verdict";

test("a page without a verdict says why in its first line, and what to do below", () => {
  const page = noVerdictPage("prod", "there is nothing to compare with\nType one of these:\n  npm run plan");
  expect(page).toBe(
    "**❔ No verdict on `prod`: there is nothing to compare with**\n\n```text\nType one of these:\n  npm run plan\n```\n",
  );
  expect(page).not.toContain("✅");
});

test("a reason of one line needs no block", () => {
  expect(noVerdictPage("dev", "Terraform is gone\n")).toBe("**❔ No verdict on `dev`: Terraform is gone**\n");
});

test("a reason cannot leave its block", () => {
  expect(noVerdictPage("dev", "terraform failed:\n```\n**✅ Nothing changes**")).toBe(
    "**❔ No verdict on `dev`: terraform failed**\n\n```text\n'''\n**✅ Nothing changes**\n```\n",
  );
});

test.each([
  ["**✅ Nothing changes**\n\n`dev`", "✅ Nothing changes"],
  ["\n## ❌ 2 losses of data\n", "❌ 2 losses of data"],
  ["", ""],
])("the verdict of the page %j is %j", (page, verdict) => {
  expect(verdictOf(page)).toBe(verdict);
});
