import { changeText, findBase } from "../../../local/plan/base";
import { Git } from "../../../local/plan/git";
import { newFolder, newRepository, removeFolders, type Repository } from "./repositories";

/** The base is found in real repositories, whole and shallow. */

afterAll(removeFolders);

const ask = (at: Repository, given?: string, variables: Record<string, string> = {}) =>
  findBase({ environment: "prod", given, variables }, new Git(at.folder));

const refused = async (...args: Parameters<typeof ask>): Promise<string> =>
  ask(...args).then(
    ({ name }) => `found ${name}`,
    (error: Error) => error.message,
  );

/** `main` with two commits, and a branch that left after the first. */
function branched() {
  const origin = newRepository();
  const first = origin.commit({ "main.ts": "1" });
  const second = origin.commit({ "main.ts": "2" });
  origin.git("checkout", "-q", "-b", "mine", first);
  const mine = origin.commit({ "mine.ts": "1" });
  return { origin, first, second, mine };
}

test("a branch, a tag, a hash and a relative name are bases", async () => {
  const { origin, first, mine } = branched();
  origin.git("tag", "-a", "v1", "-m", "v1", first);
  for (const ref of ["v1", first, first.slice(0, 8), "HEAD~1"])
    expect(await ask(origin, ref)).toMatchObject({ name: ref, commit: first, notes: [] });
  expect(await ask(origin, "mine")).toMatchObject({ commit: mine });
});

test("a base that went on says so, and names the merge base", async () => {
  const { origin, first, second } = branched();
  const { commit, notes } = await ask(origin, "main");
  expect(commit).toBe(second);
  expect(notes).toEqual([
    "`main` has 1 commit that this branch lacks, so the plan takes them back; for this branch alone: " +
      `\`--base ${first.slice(0, 10)}\`.`,
  ]);
});

test("in a pull request the base is the merge base with the target branch", async () => {
  const { origin, first } = branched();
  const clone = origin.clone();
  clone.git("checkout", "-q", "mine");
  expect(await ask(clone, undefined, { GITHUB_BASE_REF: "main" })).toMatchObject({
    name: "the merge base with origin/main",
    commit: first,
    notes: ["GITHUB_BASE_REF names the target branch."],
  });
  // The user's word wins.
  expect(await ask(clone, "HEAD", { GITHUB_BASE_REF: "main" })).toMatchObject({ name: "HEAD" });
});

test("of a merge of the branch into its target, the base is the target", async () => {
  const { origin, second } = branched();
  const clone = origin.clone();
  clone.git("checkout", "-q", "--detach", "origin/main");
  clone.git("merge", "-q", "--no-ff", "-m", "merge", "origin/mine");
  expect(await ask(clone, undefined, { GITHUB_BASE_REF: "main" })).toMatchObject({ commit: second });
});

test("the commit that a service names stands in for a missing branch", async () => {
  const { origin, first } = branched();
  origin.git("branch", "-D", "-q", "main");
  const variables = {
    CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main",
    CI_MERGE_REQUEST_DIFF_BASE_SHA: first,
  };
  expect(await ask(origin, undefined, variables)).toMatchObject({
    name: `the merge base with ${first.slice(0, 10)}, a commit of main`,
    commit: first,
  });
});

test("without a base, the two commands to type are named", async () => {
  const { origin } = branched();
  const commands = (ref: string) =>
    "there is nothing to compare with\nType one of these:\n" +
    `  npm run plan -- --environment prod --base ${ref}\n  npm run plan -- --environment prod --live\n` +
    "The first compares with what that commit synthesises, and needs no account; the second with what is deployed, with your credentials.";
  expect(await refused(origin)).toBe(commands("main"));
  expect(await refused(origin.clone())).toBe(commands("origin/mine"));
});

