import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PYTHON } from "../../local/places";
import { keepText } from "../faults/fault-table";
import { cloneWorkingTree, ROOT } from "../support/clone";
import { commandOf } from "../support/workflow";
import { DeployerBench, type Said } from "./deployer";

/**
 * The commands of the deployment workflow, typed in their order, with the rights that docs/deployer gives and no others: plan as
 * the role that reads, apply of that plan as the role that writes, a change, no drift, destroy. Then each right is taken away.
 */

const MINUTES = 60_000;
const WORKFLOW = "deploy-environment.yml";

let clone: string;
let bench: DeployerBench;

beforeAll(async () => {
  clone = cloneWorkingTree("deployer");
  bench = await DeployerBench.open(clone);
}, MINUTES);

afterAll(async () => {
  await bench.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

test(
  "the writing role applies a plan of the reading role",
  () => {
    succeeds(type("plan", "synth"));
    bench.redirect();
    bench.as("planner");
    succeeds(type("plan", "init"));
    succeeds(type("plan", "plan"));
    succeeds(type("plan", "pack"));
    rmSync(bench.stack, { recursive: true });
    bench.as("deployer");
    expect(type("apply", "unpack", { SHA256: "0".repeat(64) })).toMatchObject({ code: 1 });
    const [, sha256] = /sha256=(\w+)/.exec(readFileSync(join(clone, ".local", "output"), "utf8"))!;
    succeeds(type("apply", "unpack", { SHA256: sha256! }));
    succeeds(type("apply", "apply"));
  },
  4 * MINUTES,
);

test(
  "changing every attribute that can change in place needs no other right",
  () => {
    const file = join(bench.stack, "cdk.tf.json");
    writeFileSync(file, changed(readFileSync(file, "utf8")));
    const said = succeeds(bench.terraform("apply", "-no-color", "-input=false", "-auto-approve"));
    expect(said.text).toMatch(/Apply complete! Resources: 0 added, [1-9]\d* changed, 0 destroyed/);
  },
  2 * MINUTES,
);

test(
  "the reading role finds no drift, and cannot apply",
  () => {
    bench.as("planner");
    const plan = ["plan", "-no-color", "-input=false", "-lock=false", "-detailed-exitcode"];
    succeeds(bench.terraform(...plan));
    expect(bench.terraform("apply", "-no-color", "-input=false", "-auto-approve")).toMatchObject({
      code: 1,
      text: expect.stringMatching(/Error acquiring the state lock[^]*AccessDenied/) as unknown,
    });
  },
  2 * MINUTES,
);

test(
  "destroy needs destroy-data, and the state stays",
  () => {
    bench.as("deployer");
    const said = succeeds(bench.terraform("destroy", "-no-color", "-input=false", "-auto-approve"));
    expect(said.text).toMatch(/Destroy complete! Resources: [1-9]\d* destroyed/);
  },
  2 * MINUTES,
);

test("each right is needed, or listed with the page that asks for it", async () => {
  await bench.settled();
  const replay = spawnSync(
    PYTHON,
    [
      join(ROOT, "embedded-aws", "permission_replay.py"),
      ...["--state", join(clone, ".local", "aws"), "--trace", bench.trace],
      ...["--not-shown", join(ROOT, "docs", "deployer", "not-shown.json")],
      ...["--denied", join(ROOT, "docs", "deployer", "denied.json")],
    ],
    { encoding: "utf8", maxBuffer: 64 * MINUTES },
  );
  keepText("deployer.txt", replay.stdout);
  expect({ status: replay.status, said: replay.stderr.trim().split("\n") }).toEqual({
    status: 0,
    said: [""],
  });
}, 120_000);

/** Types what a step of the workflow types. */
function type(job: string, step: string, variables: Readonly<Record<string, string>> = {}): Said {
  return bench.shell(commandOf(WORKFLOW, job, step), variables);
}

/** When it did not end well, says first which rights the documents lack. */
function succeeds(said: Said): Said {
  const missing = said.code === 0 ? [] : bench.denied().map((one) => `docs/deployer lacks ${one}`);
  expect({ code: said.code, missing, text: said.code === 0 ? "" : said.text }).toEqual({
    code: 0,
    missing: [],
    text: "",
  });
  return said;
}

/** A stack with another tag on everything, and other texts, numbers and policies where these can change in place. */
function changed(stack: string): string {
  const parsed = JSON.parse(stack) as {
    provider: { aws: { default_tags: { tags: Record<string, string> }[] }[] };
    resource: Record<string, Record<string, Record<string, unknown>>>;
  };
  parsed.provider.aws[0]!.default_tags[0]!.tags["reviewed"] = "yes";
  for (const [type, resources] of Object.entries(parsed.resource))
    for (const resource of Object.values(resources)) {
      for (const [name, value] of Object.entries(resource)) resource[name] = otherText(name, value);
      Object.assign(resource, OTHERS[type]);
    }
  return JSON.stringify(parsed, null, 2);
}

const OTHERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  aws_athena_workgroup: { description: "Changed" },
  aws_glue_crawler: { description: "Changed" },
  aws_glue_job: { timeout: 29 },
  aws_glue_trigger: { description: "Changed" },
  aws_cloudwatch_log_group: { retention_in_days: 30 },
};

function otherText(name: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (name === "description") return `${value}.`;
  if (name === "definition") return value.replace("{", '{"Comment":"Changed",');
  if (!["policy", "assume_role_policy"].includes(name)) return value;
  const policy = JSON.parse(value) as { Statement: Record<string, unknown>[] };
  return JSON.stringify({
    ...policy,
    Statement: policy.Statement.map((one, index) => ({ ...one, Sid: `Changed${index}` })),
  });
}
