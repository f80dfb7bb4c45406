import { type Mistake } from "./refusals";

/**
 * Text that somebody meant to replace: `<bucket>`, `${Bucket}`, `your-bucket`, `CHANGE_ME`, `TODO`.
 * Words that sentences use as well count in capitals only.
 */
const PLACEHOLDER =
  /<[A-Za-z][\w .-]*>|\$\{[^}]*\}|\b[Yy]our[-_]|\bYOUR(_|\b)|\b(CHANGE|change)[-_]?(ME|me)\b|\bTODO\b|\bREPLACE[-_](ME|WITH)/;

/** What is wrong with text that still holds a placeholder, in words that follow its name. */
export function placeholderMistake(value: string): string | undefined {
  return PLACEHOLDER.test(value)
    ? `still holds a placeholder, got ${JSON.stringify(value)}; fill it in`
    : undefined;
}

/**
 * The placeholders in all text of a construct's props, at any depth: `[field, mistake]`. What is no plain data (a role, a
 * key, another construct) is not looked into.
 *
 * @param isKnown `false` for text that only Terraform can resolve
 */
export function placeholderMistakes(props: object, isKnown: (value: string) => boolean): Mistake[] {
  return texts(props, "").flatMap(([field, text]) => {
    const mistake = isKnown(text) ? placeholderMistake(text) : undefined;
    return mistake === undefined ? [] : [[field, mistake] as const];
  });
}

function texts(value: unknown, field: string): (readonly [field: string, text: string])[] {
  if (typeof value === "string") return [[field, value]];
  if (Array.isArray(value)) return value.flatMap((item, index) => texts(item, `${field}[${index}]`));
  if (!isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    texts(inner, field === "" ? key : `${field}.${key}`),
  );
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
