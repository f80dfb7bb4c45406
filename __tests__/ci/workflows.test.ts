import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../support/clone";
import { ENVIRONMENTS } from "../support/app";
import { commandOf, type Job, readYaml, type Workflow } from "../support/workflow";

/** Checks the workflow templates with the platforms' schemas, a security linter and this project's rules. */

const TOOLS = join(ROOT, ".setup", "venv-checks", "bin");
const FILES = readdirSync(join(ROOT, "ci", "github"));
const GITLAB = ".gitlab-ci.yml";

let folder: string;
/** The linter looks for workflows only where the platforms expect them. */
const workflows = (): string => join(folder, ".github", "workflows");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-pipelines-"));
  mkdirSync(join(folder, ".github"));
  cpSync(join(ROOT, "ci", "github"), workflows(), { recursive: true });
  cpSync(join(ROOT, "ci", "gitlab", GITLAB), join(folder, GITLAB));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(tool: string, ...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr, error } = spawnSync(join(TOOLS, tool), args, {
    cwd: folder,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  return { status, said: `${stdout}${stderr}` };
}

const github = (): { status: number | null; said: string } =>
  run(
    "check-jsonschema",
    ...["--builtin-schema", "vendor.github-workflows"],
    ...FILES.map((name) => join(workflows(), name)),
  );
const gitlab = (): { status: number | null; said: string } =>
  run(
    "check-jsonschema",
    ...["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", join(folder, GITLAB)],
  );
const linted = (): { status: number | null; said: string } =>
  run("zizmor", "--offline", "--min-severity", "medium", folder);

function change(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

test("GitHub's and GitLab's schemas accept the workflows", () => {
  expect(github()).toMatchObject({ status: 0 });
  expect(gitlab()).toMatchObject({ status: 0 });
});

test("an unknown key is found", () => {
  change(join(workflows(), "drift.yml"), "timeout-minutes: 30", "timeout: 30");
  change(join(folder, GITLAB), "when: manual", "when: someday");
  expect(github()).toMatchObject({ status: 1, said: expect.stringContaining("drift.yml") as unknown });
  expect(gitlab()).toMatchObject({ status: 1, said: expect.stringContaining("someday") as unknown });
}, 60_000);

test("the security linter has no finding, and finds a planted mistake", () => {
  expect(linted()).toMatchObject({ status: 0 });
  change(
    join(workflows(), "plan.yml"),
    "GH_TOKEN: ${{ github.token }}",
    "GH_TOKEN: ${{ github.token }}\n          TITLE: x",
  );
  change(
    join(workflows(), "plan.yml"),
    "pages.md\n",
    'pages.md\n          echo "${{ github.event.pull_request.title }}"\n',
  );
  const { status, said } = linted();
  expect(status).not.toBe(0);
  expect(said).toContain("template-injection");
}, 60_000);

const every = (): (readonly [file: string, name: string, job: Job])[] =>
  FILES.flatMap((file) =>
    Object.entries(readYaml<Workflow>(`github/${file}`).jobs).map(
      ([name, job]) => [file, name, job] as const,
    ),
  );

test("every action is pinned by commit, with its version as a comment", () => {
  const used = FILES.flatMap((file) => {
    const text = readFileSync(join(ROOT, "ci", "github", file), "utf8");
    return [...text.matchAll(/uses: (.*)$/gm)]
      .map(([, action]) => action!)
      .filter((action) => !action.startsWith("./"));
  });
  expect(used.length).toBeGreaterThan(0);
  expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  const versions = new Map<string, Set<string>>();
  for (const action of used) {
    const [name, version] = action.split("@") as [string, string];
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  expect([...versions].filter(([, of]) => of.size > 1)).toEqual([]);
});

test("only jobs with an environment get credentials, and forks never do", () => {
  const withToken = every().filter(
    ([, , { permissions, uses }]) => permissions?.["id-token"] === "write" && !uses,
  );
  expect(withToken.map(([file, name]) => `${file}: ${name}`)).toEqual([
    "deploy-environment.yml: plan",
    "deploy-environment.yml: apply",
    "drift.yml: drift",
  ]);
  const unbound = withToken.filter(([, , { environment }]) => environment === undefined);
  expect(unbound.map(([file, name]) => `${file}: ${name}`)).toEqual([]);
  expect(FILES.filter((file) => "pull_request_target" in readYaml<Workflow>(`github/${file}`).on)).toEqual(
    [],
  );
});

test("a change is planned against its merge base, without credentials, also from a fork", () => {
  const { jobs, permissions } = readYaml<Workflow>("github/plan.yml");
  const { steps = [], environment, permissions: own } = jobs["plan"]!;
  expect({ permissions, own, environment }).toEqual({ permissions: { contents: "read" } });
  expect(steps.find(({ uses }) => uses?.startsWith("actions/checkout"))).toMatchObject({
    with: { "persist-credentials": false, "fetch-depth": 0 },
  });
  const gitlab = readYaml<Record<string, Record<string, unknown>>>(`gitlab/${GITLAB}`)["plan"]!;
  expect(gitlab).toMatchObject({ extends: ".merge-request", variables: { GIT_DEPTH: 0 } });
  for (const typed of [commandOf("plan.yml", "plan", "npm run plan"), String(gitlab["script"])]) {
    expect(typed).toContain('npm run --silent plan -- --environment "$ENVIRONMENT" --output');
    expect(typed).not.toContain("--live");
  }
});

test("jobs with the writing role run only the reviewed plan, and no code of the repository or of npm", () => {
  const { steps = [], environment } = readYaml<Workflow>("github/deploy-environment.yml").jobs["apply"]!;
  expect(environment).toBe("${{ inputs.environment }}");
  const typed = steps.flatMap(({ run: command }) => command ?? []).join("\n");
  expect(typed).not.toMatch(/\b(?:npm|npx|node|python\d?)\b/);
  expect(steps.filter(({ uses }) => uses?.startsWith("actions/checkout"))).toEqual([]);
  expect(typed).toMatch(/sha256sum --check[^]*apply -input=false plan\.tfplan/);
});

test("dev, staging and prod follow each other, and prod waits for approval", () => {
  const { jobs } = readYaml<Workflow>("github/deploy.yml");
  expect(Object.entries(jobs).map(([name, { needs }]) => [name, needs])).toEqual([
    ["dev", undefined],
    ["staging", "dev"],
    ["prod", "staging"],
  ]);
  const steps = readYaml<Record<string, { needs?: string[]; rules?: { when?: string }[] }>>(
    `gitlab/${GITLAB}`,
  );
  const before: Record<string, string[]> = {};
  for (const environment of ENVIRONMENTS) before[environment] = steps[`plan-${environment}`]?.needs ?? [];
  expect(before).toEqual({ dev: [], staging: ["apply-dev"], prod: ["apply-staging"] });
  for (const environment of ENVIRONMENTS)
    expect(steps[`apply-${environment}`]?.needs).toEqual([`plan-${environment}`]);
  expect(steps["apply-prod"]?.rules?.map(({ when }) => when)).toEqual(["manual"]);
});

test("the scripts and files that the workflows use exist", () => {
  const texts = [...FILES.map((file) => `github/${file}`), `gitlab/${GITLAB}`].map((file) =>
    readFileSync(join(ROOT, "ci", file), "utf8"),
  );
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
  const typed = (pattern: RegExp): string[] => [
    ...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name!))),
  ];
  const verbs = typed(/npm run (?:--silent )?(\w+)/g);
  expect(verbs).toEqual(expect.arrayContaining(["current", "plan"]));
  expect(verbs.filter((verb) => !(verb in scripts))).toEqual([]);
  const files = typed(/cp (ci\/\S+)/g);
  expect(files).toEqual(["ci/terraform.lock.hcl"]);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
