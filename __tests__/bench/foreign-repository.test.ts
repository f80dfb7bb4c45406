import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH } from "../../local/places";
import { providerOverride } from "../../local/provider-override";
import { providerSource } from "../../local/provider-source";
import { clientsOf } from "../../local/clients";
import { NotificationListener } from "../../local/notifications";
import { cloneWorkingTree, ROOT } from "../support/clone";
import { type Page, readPage } from "../support/page";

/**
 * The test follows docs/use-the-library.md: it writes the page's files and types its commands one after the other, in an empty folder
 * with the embedded AWS as the account. It adds only what a page cannot know: which AWS, and an install that takes the peers from this
 * clone instead of the registry. The tests build on each other.
 */

const MINUTES = 60_000;
const stackFolder = (name: string): string => join("cdktf.out", "stacks", name);
const EVENTS = join(ROOT, "pipelines", "events", "sample");

/** A shell that remembers where it is and what was exported, as a terminal does. */
class Terminal {
  private folder: string;
  private readonly memory: string;

  constructor(
    private readonly home: string,
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly name = "first",
  ) {
    this.folder = home;
    this.memory = join(home, `.exported-${name}`);
    writeFileSync(this.memory, "");
  }

  /** A second terminal that stands in the same folder and has the same variables. */
  another(): Terminal {
    const other = new Terminal(this.home, this.env, "second");
    other.folder = this.folder;
    copyFileSync(this.memory, other.memory);
    return other;
  }

  /** Types commands, and fails with what they said when one does. @returns what they printed */
  type(commands: string): Promise<string> {
    const script = `. '${this.memory}'\n${commands}\nexport -p > '${this.memory}'; pwd > '${this.home}/.folder-${this.name}'`;
    return new Promise((resolve, reject) => {
      const options = { cwd: this.folder, env: this.env, maxBuffer: 64 * 1024 * 1024 };
      execFile("bash", ["-euo", "pipefail", "-c", script], options, (error, stdout, stderr) => {
        if (error !== null) return reject(new Error(`${commands}\n${stdout}\n${stderr}`));
        this.folder = readFileSync(join(this.home, `.folder-${this.name}`), "utf8").trim();
        resolve(stdout);
      });
    });
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }
}

let home: string;
let checkout: string;
let aws: EmbeddedAws;
let terminal: Terminal;
let page: Page;
/** The stacks that have to be destroyed when a test fails, each with its terminal. */
const applied = new Map<string, Terminal>();
/** The second part of the page, which is followed while the first waits: a lake takes a minute for its lifecycle settings. */
let beside: Terminal;
let stackApplied: Promise<string>;
let messages: NotificationListener | undefined;

beforeAll(async () => {
  page = readPage(join("docs", "use-the-library.md"));
  checkout = cloneWorkingTree("checkout");
  home = realpathSync(mkdtempSync(join(tmpdir(), "etl-foreign-")));
  aws = await EmbeddedAws.start(join(home, ".local"));
  const tools = join(home, ".tools");
  mkdirSync(tools);
  symlinkSync(join(ROOT, ".setup", "venv-checks", "bin", "aws"), join(tools, "aws"));
  terminal = new Terminal(home, {
    ...process.env,
    ...(await providerSource(home, process.env)).variables,
    PATH: `${tools}:${process.env.PATH}`,
    CHECKPOINT_DISABLE: "1",
    TF_CLI_ARGS: "-no-color",
    CI: "1",
    AWS_ENDPOINT_URL: aws.at.endpoint,
    AWS_CA_BUNDLE: aws.at.caBundle,
    AWS_ACCESS_KEY_ID: aws.at.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.at.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
    // Version 1 of the AWS CLI, which is the one that pip has, reads this name only.
    AWS_DEFAULT_REGION: BENCH.region,
  });
}, 2 * MINUTES);

afterAll(async () => {
  for (const [stack, where] of applied)
    await where.type(`terraform -chdir=${stackFolder(stack)} destroy -auto-approve`).catch(() => undefined);
  await aws.stop();
  rmSync(home, { recursive: true, force: true });
  rmSync(dirname(checkout), { recursive: true, force: true });
}, 2 * MINUTES);

/** Installs the tarball as npm does, with its own dependencies, and links what else `package.json` names. */
async function install(): Promise<void> {
  const text = readFileSync(terminal.path("package.json"), "utf8");
  const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Record<string, string>>;
  const { "cdktf-aws-etl": tarball, ...linked } = { ...dependencies, ...devDependencies };
  writeFileSync(
    terminal.path("package.json"),
    JSON.stringify({ dependencies: { "cdktf-aws-etl": tarball } }),
  );
  // Without its peers, which follow.
  await terminal.type(
    "npm install --legacy-peer-deps --ignore-scripts --no-audit --no-fund --prefer-offline",
  );
  writeFileSync(terminal.path("package.json"), text);
  const own = join(ROOT, "node_modules");
  const link = (name: string) => {
    mkdirSync(dirname(terminal.path("node_modules", name)), { recursive: true });
    symlinkSync(join(own, name), terminal.path("node_modules", name));
  };
  Object.keys(linked).forEach(link);
  for (const command of ["cdktf", "ts-node", "tsc"]) link(join(".bin", command));
}

