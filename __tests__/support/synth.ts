import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, Lazy, TerraformResource, TerraformStack, Testing } from "cdktf";
import { type IConstruct } from "constructs";

/** Synthesises constructs for tests. This file is the only caller of cdktf's `Testing` for them. */

export const ACCOUNT = "000000000000";
export const REGION = "eu-west-1";
export const STACK = "etl-dev";

export type Block = Record<string, unknown>;
export interface Statement {
  Sid?: string;
  Effect: string;
  Principal?: unknown;
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export class Synthesised<T> {
  private readonly resources: Record<string, Record<string, Block>>;
  /** The stack's outputs, by name. */
  readonly outputs: Record<string, { value: unknown }>;

  constructor(
    private readonly stack: TerraformStack,
    /** The result of `build`. */
    readonly built: T,
    /** The stack as Terraform's JSON. */
    readonly json: string,
  ) {
    const { resource = {}, output = {} } = JSON.parse(json) as {
      resource?: Record<string, Record<string, Block>>;
      output?: Record<string, { value: unknown }>;
    };
    this.resources = resource;
    this.outputs = output;
  }

  /** How many resources there are of each type. */
  get counts(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.resources).map(([type, blocks]) => [type, Object.keys(blocks).length]),
    );
  }

  /** The resource of the construct at a path below the stack, e.g. `Lake/Raw/Resource`. */
  readonly at = (path: string): Block => {
    const { type, id } = this.find(path);
    const block = this.resources[type]?.[id];
    if (block === undefined) throw new Error(`${type}.${id} of '${path}' was not synthesised`);
    return block;
  };

  /** A reference to an attribute of it, as others hold it. */
  readonly reference = (path: string, attribute: string): string => `\${${this.address(path)}.${attribute}}`;

  /** Its Terraform address. */
  readonly address = (path: string): string => {
    const { type, id } = this.find(path);
    return `${type}.${id}`;
  };

  /** Every resource of a type; at least one, so that no invariant holds for want of anything to hold for. */
  readonly all = (type: string): Block[] => {
    const blocks = Object.values(this.resources[type] ?? {});
    if (blocks.length === 0) throw new Error(`no resource is a ${type}`);
    return blocks;
  };

  /** The statements of a policy, wherever the resource keeps it. */
  readonly statements = (path: string, attribute = "policy"): Statement[] =>
    (JSON.parse(this.at(path)[attribute] as string) as { Statement: Statement[] }).Statement;

  private find(path: string): { type: string; id: string } {
    const steps = path.split("/");
    const construct = steps.reduce<IConstruct | undefined>(
      (scope, step) => scope?.node.tryFindChild(step),
      this.stack,
    );
    if (!(construct instanceof TerraformResource)) throw new Error(`no resource stands at '${path}'`);
    return { type: construct.terraformResourceType, id: construct.friendlyUniqueId };
  }
}

/**
 * Builds into a stack with a provider, runs the validations and synthesises.
 *
 * @throws Error with what a construct refused or a validation found
 */
export function synth<T>(build: (stack: TerraformStack) => T): Synthesised<T> {
  return withOutdir((outdir) => {
    const stack = emptyStack(Testing.app({ outdir }));
    const built = build(stack);
    return new Synthesised(stack, built, Testing.synth(stack, true));
  });
}

/** Synthesises to disk as the app does and hands over the stack's folder, which is gone afterwards. */
export function synthToFolder<R>(build: (stack: TerraformStack) => void, look: (folder: string) => R): R {
  return withOutdir((outdir) => {
    const app = new App({ outdir });
    build(emptyStack(app));
    app.synth();
    return look(join(outdir, "stacks", STACK));
  });
}

