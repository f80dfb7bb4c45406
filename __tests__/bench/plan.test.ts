import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cloneWorkingTree } from "../support/clone";
import { leftAfter } from "./commands";

/**
 * `npm run plan` in a repository of its own, as an engineer types it before a pull request: the change removes a pipeline and doubles
 * the workers of another. The tests build on each other: the first one deploys the base.
 */

const MINUTES = 60_000;
const IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@example.com"];

interface Said {
  readonly code: number | null;
  readonly page: string;
  readonly screen: string;
  readonly seconds: number;
}

interface Change {
  readonly type: string;
  readonly address: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
  };
}

let clone: string;
let first: Said;

beforeAll(() => {
  clone = cloneWorkingTree("plan");
  git("init", "-q", "-b", "main");
  // Links in a clone of the tests, and not the folders that .gitignore names.
  writeFileSync(join(clone, ".git", "info", "exclude"), "node_modules\n.setup\n");
  commit();
  removeProducts();
  doubleWorkers();
});

afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }));

function git(...args: string[]): string {
  return execFileSync("git", [...IDENTITY, ...args], { cwd: clone, encoding: "utf8" }).trim();
}

function commit(): void {
  git("add", "-A");
  git("commit", "-qm", "state");
}

function edit(file: string, by: (text: string) => string): void {
  const path = join(clone, file);
  const before = readFileSync(path, "utf8");
  const after = by(before);
  if (after === before) throw new Error(`${file} was not changed`);
  writeFileSync(path, after);
}

/** As docs/add-a-pipeline.md says it. */
function removeProducts(): void {
  rmSync(join(clone, "pipelines", "products"), { recursive: true });
  edit("pipelines/index.ts", (text) => text.replace(/^.*(defineProducts\b|name: "products").*\n/gm, ""));
  for (const environment of ["dev", "staging", "prod"])
    edit(`environments/${environment}.ts`, (text) => text.replace(/^ {4}products: daily,\n/m, ""));
}

