import type { Rule } from "eslint";

interface Found {
  readonly index: number;
  readonly phrase: string;
  readonly why: string;
}

declare const plainEnglish: {
  /** Finds the phrases in a message, a paragraph, or a comment without its markers. */
  readonly phrasesIn: (text: string, kind: "text" | "comment") => Found[];
  readonly rule: Rule.RuleModule;
  /** Patterns of the files that are held to plain English, as git and ESLint read them. */
  readonly HELD: readonly string[];
  /** The files that hold the phrases themselves. */
  readonly EXEMPT: readonly string[];
};
export = plainEnglish;