const SHALLOW = "is not in this clone, which is shallow\nType git fetch";
test.each([
  ["v9", `'v9' ${SHALLOW} --depth=1 origin v9, then the command with --base FETCH_HEAD.`],
  ["origin/main", `'origin/main' ${SHALLOW} --depth=1 origin main, then the command with --base FETCH_HEAD.`],
  ["HEAD~1", `'HEAD~1' ${SHALLOW} --deepen=100, then the same command again.`],
  [
    "0".repeat(40),
    `'${"0".repeat(40)}' ${SHALLOW} --depth=1 origin ${"0".repeat(40)}, then the same command again.`,
  ],
])("a shallow clone lacks %s, and says how to fetch it", async (ref, message) => {
  expect(await refused(branched().origin.clone("--depth=1"), ref)).toBe(message);
});

test("what a shallow clone is asked to type works", async () => {
  const { origin, second } = branched();
  const clone = origin.clone("--depth=1");
  clone.git("fetch", "-q", "--depth=1", "origin", "main");
  expect(await ask(clone, "FETCH_HEAD")).toMatchObject({ commit: second });
});

test("a shallow clone in CI says which setting fetches the merge base", async () => {
  const clone = branched().origin.clone("--depth=1");
  expect(await refused(clone, undefined, { GITHUB_BASE_REF: "main" })).toBe(
    "the commit that HEAD has in common with main is not in this clone, which is shallow\n" +
      "GITHUB_BASE_REF names main as the target branch. Let the service fetch the whole history " +
      "(GitHub: fetch-depth: 0 of actions/checkout; GitLab: GIT_DEPTH: 0), or name a commit with --base.",
  );
});

test.each([
  [
    "main2",
    "there is no commit 'main2' in this clone\nCheck the name, or fetch it first: git fetch origin main2",
  ],
  [
    "--output=x",
    "there is no commit '--output=x' in this clone\nCheck the name, or fetch it first: git fetch origin --output=x",
  ],
  [" ", "--base is empty\nName a commit, a branch or a tag, e.g. --base main."],
])("the base %j is refused", async (ref, message) => {
  expect(await refused(branched().origin, ref)).toBe(message);
});

test("a folder that is in no repository is refused", async () => {
  const at = { folder: newFolder() } as Repository;
  expect(await refused(at, "main")).toMatch(
    /^a base needs a git repository, and this folder is in no repository that git can read\nClone it with git, or use --live. git says:\nfatal: not a git repository/,
  );
  expect(await refused(at)).toMatch(/^there is nothing to compare with, and this folder is in no repository/);
});

test("a project may be a folder of a larger repository", async () => {
  const whole = newRepository();
  const before = whole.commit({ "README.md": "1" });
  const first = whole.commit({ "etl/main.ts": "1" });
  const other = whole.commit({ "README.md": "2" });
  const etl = { folder: `${whole.folder}/etl` } as Repository;
  const trees = await Promise.all([first, other].map(async (ref) => (await ask(etl, ref)).tree));
  expect(trees).toEqual(Array(2).fill(whole.git("rev-parse", "HEAD:etl")));
  expect(await refused(etl, before)).toBe(
    `the commit ${before.slice(0, 10)} has no folder etl/\nName a commit that has it, e.g. --base HEAD.`,
  );
});

test("the working tree is planned as it lies on disk, and the page says how it differs from its commit", async () => {
  const repository = newRepository();
  const head = repository.commit({ "main.ts": "1", ".gitignore": "ignored" }).slice(0, 10);
  const git = new Git(repository.folder);
  expect(await changeText(git)).toBe(`the working tree (${head})`);
  repository.write("main.ts", "2");
  expect(await changeText(git)).toBe(`the working tree (${head} with 1 file not committed)`);
  repository.write("pipelines/new/pipeline.ts", "new");
  repository.write("pipelines/new/model.sql", "new");
  repository.write("ignored", "new");
  expect(await changeText(git)).toBe(`the working tree (${head} with 3 files not committed)`);
});

test("the repository of a hook that runs the command is not asked", async () => {
  const { origin, mine } = branched();
  const other = newRepository();
  other.commit({ "other.ts": "1" });
  process.env.GIT_DIR = `${other.folder}/.git`;
  try {
    expect(await ask(origin, "HEAD")).toMatchObject({ commit: mine });
  } finally {
    delete process.env.GIT_DIR;
  }
});
