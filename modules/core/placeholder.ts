import { type Mistake } from "./refusals";

/**
 * Matches placeholder text: `<bucket>`, `${Bucket}`, `your-bucket`, `CHANGE_ME`, `TODO`.
 * Words that occur in sentences count in capitals only.
 */
const PLACEHOLDER =
  /<[A-Za-z][\w .-]*>|\$\{[^}]*\}|\b[Yy]our[-_]|\bYOUR(_|\b)|\b(CHANGE|change)[-_]?(ME|me)\b|\bTODO\b|\bREPLACE[-_](ME|WITH)/;

/** The mistake in a text that still holds a placeholder, as words that follow its field. */
export function placeholderMistake(value: string): string | undefined {
  return PLACEHOLDER.test(value)
    ? `still holds a placeholder, got ${JSON.stringify(value)}; fill it in`
    : undefined;
}

/**
 * Lists the placeholders in all texts of a construct's props, at any depth: `[field, mistake]`. Only plain data is searched, not roles,
 * keys or other constructs.
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