/** The page's blocks of commands by what they do, in its order. */
function blocks() {
  const [
    pack,
    copyShipments,
    install,
    applyPipeline,
    run,
    query,
    runShipments,
    queryShipments,
    refuse,
    destroyPipeline,
    copy,
    applyStack,
    runStack,
    queryStack,
    undo,
  ] = page.commands as string[];
  return {
    ...{ pack, copyShipments, install, applyPipeline, run, query, runShipments, queryShipments, refuse },
    ...{ destroyPipeline },
    ...{ copy, applyStack, runStack, queryStack, undo },
  } as Record<string, string>;
}

/** The commands up to the synth of a stack, and those behind it. */
const halves = (block: string): string[] => block.split(/(?<=^npx cdktf synth\n)/m);

/** Types what follows the synth of a stack, with the provider pointed at the embedded AWS. */
function apply(where: Terminal, stack: string, commands: string): Promise<string> {
  writeFileSync(where.path(stackFolder(stack), "override.tf.json"), JSON.stringify(providerOverride(aws.at)));
  applied.set(stack, where);
  return where.type(commands);
}

/** The second part of the page up to its apply. @returns what was printed */
async function applyStack(): Promise<string> {
  const modules = beside.path("node_modules");
  const [copied, checked] = blocks().copy!.split("npm install\n");
  await beside.type(copied!);
  symlinkSync(modules, beside.path("node_modules"));
  const lint = await beside.type(checked!);
  const [synth, rest] = halves(blocks().applyStack!);
  await beside.type(synth!);
  return lint + (await apply(beside, "country-revenue", rest!));
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)!;

test(
  "packs the library and installs it",
  async () => {
    await terminal.type(blocks().pack!.replace("/path/to/checkout", checkout));
    for (const [name, text] of Object.entries(page.files)) {
      mkdirSync(dirname(terminal.path(name)), { recursive: true });
      writeFileSync(terminal.path(name), text);
    }
    await terminal.type(blocks().copyShipments!);
    expect(blocks().install).toBe("npm install\n");
    await install();
    // A folder, not a link into the checkout: what is missing in the tarball is missing here.
    expect(realpathSync(terminal.path("node_modules", "cdktf-aws-etl"))).toBe(
      terminal.path("node_modules", "cdktf-aws-etl"),
    );
  },
  5 * MINUTES,
);

test(
  "finds the files of the installed package that it reads by path",
  async () => {
    const said = await terminal.type(`node <<'EOF'
const { readdirSync } = require("node:fs");
const { GLUE_SCRIPTS, Step } = require("cdktf-aws-etl");
const wait = Step.runJob("Job", { jobName: "job", timeoutMinutes: 1 });
console.log(JSON.stringify({ folders: Object.values(GLUE_SCRIPTS), files: readdirSync(GLUE_SCRIPTS.etl), step: wait !== undefined }));
EOF`);
    const { folders, files, step } = JSON.parse(said) as {
      folders: string[];
      files: string[];
      step: boolean;
    };
    const root = terminal.path("node_modules", "cdktf-aws-etl", "glue-scripts");
    const xml = join("jars", "spark-xml_2.12-0.18.0.jar");
    expect(folders.sort()).toEqual(["etl", "functions", xml, "jobs"].map((path) => join(root, path)));
    expect(files).toContain("__init__.py");
    expect(step).toBe(true);
  },
  MINUTES,
);

test(
  "a whole pipeline of thirty lines is synthesised, validated and applied",
  async () => {
    expect(page.files["main.ts"]!.trim().split("\n").length).toBeLessThanOrEqual(30);
    const [synth, rest] = halves(blocks().applyPipeline!);
    expect(await terminal.type(synth!)).toContain("2 contracts, nothing found");
    beside = terminal.another();
    stackApplied = applyStack();
    // Judged by a test of its own.
    stackApplied.catch(() => undefined);
    const said = await apply(terminal, "parcel-scans", rest!);
    expect(said).toContain("Success! The configuration is valid");
    expect(said).toMatch(/Apply complete! Resources: \d+ added, 0 changed, 0 destroyed/);
    const topic = await terminal.type(
      `terraform -chdir=${stackFolder("parcel-scans")} output -raw topic_arn`,
    );
    const { sqs, sns } = clientsOf(aws.at);
    messages = await NotificationListener.subscribe(sqs, sns, topic.trim());
  },
  5 * MINUTES,
);

