import { got, isText } from "./node-reader";

/** A step into a delivered object: the name of a member, or the number of an element, from 0. */
export type Step = string | number;
export type Path = readonly Step[];

/** An object of more levels is no row. */
const MOST_STEPS = 32;
const MOST_ELEMENT = 9_999;

const STEP = /(?:(?<dot>\.)?(?<name>[^.[\]'"]+)|\[(?<element>0|[1-9]\d*)\]|\['(?<quoted>(?:[^']|'')+)'\])/y;

const DEMAND =
  "must be names with a dot between them, each followed by [n] for an element of a list, for example " +
  "context.app.version or products[0].id; a name with a dot, a bracket or a quote is written ['a.b']";

/** A path, or what is wrong with it. */
export type ReadPath = { readonly path: Path } | { readonly mistake: string };

/** Reads a path such as `context.app.version`, `products[0].id` or `context['a.b']`, in which a quote within quotes is doubled. */
export function readPath(value: unknown): ReadPath {
  const wrong: ReadPath = { mistake: `${DEMAND}, ${got(value)}` };
  if (!isText(value) || value === "") return wrong;
  const path: Step[] = [];
  for (let at = 0; at < value.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const { dot, name, element, quoted } = STEP.exec(value)?.groups ?? {};
    if (name === undefined && element === undefined && quoted === undefined) return wrong;
    // A dot stands between two names and nowhere else.
    if (name !== undefined && (dot === undefined) !== (at === 0)) return wrong;
    if (element !== undefined && at === 0) return wrong;
    path.push(element === undefined ? (name ?? quoted!.replaceAll("''", "'")) : Number(element));
  }
  return mistakeOf(path, value) ?? { path };
}

function mistakeOf(path: Path, value: string): ReadPath | undefined {
  if (path.length > MOST_STEPS)
    return { mistake: `must have at most ${MOST_STEPS} steps, got ${path.length}` };
  if (path.some((step) => typeof step === "number" && step > MOST_ELEMENT))
    return { mistake: `must name elements from 0 to ${MOST_ELEMENT}, ${got(value)}` };
  if (String(path[0]).toLowerCase().startsWith("x-etl"))
    return { mistake: `must not begin with x-etl, ${got(value)}: the job adds members of such names` };
  return undefined;
}

/** The path as a contract writes it. */
export function pathText(path: Path): string {
  return path
    .map((step, at) => {
      if (typeof step === "number") return `[${step}]`;
      if (/[.[\]'"]/.test(step)) return `['${step.replaceAll("'", "''")}']`;
      return at === 0 ? step : `.${step}`;
    })
    .join("");
}

/** The number of steps that two paths begin with. */
export function commonSteps(one: Path, other: Path): number {
  const at = one.findIndex((step, index) => step !== other[index]);
  return at === -1 ? one.length : at;
}
