import { readFileSync } from "node:fs";
import { join } from "node:path";
import Table from "cli-table3";

/** The guards of an environment, read only from its synthesised Terraform. */

type Block = Readonly<Record<string, unknown>>;
type Resources = Readonly<Record<string, Readonly<Record<string, Block>>>>;
interface Stack {
  readonly resource: Resources;
  readonly provider: { readonly aws: readonly Block[] };
  readonly terraform: { readonly backend: Readonly<Record<string, Block>> };
}

export interface Guard {
  readonly guard: string;
  /** The kind of resource, e.g. `buckets`. */
  readonly of: string;
  readonly total: number;
  /** Addresses of unprotected resources. */
  readonly without: readonly string[];
  /** How strong the guard is, e.g. `365 days`. */
  readonly value?: string;
}

/** @param folder a stack's folder of `cdktf.out` */
export function guardsOf(folder: string): Guard[] {
  const stack = JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8")) as Stack;
  return [...destructionGuards(stack), ...bucketGuards(stack), ...otherGuards(stack)];
}

export function guardsTable(guards: readonly Guard[]): string {
  const table = new Table({
    head: ["guard", "holds for", "value"],
    style: { head: [], border: [] },
    colWidths: [38, 24, 14], // with its borders 80
    wordWrap: true,
  });
  for (const { guard, of, total, without, value = "" } of guards)
    table.push([guard, `${total - without.length} of ${total} ${of}`, value]);
  // Below the table: an address is too long for a column, and people copy it.
  const missing = guards.flatMap(({ guard, without }) =>
    without.map((address) => `NOT PROTECTED ${address}\n  ${guard}`),
  );
  return [table.toString(), ...missing].join("\n");
}

/** A guard that is checked for each block of the given types. */
function guardOf(
  { resource }: Stack,
  types: readonly string[],
  [guard, of]: readonly [guard: string, of: string],
  holds: (block: Block, address: string) => boolean,
  value?: string,
): Guard {
  const blocks = types.flatMap((type) =>
    Object.entries(resource[type] ?? {}).map(([id, block]) => [`${type}.${id}`, block] as const),
  );
  const without = blocks.filter(([address, block]) => !holds(block, address)).map(([address]) => address);
  return { guard, of, total: blocks.length, without, value };
}

function destructionGuards(stack: Stack): Guard[] {
  return [
    guardOf(
      stack,
      ["aws_s3_bucket", "aws_kms_key"],
      ["Terraform refuses to destroy or replace it (prevent_destroy)", "buckets and keys"],
      ({ lifecycle }) => (lifecycle as Block | undefined)?.prevent_destroy === true,
    ),
    guardOf(
      stack,
      ["aws_s3_bucket"],
      ["is not emptied by a destroy (force_destroy off)", "buckets"],
      ({ force_destroy: force }) => force !== true,
    ),
    guardOf(
      stack,
      ["aws_kms_key"],
      ["can be restored after deletion", "keys"],
      ({ deletion_window_in_days: window }) => Number(window) >= 7,
      days(stack, "aws_kms_key", "deletion_window_in_days"),
    ),
  ];
}

/** A bucket's settings are separate resources that refer to the bucket. */
function bucketGuards(stack: Stack): Guard[] {
  const companion = (
    guard: string,
    type: string,
    holds: (text: string, block: Block) => boolean,
    value?: string,
  ): Guard => {
    const companions = Object.values(stack.resource[type] ?? {});
    return guardOf(
      stack,
      ["aws_s3_bucket"],
      [guard, "buckets"],
      (_bucket, address) =>
        companions.some(
          (block) => String(block.bucket).includes(`${address}.`) && holds(JSON.stringify(block), block),
        ),
      value,
    );
  };
  const noncurrent = JSON.stringify(stack.resource.aws_s3_bucket_lifecycle_configuration ?? {}).matchAll(
    /"noncurrent_days":(\d+)/g,
  );
  return [
    companion("is closed to the public", "aws_s3_bucket_public_access_block", (_text, block) =>
      ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"].every(
        (name) => block[name] === true,
      ),
    ),
    companion("has no ACLs", "aws_s3_bucket_ownership_controls", (text) =>
      text.includes("BucketOwnerEnforced"),
    ),
    companion("refuses requests without TLS", "aws_s3_bucket_policy", (text) =>
      /"Effect\\?":\\?"Deny.*aws:SecureTransport/.test(text),
    ),
    companion("is encrypted", "aws_s3_bucket_server_side_encryption_configuration", (text) =>
      /"sse_algorithm":"(aws:kms|AES256)"/.test(text),
    ),
    companion(
      "keeps replaced and deleted objects",
      "aws_s3_bucket_versioning",
      (text) => text.includes('"Enabled"'),
      daysText([...noncurrent].map(([, days]) => Number(days))),
    ),
  ];
}

function otherGuards(stack: Stack): Guard[] {
  const { provider, terraform } = stack;
  const accounts = provider.aws.flatMap(
    ({ allowed_account_ids: ids }) => (ids as string[] | undefined) ?? [],
  );
  const [kind, backend] = Object.entries(terraform.backend)[0]!;
  return [
    guardOf(
      stack,
      ["aws_kms_key"],
      ["rotates every year", "keys"],
      ({ enable_key_rotation: rotates }) => rotates === true,
    ),
    guardOf(
      stack,
      ["aws_cloudwatch_log_group"],
      ["keeps logs for a limited time", "log groups"],
      ({ retention_in_days: kept }) => Number(kept) > 0,
      days(stack, "aws_cloudwatch_log_group", "retention_in_days"),
    ),
    {
      guard: "touches the environment's account only",
      of: "providers",
      total: provider.aws.length,
      without: provider.aws.filter(({ allowed_account_ids: ids }) => ids === undefined).map(() => "aws"),
      value: accounts.join(", "),
    },
    {
      guard: "state is shared, encrypted and locked",
      of: "backends",
      total: 1,
      without: kind === "s3" && backend.encrypt === true && backend.use_lockfile === true ? [] : [kind],
      value: kind,
    },
  ];
}

function days({ resource }: Stack, type: string, attribute: string): string {
  return daysText(Object.values(resource[type] ?? {}).map((block) => Number(block[attribute])));
}

function daysText(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return values.length === 0 ? "" : least === most ? `${least} days` : `${least} to ${most} days`;
}
