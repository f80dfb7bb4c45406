import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type CommandResult,
  leftAfter,
  npmStart,
  npmStartWith,
  processesOf,
  said,
  stdoutOf,
} from "./commands";
import { deployedClone } from "./deployed-clone";

/**
 * The commands that stay: `serve` with other commands, the `aws` command and boto3 beside it, `shell` and `notebook`, as a user types
 * them in a clone.
 */

const MINUTES = 60_000;
const ROWS = 352; // of the sample that the deployed clone has run
let clone: string;
const started: Staying[] = [];

beforeAll(() => {
  clone = deployedClone("sessions");
}, 10 * MINUTES);

afterAll(async () => {
  for (const one of started) await one.interrupt();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

const unwrapped = (screen: string): string => screen.replace(/\s+/g, " ");

function expectExit({ exitCode, output }: CommandResult, wanted: number): void {
  if (exitCode !== wanted) throw new Error(`exit code ${exitCode}, wanted ${wanted}:\n${output}`);
}

/** A command that runs until it is interrupted. */
class Staying {
  output = "";
  private readonly child;
  private readonly ended: Promise<unknown>;

  constructor(...args: string[]) {
    this.child = spawn("npm", ["start", "--", ...args], {
      cwd: clone,
      detached: true,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    started.push(this);
  }

  /** Waits until the screen shows a text. @throws when the command ends before */
  async shows(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = text.exec(unwrapped(this.output));
      if (found !== null) return found;
      if (this.child.exitCode !== null) throw new Error(`it ended before ${String(text)}:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Ctrl-C, as a terminal sends it: to everybody, npm included. Resolves when all have ended. */
  async interrupt(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      process.kill(-this.child.pid!, "SIGINT");
    await this.ended;
  }
}

/** Runs shell lines with the profile that `serve` wrote. */
function withProfile(lines: string): string {
  const checks = join(clone, ".setup", "venv-checks", "bin");
  return execFileSync("sh", ["-ec", `. ${join(clone, ".local", "aws-profile", "use.sh")}\n${lines}`], {
    encoding: "utf8",
    cwd: dirname(clone),
    env: { ...process.env, PATH: `${checks}:${process.env.PATH}`, AWS_ACCESS_KEY_ID: "of-somebody-else" },
  });
}

function shellRuns(script: string, ...args: string[]): CommandResult {
  return npmStart(clone, "shell", ...args, "-c", script);
}

test.each<[readonly string[], string]>([
  [
    ["shell", "--as", "sails"],
    "--as: etl-dev has no job of a pipeline 'sails'; deployed are customers, events,",
  ],
  [
    ["shell", "--environment", "prod"],
    "etl-prod is not deployed here: type npm start -- deploy --environment prod",
  ],
  [
    ["shell", "--environment", "production"],
    "unknown environment 'production'; known are dev, staging, prod",
  ],
  [["notebook", "--execute"], "--execute: give the notebook, e.g. pipelines/events/events.ipynb"],
  [["notebook", "README.md"], "'README.md' is not a notebook: give a file that ends in .ipynb"],
])(
  "%s is refused before anything starts",
  (args, message) => {
    const result = npmStart(clone, ...args);
    expectExit(result, 1);
    expect(unwrapped(result.output)).toContain(message);
    expect(result.output).not.toContain("    at ");
  },
  MINUTES,
);

test(
  "where nothing is deployed, shell and notebook say so",
  async () => {
    const elsewhere = { ETL_LOCAL: join(dirname(clone), "nothing") };
    for (const args of [["shell", "-c", "1"], ["notebook"]]) {
      const result = npmStartWith(elsewhere, clone, ...args);
      expectExit(result, 1);
      expect(result.output).toContain("nothing is deployed here: type npm start");
    }
    expect(await leftAfter(clone, 15)).toEqual([]);
  },
  2 * MINUTES,
);

describe("while the bench is served", () => {
  let serve: Staying;

  beforeAll(async () => {
    serve = new Staying("serve");
    await serve.shows(/everything that runs on it is shown here/);
  }, MINUTES);

  test("it says what is deployed and how to reach it", () => {
    const screen = unwrapped(serve.output);
    expect(screen).toMatch(/deployed: etl-dev, \d+ resources; pipelines: .*events.*sales/);
    expect(screen).toMatch(/endpoint: https:\/\/127\.0\.0\.1:\d+ /);
    expect(screen).toContain(`certificate: ${join(clone, ".local", "tls", "ca.pem")}`);
  });

  test("the keys lie in files that nobody else can read", () => {
    const files = [["aws-profile", "credentials"], ["kept-bench.json"]];
    const modes = files.map((file) => execFileSync("stat", ["-c", "%a", join(clone, ".local", ...file)]));
    expect(modes.map(String)).toEqual(["600\n", "600\n"]);
  });

  test(
    "a second serve, and down, say what to do",
    () => {
      const again = npmStart(clone, "serve");
      expectExit(again, 1);
      expect(unwrapped(again.output)).toMatch(
        /npm start -- serve \(process \d+\) keeps this bench up already, at https/,
      );
      const down = npmStart(clone, "down");
      expectExit(down, 1);
      expect(unwrapped(down.output)).toMatch(
        /down removes the bench, and npm start -- serve .* uses it: end that with/,
      );
      expect(existsSync(join(clone, ".local", "aws"))).toBe(true);
      expect(unwrapped(npmStart(clone, "status").output)).toMatch(
        /running: npm start -- serve \(process \d+\) keeps/,
      );
    },
    2 * MINUTES,
  );

  test(
    "the printed command works with aws; what it starts, and what boto3 starts, is shown live",
    async () => {
      const [, printed] = /then, for instance,\n([^]*?)\nCtrl-C/.exec(serve.output)!;
      const { executionArn } = JSON.parse(withProfile(printed!)) as { executionArn: string };
      const python = join(clone, ".setup", "venv", "bin", "python");
      const start =
        "import boto3; glue = boto3.client('glue'); " +
        "print(glue.start_job_run(JobName='etl-dev-customers-transform', Arguments={'--unknown': 'x'})['JobRunId'])";
      const run = withProfile(`${python} -c "${start}"`).trim();
      const label = `etl-dev-events ${executionArn.split(":").at(-1)!.slice(0, 4)}`;
      await serve.shows(
        new RegExp(`job etl-dev-customers-transform ${run.slice(0, 7)} FAILED \\d+ s: InvalidArguments`),
      );
      await serve.shows(new RegExp(`${label} SUCCEEDED`));
      const lines = serve.output.split("\n").filter((line) => line.includes(label));
      const shown = lines.map((line) => line.slice(line.indexOf(label) + label.length + 1));
      expect(shown[0]).toBe('started with {"runDate":"2010-12-01"}');
      expect(shown).toContain("▸ RunJob");
      expect(shown.some((line) => /^✓ RunJob [\d.]+ s$/.test(line))).toBe(true);
      // Crawls are steps of it, and not followed by themselves.
      expect(serve.output).not.toMatch(/etl-dev-crawl\S* \w{4} started/);
    },
    5 * MINUTES,
  );

  test(
    "other commands use the same server",
    () => {
      const count = "select count(*) as n from etl_dev_processed.events";
      expect(stdoutOf(clone, "query", "--format", "csv", count)).toBe(`n\n${ROWS}\n`);
      const deployed = npmStart(clone, "deploy");
      expectExit(deployed, 0);
      expect(deployed.output).toContain("up to date");
    },
    3 * MINUTES,
  );

  test(
    "a script in a shell reads the lake by the catalogue, and gives its exit code",
    () => {
      const script = `
print("rows", spark.sql("select * from etl_dev_processed.events").count())
print("tables", [row.tableName for row in spark.sql("show tables in etl_dev_processed").collect()])
raise SystemExit(7)`;
      const result = shellRuns(script);
      expectExit(result, 7);
      expect(result.output).toContain(`rows ${ROWS}\n`);
      const [, tables] = /^tables \[(.*)\]/m.exec(result.output)!;
      expect(tables!.split(", ")).toEqual(expect.arrayContaining(["'events'", "'sales'"]));
      expect(result.output).toContain("etl-dev, Glue 5.1 (Spark 3.5), as the account's owner");
      expect(said(result)).toContain("using the bench that npm start -- serve");
    },
    3 * MINUTES,
  );

  test(
    "as a pipeline it may read its own table and no other, and an exception gives 1",
    () => {
      const script = `
print("own", spark.sql("select * from etl_dev_processed.sales").count())
spark.sql("select * from etl_dev_processed.events").show()`;
      const result = shellRuns(script, "--as", "sales");
      expectExit(result, 1);
      expect(result.output).toContain("own 0\n");
      expect(result.output).toContain("as the role etl-dev-sales-transform-job");
      expect(result.output).toMatch(/not authorized to perform: glue:GetTable on resource: \S+\/events/);
    },
    3 * MINUTES,
  );

  test(
    "the notebook of events runs, and a cell that fails is named by its number",
    () => {
      const shipped = join("pipelines", "events", "events.ipynb");
      expectExit(npmStart(clone, "notebook", "--execute", shipped), 0);
      const notebook = JSON.parse(readFileSync(join(clone, shipped), "utf8")) as {
        cells: { cell_type: string; source: string[] }[];
      };
      const code = notebook.cells.filter(({ cell_type: type }) => type === "code");
      code[1]!.source = ["assert spark.range(3).count() == 4, 'three is not four'"];
      mkdirSync(join(clone, "mine"));
      writeFileSync(join(clone, "mine", "wrong.ipynb"), JSON.stringify(notebook));
      const wrong = npmStart(clone, "notebook", "--execute", join("mine", "wrong.ipynb"));
      expectExit(wrong, 1);
      expect(wrong.output).toContain("wrong.ipynb: cell 2 failed: AssertionError: three is not four");
      expect(wrong.output).not.toContain("cell 3");
    },
    5 * MINUTES,
  );

  test(
    "Ctrl-C ends it, and leaves no process, no lock and no profile",
    async () => {
      await serve.interrupt();
      expect(serve.output).toMatch(/stopped: the bench's state is kept in \.local\n$/);
      expect(await leftAfter(clone, 15)).toEqual([]);
      const left = ["lock", "kept-bench.json", "aws-profile", "aws-process.json"];
      expect(left.filter((name) => existsSync(join(clone, ".local", name)))).toEqual([]);
    },
    MINUTES,
  );
});

test(
  "JupyterLab listens on 127.0.0.1, wants its token, and ends with Ctrl-C",
  async () => {
    const lab = new Staying("notebook", join("pipelines", "events", "events.ipynb"));
    const [, address, token] = await lab.shows(/(http:\/\/127\.0\.0\.1:\d+)\/lab\/tree\/\S+\?token=(\w+)/);
    const contents = `${address}/api/contents/pipelines/events`;
    expect((await fetch(contents)).status).toBe(403);
    const answer = await fetch(contents, { headers: { authorization: `token ${token}` } });
    expect(JSON.stringify(await answer.json())).toContain("events.ipynb");
    await lab.interrupt();
    expect(lab.output).toContain("stopped: JupyterLab and its sessions have ended");
    expect(await leftAfter(clone, 30)).toEqual([]);
  },
  3 * MINUTES,
);

test(
  "a bench whose keeper was killed is nobody's",
  async () => {
    const serve = new Staying("serve");
    const [, pid] = await serve
      .shows(/everything that runs on it is shown here/)
      .then(() => /"pid":(\d+)/.exec(readFileSync(join(clone, ".local", "kept-bench.json"), "utf8"))!);
    process.kill(Number(pid), "SIGKILL");
    expect(await leftAfter(clone, 30)).toEqual([]);
    expect(npmStart(clone, "status").output).toContain("running: nothing");
    expectExit(npmStart(clone, "query", "select 1"), 0);
    expect(processesOf(clone)).toEqual([]);
  },
  3 * MINUTES,
);