test(
  "it runs: the scans are published, the books balance, the lock is free, and a message says so",
  async () => {
    expect(lastLine(await terminal.type(blocks().run!))).toBe("SUCCEEDED");
    const rejected =
      '{"scan_id":"S4","parcel_id":"P102","depot":null,"kilograms":12,"scanned_at":"2026-03-02T09:41:00Z"}';
    expect((await terminal.type(blocks().query!)).trim().split("\n")).toEqual([
      "scan,outcome",
      `${rejected},missing_depot`,
      ...["S1", "S2", "S3", "S5"].map((scan) => `${scan},published`),
    ]);
    const [{ message, subject } = {}, ...others] = await messages!.received();
    expect({ subject, message, others }).toMatchObject({
      subject: expect.stringContaining("scans") as string,
      message: {
        status: "SUCCEEDED",
        books: {
          ...{ read: 6, written: 4, duplicates: 1, quarantined: 1 },
          quarantinedByReason: { missing_depot: 1 },
        },
      },
      others: [],
    });
    expect(await terminal.type("aws dynamodb scan --table-name parcels-locks --query Count")).toBe("0\n");
    // The step that main.ts puts in the place of the pipeline's own: it looks 60 times, every half minute.
    const definition = await terminal.type(
      'aws stepfunctions describe-state-machine --state-machine-arn "$STATE_MACHINE" --query definition --output text',
    );
    expect(definition).toMatch(/"NumericGreaterThanEquals":\s*60,\s*"Next":\s*"AcquireLockReportBusy"/);
  },
  5 * MINUTES,
);

test(
  "the second pipeline reads German CSV to the last digit, twice, and says that no crawl shows its columns",
  async () => {
    for (let run = 1; run <= 2; run++) {
      expect(lastLine(await terminal.type(blocks().runShipments!))).toBe("SUCCEEDED");
      const [{ message, subject } = {}, ...others] = await messages!.received();
      expect({ subject, message, others }).toMatchObject({
        subject: expect.stringContaining("shipments") as string,
        message: {
          status: "SUCCEEDED",
          books: {
            ...{ read: 20, written: 9, duplicates: 2, quarantined: 9, drift: null },
            quarantinedByReason: {
              ...{ malformed: 1, missing_shipment_id: 1, wrong_type: 3, not_allowed: 2, invalid_pick_up: 1 },
              delivered_before_pick_up: 1,
            },
          },
        },
        others: [],
      });
    }
    expect(await terminal.type(blocks().queryShipments!)).toBe(page.answers.at(-1));
  },
  5 * MINUTES,
);

test(
  "a broken delivery fails, and the message says why",
  async () => {
    const [status, error, cause] = lastLine(await terminal.type(blocks().refuse!)).split("\t");
    expect({ status, error }).toEqual({ status: "FAILED", error: "DataQualityCheckFailed" });
    expect(cause).toContain("lines_are_readable: 2 of 2");
    const [{ message, text } = {}, ...others] = await messages!.received();
    expect(message).toMatchObject({ status: "FAILED", error: "DataQualityCheckFailed" });
    expect(text).toContain("lines_are_readable: 2 of 2");
    expect(others).toEqual([]);
    await messages!.close();
  },
  5 * MINUTES,
);

test(
  "single constructs: types and definition are checked, the plan is shown as a page and applied",
  async () => {
    const said = await stackApplied;
    expect(said).toContain("1 definition, nothing found");
    expect(said).toContain("Success! The configuration is valid");
    expect(said).toContain("aws_kms_key");
    expect(said).toMatch(/Apply complete! Resources: \d+ added, 0 changed, 0 destroyed/);
  },
  5 * MINUTES,
);

interface ShopEvent {
  readonly timestamp: string;
  readonly country: string;
  readonly items: readonly { readonly quantity: number; readonly unit_price: number }[];
}

/** Day, country, events and revenue as the files say, counted in tenths of a penny. */
function expectedRows(): string[] {
  const sums = new Map<string, { events: number; revenue: number }>();
  for (const day of readdirSync(EVENTS)) {
    for (const line of readFileSync(join(EVENTS, day, "events.json"), "utf8")
      .trim()
      .split("\n")) {
      const { timestamp, country, items } = JSON.parse(line) as ShopEvent;
      const key = `${timestamp.slice(0, 10)},${country}`;
      const sum = sums.get(key) ?? { events: 0, revenue: 0 };
      sum.events += 1;
      for (const { quantity, unit_price: price } of items) sum.revenue += quantity * Math.round(price * 1000);
      sums.set(key, sum);
    }
  }
  return [...sums]
    .map(([key, { events, revenue }]) => `${key},${events},${(revenue / 1000).toFixed(3)}`)
    .sort();
}

test(
  "runs the state machine; the table has what the shop's files say",
  async () => {
    expect(lastLine(await beside.type(blocks().runStack!))).toBe("SUCCEEDED");
    const [header, ...rows] = (await beside.type(blocks().queryStack!)).trim().split("\n");
    expect(header).toBe("day,country,events,revenue");
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.sort()).toEqual(expectedRows());
  },
  5 * MINUTES,
);

test(
  "is destroyed completely",
  async () => {
    const destroyed = await Promise.all([
      terminal.type(blocks().destroyPipeline!),
      beside.type(blocks().undo!),
    ]);
    applied.clear();
    for (const said of destroyed) expect(said).toMatch(/Destroy complete! Resources: \d+ destroyed/);
    expect(await terminal.type("aws s3api list-buckets --query 'length(Buckets)'")).toBe("0\n");
    expect(existsSync(beside.path("terraform.country-revenue.tfstate"))).toBe(true);
  },
  5 * MINUTES,
);