/** In a new file: what is planned is what lies on disk, whether git knows it or not. */
function doubleWorkers(): void {
  writeFileSync(join(clone, "environments", "workers.ts"), "export const WORKERS = 4;\n");
  edit("environments/dev.ts", (text) =>
    `import { WORKERS } from "./workers";\n${text}`.replace(/( events: \{[^]*?maxWorkers: )2/, "$1WORKERS"),
  );
}

function start(...args: string[]): { readonly child: ChildProcess; readonly said: Promise<Said> } {
  const began = Date.now();
  const child = spawn("npm", ["run", "--silent", "plan", "--", ...args], {
    cwd: clone,
    // In CI the services' own variables would name a base.
    env: { ...process.env, NO_COLOR: "1", GITHUB_BASE_REF: "", CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let [page, screen] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (page += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  const said = new Promise<Said>((resolve) =>
    child.once("close", (code, signal) =>
      resolve({
        // npm ends by the signal, as a shell's own programs do.
        code: signal === "SIGINT" ? 130 : code,
        page,
        screen: screen.replace(/\n {2,}(?=\S)/g, " "),
        seconds: (Date.now() - began) / 1000,
      }),
    ),
  );
  return { child, said };
}

const plan = (...args: string[]): Promise<Said> => start("--environment", "dev", ...args).said;

function expectCode(said: Said, code: number): void {
  if (said.code !== code)
    throw new Error(`exit code ${said.code}, wanted ${code}:\n${said.page}\n${said.screen}`);
}

const lastLines = (text: string): string[] => text.trim().split("\n").slice(-2);
const pageFile = ({ screen }: Said): string => join(clone, /^page: (.*)$/m.exec(screen)![1]!);

function planned(said: Said): Change[] {
  const json = readFileSync(join(dirname(pageFile(said)), "plan.json"), "utf8");
  return (JSON.parse(json) as { resource_changes: Change[] }).resource_changes;
}

const bases = (environment: string): string[] => {
  const folder = join(clone, ".local", "plan", "bases", environment);
  return existsSync(folder) ? readdirSync(folder) : [];
};

test(
  "without a base there is no verdict, and the screen says what to type",
  async () => {
    const said = await plan("--output", "page.md");
    expectCode(said, 1);
    expect(said.screen).toContain("npm run plan -- --environment dev --base main");
    expect(lastLines(said.page)).toEqual([
      "❔ No verdict on `dev`: there is nothing to compare with",
      "page: page.md",
    ]);
    const page = readFileSync(join(clone, "page.md"), "utf8");
    expect(page).toMatch(/^\*\*❔ No verdict on `dev`: there is nothing to compare with\*\*\n/);
    expect(page).not.toContain("✅");
    rmSync(join(clone, "page.md"));
  },
  MINUTES,
);

test(
  "a removed pipeline and doubled workers are on the page, and nothing else is",
  async () => {
    first = await plan("--base", "HEAD");
    expectCode(first, 2);
    const changes = planned(first).filter(({ change }) => String(change.actions) !== "no-op");
    const destroyed = changes.filter(({ change }) => change.actions.includes("delete"));
    expect(destroyed.length).toBeGreaterThan(20);
    expect(destroyed.filter(({ address }) => !address.includes("Products"))).toEqual([]);
    const jobs = changes.filter(({ type, change }) => type === "aws_glue_job" && change.after !== null);
    expect(
      jobs.map(({ change: { before, after } }) => [
        after?.["name"],
        before?.["number_of_workers"],
        after?.["number_of_workers"],
      ]),
    ).toEqual([["etl-dev-events-transform", 2, 4]]);
    expect(changes.filter(({ change }) => String(change.actions) === "create")).toEqual([]);
    expect(first.page).toContain("products");
    expect(first.page).toContain("not committed) against `HEAD` (");
  },
  12 * MINUTES,
);

test("the screen ends with the verdict and the file of the page", () => {
  const [verdict, file] = lastLines(first.screen);
  expect(verdict).toMatch(/^❌ /);
  expect(first.page.split("\n")[0]).toContain(verdict);
  expect(file).toMatch(/^page: \.local\/plan\/bases\/dev\/\S+\/page\.md$/);
  expect(readFileSync(pageFile(first), "utf8")).toBe(first.page);
});

test("the bench of the clone is not touched, and no process is left", async () => {
  expect(readdirSync(join(clone, ".local"))).toEqual(["plan"]);
  expect(git("worktree", "list").split("\n")).toHaveLength(1);
  expect(await leftAfter(clone, 5)).toEqual([]);
});

test(
  "the same base is deployed once: two plans at once wait for each other, and say the same",
  async () => {
    const both = await Promise.all([plan("--base", "HEAD"), plan("--base", "main", "--output", "page.md")]);
    for (const said of both) {
      expectCode(said, 2);
      expect(said.screen).not.toContain("deploy the base");
      expect(said.seconds).toBeLessThan(first.seconds);
    }
    expect(
      both.filter(({ screen }) => screen.includes("waiting for another plan on this base")),
    ).toHaveLength(1);
    expect(both[0].page).toBe(first.page);
    // `HEAD` and `main` are the same commit.
    expect(readFileSync(join(clone, "page.md"), "utf8").replace("`main`", "`HEAD`")).toBe(first.page);
    expect(lastLines(both[1].page)[1]).toBe("page: page.md");
    expect(bases("dev").filter((name) => !name.endsWith(".lock"))).toHaveLength(1);
    rmSync(join(clone, "page.md"));
  },
  5 * MINUTES,
);

test(
  "wrong types are reported, and are no verdict",
  async () => {
    const file = join(clone, "environments", "workers.ts");
    writeFileSync(file, "export const WORKERS: string = 4;\n");
    const said = await plan("--base", "HEAD");
    writeFileSync(file, "export const WORKERS = 4;\n");
    expectCode(said, 1);
    expect(said.page).toMatch(/^\*\*❔ No verdict on `dev`: the working tree does not type-check\*\*\n/);
    expect(said.page).toContain("environments/workers.ts(1,14): error TS2322");
    expect(await leftAfter(clone, 5)).toEqual([]);
  },
  3 * MINUTES,
);

test(
  "all of an environment that the base does not have is new",
  async () => {
    edit("environments/registry.ts", (text) => text.replace(/\bstaging, /, ""));
    commit();
    edit("environments/registry.ts", (text) => text.replace(/\bdev, prod\b/, "dev, staging, prod"));
    const said = await start("--environment", "staging", "--base", "HEAD").said;
    expect([0, 3]).toContain(said.code);
    expect(said.page).toContain("The base has no such environment, so all of it is new.");
    const kinds = new Set(planned(said).map(({ change }) => String(change.actions)));
    expect([...kinds]).toEqual(["create"]);
  },
  3 * MINUTES,
);

test(
  "a base that does not synthesise is reported with what to do, and leaves nothing",
  async () => {
    const before = bases("dev");
    edit("environments/dev.ts", (text) => text.replace("jobTimeoutMinutes: 30", "jobTimeoutMinutes: 0"));
    commit();
    edit("environments/dev.ts", (text) => text.replace("jobTimeoutMinutes: 0", "jobTimeoutMinutes: 30"));
    const said = await plan("--base", "HEAD");
    expectCode(said, 1);
    expect(said.page).toMatch(
      /^\*\*❔ No verdict on `dev`: the base HEAD \([0-9a-f]{10}\) does not synthesise\*\*\n/,
    );
    expect(said.page).toContain("Name another commit with --base, or use --live.");
    expect(said.page).toContain("jobTimeoutMinutes");
    expect(bases("dev")).toEqual(before);
    expect(await leftAfter(clone, 5)).toEqual([]);
  },
  2 * MINUTES,
);

test(
  "Ctrl-C while the base is deployed leaves no process, no folder and no lock",
  async () => {
    commit();
    const before = bases("dev");
    const { child, said } = start("--environment", "dev", "--base", "HEAD");
    await new Promise<void>((resolve) => {
      child.stderr!.on("data", (chunk: Buffer) => {
        if (/\d+ of \d+ \(/.test(chunk.toString())) resolve();
      });
      child.once("close", () => resolve());
    });
    process.kill(-child.pid!, "SIGINT");
    const ended = await said;
    expectCode(ended, 130);
    expect(ended.screen).toContain("interrupted: every started process is stopped");
    expect(bases("dev")).toEqual(before);
    expect(await leftAfter(clone, 5)).toEqual([]);
  },
  4 * MINUTES,
);
