import { type Changes, type Names } from "./addresses";

/** What to do about addresses that changed, with everything filled in. */

/** Their loss is a loss of data. */
const HOLDS_DATA = /^aws_(s3_bucket|kms_key|dynamodb_table)\./;

/** @returns `undefined` when nothing changed */
export function changesText(
  stack: string,
  { moves, gone, renamed, added }: Changes,
  recorded: Names,
  current: Names,
): string | undefined {
  const paragraphs = [
    ...(moves.length === 0
      ? []
      : [
          `${stack}: ${moves.length} addresses moved. Terraform would destroy what they name and create it anew, or refuse ` +
            "where it is guarded. Add these to MOVED in environments/moved.ts:",
          ...moves.map(
            ({ from, to }) => `  { from: "${from}", to: "${to}" },${comment(recorded[from] ?? current[to])}`,
          ),
          `In a stack of your own: stack.addOverride("moved", [ … the same lines … ]), or on the resource itself ` +
            `.moveFromId("${moves[0]!.from}"). Then say so in CHANGELOG.md and type: npm run addresses`,
        ]),
    ...(gone.length === 0
      ? []
      : [
          `${stack}: these addresses are gone, and nothing of their type has taken their name:`,
          ...gone.map(
            (address) =>
              `  ${address}${comment(recorded[address])}${HOLDS_DATA.test(address) ? ", which holds data" : ""}`,
          ),
          "prevent_destroy guards only what is still written down: Terraform will destroy them. To delete what holds data takes " +
            "both keys, 'retainData' false and 'allowDataDestruction' true (in prod there are none). If it is meant: " +
            `npm run addresses -- ${gone.map((address) => `--accept ${address}`).join(" ")}`,
        ]),
    ...(renamed.length === 0
      ? []
      : [
          `${stack}: these would be replaced, because their physical name changed; no moved block helps:`,
          ...renamed.map((address) => `  ${address}: '${recorded[address]}' became '${current[address]}'`),
          "Give them their old name. If it is meant: " +
            `npm run addresses -- ${renamed.map((address) => `--accept ${address}`).join(" ")}`,
        ]),
    ...(added.length === 0
      ? []
      : [
          `${stack}: ${added.length} new addresses, public from now on. Record them: npm run addresses`,
          ...added.map((address) => `  ${address}${comment(current[address])}`),
        ]),
  ];
  return paragraphs.length === 0 ? undefined : paragraphs.join("\n");
}

function comment(name: string | undefined): string {
  return name === undefined || name === "" ? "" : ` // ${name}`;
}
