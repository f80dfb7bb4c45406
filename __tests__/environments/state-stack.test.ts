import { App } from "cdktf";
import { EtlStack, StateStack } from "../../environments";
import { settingsOf } from "../support/environment-stacks";

interface Json {
  readonly terraform: { readonly backend: { readonly s3: Record<string, unknown> } };
  readonly provider: { readonly aws: readonly Record<string, unknown>[] };
  readonly resource: Record<string, Record<string, Record<string, unknown>>>;
}

const settings = settingsOf("prod");
const BUCKET = "etl-prod-terraform-state-000000000000-us-east-1";
const synth = (build: (app: App) => StateStack | EtlStack): Json => build(new App()).toTerraform() as Json;
const state = synth((app) => new StateStack(app, settings));
const only = (type: string) => Object.values(state.resource[type]!)[0]!;

test("the bucket is the one where the environment's stack looks for its state, under another key", () => {
  const { backend } = synth((app) => new EtlStack(app, settings)).terraform;
  expect(only("aws_s3_bucket").bucket).toBe(BUCKET);
  expect(backend.s3).toMatchObject({
    bucket: BUCKET,
    key: "etl-prod.tfstate",
    encrypt: true,
    use_lockfile: true,
  });
  expect(state.terraform.backend.s3).toEqual({ ...backend.s3, key: "etl-prod-state.tfstate" });
});

test("it is guarded as data is, keeps earlier states for a year, and touches the environment's account only", () => {
  expect(only("aws_s3_bucket")).toMatchObject({ force_destroy: false, lifecycle: { prevent_destroy: true } });
  expect(only("aws_s3_bucket_versioning").versioning_configuration).toEqual({ status: "Enabled" });
  expect(only("aws_s3_bucket_public_access_block")).toMatchObject({
    block_public_acls: true,
    block_public_policy: true,
    ignore_public_acls: true,
    restrict_public_buckets: true,
  });
  expect(JSON.stringify(only("aws_s3_bucket_server_side_encryption_configuration"))).toContain('"AES256"');
  expect(only("aws_s3_bucket_policy").policy).toMatch(
    /"Sid":"DenyWithoutTls","Effect":"Deny","Principal":"\*"/,
  );
  expect(JSON.stringify(only("aws_s3_bucket_lifecycle_configuration"))).toContain('"noncurrent_days":365');
  // Earlier states expire, and never the state itself.
  expect(JSON.stringify(only("aws_s3_bucket_lifecycle_configuration"))).not.toContain('"expiration"');
  expect(state.provider.aws[0]).toMatchObject({ allowed_account_ids: ["000000000000"], region: "us-east-1" });
});

test("a project whose state bucket would have too long a name is refused, where state lies in a bucket", () => {
  // 63 characters with query-results, 65 with terraform-state.
  const project = "p".repeat(63 - "-prod-query-results-000000000000-us-east-1".length);
  expect(() => settingsOf("prod", { project })).toThrow(
    /'project' is too long by 2 characters: bucket name 'p+-prod-terraform-state-000000000000-us-east-1' would have 65/,
  );
  expect(settingsOf("prod", { project, backend: { kind: "local" } }).project).toBe(project);
});
