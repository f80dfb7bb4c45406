import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GetJobCommand, GetJobRunsCommand, GetSecurityConfigurationCommand } from "@aws-sdk/client-glue";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { deployedClone } from "./deployed-clone";
import { events, JOB, JOB_ROLE } from "./faults";
import { BenchSession } from "./session";

/**
 * The setting `securityConfiguration`, deployed over an environment without it: the job runs with it, its files and its logs have
 * the key, and the rights of the construct suffice.
 */

const MINUTES = 60_000;
const DAY = "2011-01-10";
let clone: string;
let session: BenchSession;
const trace = () => join(clone, ".local", "trace.jsonl");

interface Evaluation {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly verdict: string;
}

beforeAll(async () => {
  clone = deployedClone("secured", (folder) => {
    const file = join(folder, "environments", "dev.ts");
    const text = readFileSync(file, "utf8");
    const changed = text.replace("  pipelines: {", "  securityConfiguration: true,\n  pipelines: {");
    if (changed === text) throw new Error(`${file} has no pipelines`);
    writeFileSync(file, changed);
  });
  session = await BenchSession.open(clone, ["--trace", trace()]);
}, 10 * MINUTES);

afterAll(async () => {
  await session.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

/** The one that the job names: its name and the key of its logs. */
async function configuration() {
  const { glue } = session.clients;
  const { Job } = await glue.send(new GetJobCommand({ JobName: JOB }));
  const Name = Job!.SecurityConfiguration!;
  const { SecurityConfiguration: found } = await glue.send(new GetSecurityConfigurationCommand({ Name }));
  return { name: Name, key: found!.EncryptionConfiguration!.CloudWatchEncryption!.KmsKeyArn! };
}

test(
  "a run with it succeeds, and its logs lie under its name",
  async () => {
    await session.deliver(DAY, events(DAY, 12));
    const finished = await session.run({ runDate: DAY });
    expect(finished).toMatchObject({ status: "SUCCEEDED" });
    expect(await session.books(finished)).toMatchObject({ read: 12, written: 12 });

    const { name } = await configuration();
    expect(name).toMatch(/^etl-dev-[0-9a-f]{8}$/);
    const { JobRuns } = await session.clients.glue.send(new GetJobRunsCommand({ JobName: JOB }));
    expect(JobRuns![0]).toMatchObject({
      JobRunState: "SUCCEEDED",
      SecurityConfiguration: name,
      LogGroupName: `/aws-glue/jobs/${JOB}/${name}-role/${JOB_ROLE}`,
    });
  },
  5 * MINUTES,
);

test("what it wrote has the key", async () => {
  const { key } = await configuration();
  const bucket = session.output("processed_bucket");
  const written = Object.keys(await session.list(bucket, `events/run_date=${DAY}/`));
  expect(written.filter((file) => file.endsWith(".parquet"))).not.toEqual([]);
  for (const Key of written) {
    const head = await session.clients.s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
    expect([Key, head.ServerSideEncryption, head.SSEKMSKeyId]).toEqual([Key, "aws:kms", key]);
  }
});

test("the rights of the construct suffice: the logs got the key and lines, and nothing was denied", async () => {
  const { name } = await configuration();
  await session.close();
  const evaluations = readFileSync(trace(), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Evaluation);
  expect(evaluations.filter(({ verdict }) => verdict !== "allowed")).toEqual([]);
  const folder = `/aws-glue/jobs/${JOB}/${name}-role/${JOB_ROLE}`;
  for (const action of ["logs:AssociateKmsKey", "logs:PutLogEvents"]) {
    const groups = evaluations
      .filter((one) => one.action === action && one.resource.includes(":log-group:/aws-glue/jobs/"))
      .map(({ resource }) => resource.split(":log-group:")[1]!.split(":")[0]);
    const both = [`${folder}/error`, `${folder}/output`];
    expect([action, [...new Set(groups)].sort()]).toEqual([action, both]);
  }
});