/** The message that building or synthesising ends with. */
export function refusal(build: (stack: TerraformStack) => unknown): string {
  try {
    synth(build);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

/** Statements in one order, whatever theirs is: which of them there are is the matter. */
export function byText(statements: readonly Statement[]): Statement[] {
  const text = (statement: Statement): string => JSON.stringify(statement);
  return [...statements].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** Text that only Terraform can resolve. */
export function unknownText(): string {
  return Lazy.stringValue({ produce: () => "${local.elsewhere}" });
}

/** Two sets of all props, every prop another in the second. */
type Sets<P> = readonly [full: P, other: P];

/** The end of a build and synthesis: Terraform's JSON, or why it was refused. */
type Outcome = { readonly json: string } | { readonly refused: string };

/** A full set of props and each change of one, every one of them synthesised once however often it is asked for. */
export class Changes<P extends object> {
  private readonly outcomes = new Map<string, Outcome>();
  private looked?: P;

  constructor(
    private readonly sets: (stack: TerraformStack) => Sets<P>,
    private readonly build: (stack: TerraformStack, props: P) => unknown,
  ) {}

  /** The full set as Terraform's JSON. @throws Error when it is refused */
  get whole(): string {
    const outcome = this.outcome("whole", ([full]) => full);
    if ("refused" in outcome) throw new Error(outcome.refused);
    return outcome.json;
  }

  /** The outcome with one field left out. */
  without(path: readonly string[]): Outcome {
    return this.outcome(`without ${path.join(".")}`, ([full]) => withField(full, path, undefined));
  }

  /** The outcome with one field as in the other set. */
  changed(path: readonly string[]): Outcome {
    return this.outcome(`changed ${path.join(".")}`, ([full, other]) => withField(full, path, other));
  }

  /** The full set, to look at: the constructs in it are synthesised nowhere. */
  get full(): P {
    this.looked ??= withOutdir((outdir) => this.sets(emptyStack(Testing.app({ outdir })))[0]);
    return this.looked;
  }

  private outcome(key: string, change: (sets: Sets<P>) => P): Outcome {
    const known = this.outcomes.get(key);
    if (known !== undefined) return known;
    const made = this.synthesised(change);
    this.outcomes.set(key, made);
    return made;
  }

  private synthesised(change: (sets: Sets<P>) => P): Outcome {
    try {
      return { json: synth((stack) => void this.build(stack, change(this.sets(stack)))).json };
    } catch (error) {
      return { refused: (error as Error).message };
    }
  }
}

/**
 * The props whose absence, or whose other value, changes nothing: they are dropped on their way. To be refused counts as a
 * change; to be required does for absence.
 *
 * @param props those that are judged, by default all
 * @param within props that are looked into: each of their fields counts as a prop
 */
export function droppedProps<P extends object>(
  changes: Changes<P>,
  { props, within = [] }: { props?: readonly string[]; within?: readonly (keyof P & string)[] } = {},
): string[] {
  const { whole } = changes;
  const isSame = (outcome: Outcome): boolean => "json" in outcome && outcome.json === whole;
  return pathsOf(changes.full, within)
    .filter(([name]) => props?.includes(name!) ?? true)
    .filter((path) => isSame(changes.without(path)) || isSame(changes.changed(path)))
    .map((path) => path.join("."));
}

function pathsOf(props: object, within: readonly string[]): string[][] {
  return Object.entries(props).flatMap(([name, value]) => [
    [name],
    ...(within.includes(name) ? Object.keys(value as object).map((inner) => [name, inner]) : []),
  ]);
}

/** The props with one field as in others, or without it. */
function withField<T extends object>(
  props: T,
  [name, ...inner]: readonly string[],
  others: T | undefined,
): T {
  const { [name!]: mine, ...rest } = props as Record<string, unknown>;
  const theirs = (others as Record<string, unknown> | undefined)?.[name!];
  if (inner.length > 0) {
    return { ...rest, [name!]: withField(mine as object, inner, theirs as object | undefined) } as T;
  }
  return (others === undefined ? rest : { ...rest, [name!]: theirs }) as T;
}

function emptyStack(app: App): TerraformStack {
  const stack = new TerraformStack(app, STACK);
  new AwsProvider(stack, "Aws", { region: REGION });
  return stack;
}

function withOutdir<R>(use: (outdir: string) => R): R {
  const outdir = mkdtempSync(join(tmpdir(), "etl-synth-"));
  try {
    return use(outdir);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
