import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH } from "../../local/places";
import { providerSource } from "../../local/provider-source";
import { type Exception, type Finding, findingsOf, scanProblems } from "../../tools/scan-verdict";
import { ENVIRONMENTS, stackOf, synthesiseApp } from "../support/app";
import { ROOT } from "../support/clone";

/**
 * Checkov on the plan of each environment, without a network. A plan and not the synthesised files: it has what Terraform and
 * the provider make of them. The embedded AWS answers the one question that a plan asks, whether definitions are valid.
 */

const MINUTES = 60_000;
const CHECKOV = join(ROOT, ".setup", "venv-checks", "bin", "checkov");
const EXCEPTIONS = JSON.parse(readFileSync(join(ROOT, "checkov-exceptions.json"), "utf8")) as Exception[];

let folder: string;
let aws: EmbeddedAws;
let variables: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "etl-scan-"));
  synthesiseApp(join(folder, "cdktf.out"), { account: BENCH.accountId, region: BENCH.region });
  aws = await EmbeddedAws.start(folder);
  const source = await providerSource(join(folder, "settings"), process.env);
  variables = {
    ...process.env,
    ...source.variables,
    AWS_ENDPOINT_URL: aws.at.endpoint,
    AWS_CA_BUNDLE: aws.at.caBundle,
    AWS_ACCESS_KEY_ID: aws.at.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.at.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
}, 3 * MINUTES);

afterAll(async () => {
  await aws.stop();
  rmSync(folder, { recursive: true, force: true });
}, MINUTES);

test(
  "every finding has an exception, and no exception is stale",
  async () => {
    const found: Finding[] = [];
    // One after the other: each takes a core and half a gigabyte.
    for (const environment of ENVIRONMENTS) {
      const plan = await planOf(environment);
      found.push(...(await scan(plan, environment)));
    }
    expect(scanProblems(found, EXCEPTIONS, ENVIRONMENTS)).toEqual([]);
  },
  4 * MINUTES,
);

test(
  "planted mistakes are found",
  async () => {
    const file = join(stackOf(join(folder, "cdktf.out"), "dev"), "cdk.tf.json");
    const stack = JSON.parse(readFileSync(file, "utf8")) as {
      resource: Record<string, Record<string, Record<string, unknown>>>;
    };
    const [id] = Object.keys(stack.resource["aws_s3_bucket_public_access_block"]!);
    stack.resource["aws_s3_bucket_public_access_block"]![id!]!["block_public_acls"] = false;
    stack.resource["aws_sns_topic"]!["planted"] = { name: "etl-dev-planted" };
    writeFileSync(file, JSON.stringify(stack));
    const found = await scan(await planOf("dev"), "dev");
    expect(scanProblems(found, EXCEPTIONS, ["dev"])).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^dev: aws_s3_bucket_public_access_block.${id!} fails CKV_AWS_53 `)),
        expect.stringMatching(/^dev: aws_sns_topic.planted fails CKV_AWS_26 /),
      ]),
    );
  },
  2 * MINUTES,
);

/** A plan of an environment that is nowhere yet, as JSON in a file. */
async function planOf(environment: string): Promise<string> {
  const stack = stackOf(join(folder, "cdktf.out"), environment);
  const override = {
    terraform: { backend: { local: { path: "terraform.tfstate" } } },
    provider: { aws: [{ region: BENCH.region, s3_use_path_style: true }] },
  };
  writeFileSync(join(stack, "override.tf.json"), JSON.stringify(override));
  await terraform(stack, "init", "-input=false");
  await terraform(stack, "plan", "-input=false", "-refresh=false", "-out=plan.tfplan");
  const plan = join(folder, `${environment}.json`);
  writeFileSync(plan, await terraform(stack, "show", "-json", "plan.tfplan"));
  return plan;
}

async function terraform(stack: string, ...args: readonly string[]): Promise<string> {
  const data = { TF_DATA_DIR: join(stack, ".terraform") };
  const { code, stdout, stderr } = await run("terraform", args, stack, { ...variables, ...data });
  if (code !== 0) throw new Error(`terraform ${args[0]}: ${stdout}${stderr}`);
  return stdout;
}

/** Without the platform, and without its guidelines, which are downloaded. */
async function scan(plan: string, environment: string): Promise<Finding[]> {
  const args = ["--file", plan, "--framework", "terraform_plan", "--skip-download", "--quiet", "--compact"];
  const offline = { ...process.env, BC_API_KEY: undefined, LOG_LEVEL: "ERROR", PYTHONUTF8: "1" };
  const { stdout, stderr } = await run(CHECKOV, [...args, "--output", "json"], folder, offline);
  if (stdout === "") throw new Error(`checkov said nothing: ${stderr}`);
  return findingsOf(stdout, environment);
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
