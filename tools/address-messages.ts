import { wrap } from "../local/lines";
import { acceptCommand } from "./accept-patterns";
import { type Changes, type Names } from "./addresses";

/** Describes changes of a stack's addresses, with lines and commands to paste. */

/** Their loss is a loss of data. */
const HOLDS_DATA = /^aws_(s3_bucket|kms_key|dynamodb_table)\./;
/** Addresses that are listed one by one; those that hold data always are. */
const MOST_LISTED = 10;

/** @returns `undefined` when nothing changed */
export function changesText(
  stack: string,
  { moves, gone, renamed, added }: Changes,
  recorded: Names,
  current: Names,
): string | undefined {
  const all = Object.keys({ ...recorded, ...current });
  const command = (wanted: readonly string[]) =>
    acceptCommand(
      wanted,
      all.filter((address) => !wanted.includes(address)),
    );
  const paragraphs = [
    ...(moves.length === 0
      ? []
      : [
          wrap(
            `${stack}: ${counted(moves.length)} moved. Terraform would destroy the old resources and create new ones, or ` +
              "refuse where they are guarded. Add these lines to MOVED in environments/moved.ts:",
          ),
          ...moves.map(
            ({ from, to }) => `  { from: "${from}", to: "${to}" },${comment(recorded[from] ?? current[to])}`,
          ),
          wrap(
            `In a stack of your own: stack.addOverride("moved", [ the same lines ]), or on the resource ` +
              `.moveFromId("${moves[0]!.from}"). Note the move in CHANGELOG.md, then run: npm run addresses`,
          ),
        ]),
    ...(gone.length === 0
      ? []
      : [
          wrap(`${stack}: ${counted(gone.length)} gone, without one of the same type and name in its place:`),
          ...goneLines(gone, recorded),
          wrap(
            "Terraform will destroy these resources: prevent_destroy guards only what is still defined. Data can be " +
              "deleted only with 'retainData' false and 'allowDataDestruction' true, and never in prod. If you mean it:",
          ),
          command(gone),
        ]),
    ...(renamed.length === 0
      ? []
      : [
          wrap(
            `${stack}: ${counted(renamed.length)} given another physical name. Terraform would replace the resources; ` +
              "a moved block does not help:",
          ),
          ...renamed.map((address) => `  ${address}: '${recorded[address]}' became '${current[address]}'`),
          "Restore the old names. If you mean it:",
          command(renamed),
        ]),
    ...(added.length === 0
      ? []
      : [
          wrap(`${stack}: ${counted(added.length)} new, and public once recorded. Run: npm run addresses`),
          ...added.map((address) => `  ${address}${comment(current[address])}`),
        ]),
  ];
  return paragraphs.length === 0 ? undefined : paragraphs.join("\n");
}

const counted = (addresses: number): string =>
  addresses === 1 ? "1 address is" : `${addresses} addresses are`;

/** Addresses that hold data first. */
function goneLines(gone: readonly string[], recorded: Names): string[] {
  const [data, others] = [
    gone.filter((address) => HOLDS_DATA.test(address)),
    gone.filter((address) => !HOLDS_DATA.test(address)),
  ];
  const more = others.length - MOST_LISTED;
  return [
    ...data.map((address) => `  ${address}${comment(recorded[address])}, which holds data`),
    ...others.slice(0, MOST_LISTED).map((address) => `  ${address}${comment(recorded[address])}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function comment(name: string | undefined): string {
  return name === undefined || name === "" ? "" : ` // ${name}`;
}
