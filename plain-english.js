/**
 * Phrases that make messages and comments hard to read, as data, as a function for any text, and as an ESLint rule for TypeScript.
 * `__tests__/house/plain-english.test.ts` applies them to Python, Markdown and JSON too.
 */

/** Each phrase says why it is refused and what to write. `in: "comment"` applies to the beginning of comments and docstrings only. */
const PHRASES = [
  {
    pattern: /(?<!\b[Tt]here )\b(?:is|are|was|were) none\b/,
    why: "'is none' is a riddle: say what is missing or wrong ('does not exist', 'is empty', 'is not a file')",
  },
  {
    pattern:
      /(?<!\b[Tt]here )\b(?:is|are) no (?:JSON|file|folder|text|object|list|number|name|ARN|URI|prefix|state|definition|plan|check|resource|token|literal|sentence)\b/,
    why: "'is no file' is not English usage: write 'is not a file', 'is not valid JSON'",
  },
  {
    pattern: /\b(?:is|are|was|were|be|been|being) told(?! apart)\b/,
    why: "messages are reported, people are notified; nobody 'is told'",
  },
  { pattern: /\btells? of\b/, why: "write 'reports'" },
  { pattern: /\b[Mm]end(?:s|ed|ing)?\b/, why: "write 'fix'" },
  { pattern: /\bhangs? on what\b/, why: "write 'depends on'" },
  {
    pattern: /^(?:What|Whether|Of|Where|Who|Whom|Whose|Said)\b/,
    in: "comment",
    why: "a comment is a sentence or names its subject: 'Tells whether …', 'The mistake in …', not 'Whether …', 'What is wrong with …'",
  },
  { pattern: /\bPure\.(?=\s|$)/, in: "comment", why: "a lint rule already holds the file to it" },
];

/**
 * @param {string} text a message, a paragraph, or a comment without its markers
 * @param {"text" | "comment"} kind
 * @returns {{ index: number, phrase: string, why: string }[]}
 */
function phrasesIn(text, kind) {
  return PHRASES.filter((one) => one.in === undefined || one.in === kind).flatMap(({ pattern, why }) =>
    [...text.matchAll(new RegExp(pattern, "g"))].map((match) => ({
      index: match.index,
      phrase: match[0],
      why,
    })),
  );
}

/** The text of a comment without its asterisks. */
const bare = (comment) => comment.replace(/^[*\s]*/, "").replace(/\n\s*\* ?/g, "\n");

/** @type {import("eslint").Rule.RuleModule} */
const rule = {
  meta: { type: "suggestion", schema: [] },
  create(context) {
    const { sourceCode } = context;
    const judge = (node, text, kind) => {
      for (const { phrase, why } of phrasesIn(text, kind))
        context.report({ node, message: `"${phrase}": ${why}` });
    };
    return {
      Program() {
        const comments = sourceCode.getAllComments();
        comments.forEach((comment, index) => {
          const before = comments[index - 1];
          const continues =
            comment.type === "Line" &&
            before?.type === "Line" &&
            before.loc.end.line === comment.loc.start.line - 1;
          judge(comment, bare(comment.value), continues ? "text" : "comment");
        });
      },
      Literal(node) {
        if (typeof node.value === "string") judge(node, node.value, "text");
      },
      TemplateElement(node) {
        judge(node, node.value.raw, "text");
      },
    };
  },
};

/** The files that are held to plain English; a room is added once it is clean. */
const HELD = [
  ...["index.ts", "main.ts", "state.ts", "README.md"],
  ...[
    "environments",
    "pipelines",
    "patterns",
    "modules",
    "contracts",
    "definition-checks",
    "plan-review",
  ].map((room) => `${room}/**`),
  ...[
    "step-functions",
    "glue-scripts",
    "embedded-aws",
    "local",
    "tools",
    "ci",
    "docs",
    "examples",
    "bin",
  ].map((room) => `${room}/**`),
  "__tests__/**",
];

/** The files that hold the phrases themselves. */
const EXEMPT = ["plain-english.js", "__tests__/house/plain-english.test.ts"];

module.exports = { PHRASES, phrasesIn, rule, HELD, EXEMPT };
