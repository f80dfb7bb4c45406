import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Linter } from "eslint";
import { parser } from "typescript-eslint";
import plainEnglish from "../../plain-english";

/** The phrases of plain-english.js: each is found where it is refused, and no held file has one. ESLint shows those of TypeScript too. */

const root = join(__dirname, "..", "..");
const { phrasesIn, HELD, EXEMPT, rule } = plainEnglish;

const ANYWHERE = [
  "the folder is none",
  "which are none of these",
  "must be a file, and is no file",
  "the owner is told",
  "a rule tells of failures",
  "Mend what broke",
  "nothing hangs on what it thinks",
];
const IN_COMMENTS = [
  "What a run reads",
  "Whether it ran",
  "Of one state: its fields",
  "Where it lies",
  "Said once. Pure.",
];
const FINE = [
  "if there is none",
  "there is no file to read",
  "two values are told apart",
  "None of them is one",
  "Tells whether it ran",
];

test.each(ANYWHERE)("%j is found in a message", (text) => {
  expect(phrasesIn(text, "text")).toHaveLength(1);
});

test.each(IN_COMMENTS)("%j is found in a comment only", (text) => {
  expect(phrasesIn(text, "comment").length).toBeGreaterThan(0);
  expect(phrasesIn(text, "text")).toEqual([]);
});

test.each(FINE)("%j is fine", (text) => {
  expect(phrasesIn(text, "comment")).toEqual([]);
});

test("ESLint finds them in texts, templates and at the beginning of comments", () => {
  const code = [
    "/** What it is. */",
    "const a = 'it is none';",
    "const b = `${a} is told`;",
    "// A comment goes on",
    "// Where it likes.",
    "/*",
    " * Whether it is.",
    " */",
    "export { a, b };",
  ].join("\n");
  const found = new Linter().verify(code, {
    languageOptions: { parser },
    plugins: { house: { rules: { "plain-english": rule } } },
    rules: { "house/plain-english": "error" },
  });
  expect(found.map(({ line, message }) => [line, message.split(":")[0]])).toEqual([
    [1, '"What"'],
    [2, '"is none"'],
    [3, '"is told"'],
    [6, '"Whether"'],
  ]);
});

/** The lines of a file, each with its kind; a line that begins a comment is judged without the markers before its first word. */
function linesOf(file: string, text: string): { text: string; kind: "text" | "comment" }[] {
  const opening = OPENINGS.find(([name]) => name.test(file))?.[1];
  let before = "";
  return text.split("\n").map((line) => {
    const opens = opening?.exec(line);
    const continues = /^\s*(?:\/\/|#)/.test(line) && /^\s*(?:\/\/|#)/.test(before);
    const afterOpening = /^\s*(?:\/\*\*?|""")\s*$/.test(before);
    before = line;
    if (opens !== null && opens !== undefined && !continues) return { text: opens[1]!, kind: "comment" };
    return {
      text: afterOpening ? line.replace(/^\s*\*?\s*/, "") : line,
      kind: afterOpening ? "comment" : "text",
    };
  });
}

const OPENINGS: readonly (readonly [name: RegExp, opening: RegExp])[] = [
  [/\.(?:ts|js|mjs|cjs)$/, /^\s*(?:\/\*\*?|\/\/)\s*(\S.*)/],
  [/\.py$/, /^\s*(?:r?"""|#)\s*(\S.*)/],
  [/\.json$/, /"Comment": "(.*)/],
];

const READ = /\.(?:ts|js|mjs|cjs|py|md|json)$/;
/** Terraform's own words, and long lists of cases. */
const FOREIGN = /\/plan\.json$/;

const held = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...HELD], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => READ.test(file) && !FOREIGN.test(file) && !EXEMPT.includes(file));

test("the rooms that are held have files of every kind", () => {
  for (const ending of [".ts", ".md", ".json", ".py"])
    expect(held.filter((file) => file.endsWith(ending))).not.toEqual([]);
});

test("no file of these rooms has such a phrase", () => {
  const found = held.flatMap((file) =>
    linesOf(file, readFileSync(join(root, file), "utf8")).flatMap(({ text, kind }, index) =>
      phrasesIn(text, kind).map(({ phrase, why }) => `${file}:${index + 1}: "${phrase}": ${why}`),
    ),
  );
  expect(found).toEqual([]);
});
