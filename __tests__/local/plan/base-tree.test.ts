import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { findBase } from "../../../local/plan/base";
import { checkOut, giveModules, lockOf } from "../../../local/plan/base-tree";
import { Git } from "../../../local/plan/git";
import { ROOT } from "../../support/clone";
import { newFolder, newRepository, removeFolders, type Repository } from "./repositories";

afterAll(removeFolders);

async function checkedOut(repository: Repository, ref = "HEAD"): Promise<string> {
  const git = new Git(repository.folder);
  const folder = join(newFolder(), "tree");
  await checkOut(await findBase({ environment: "dev", given: ref, variables: {} }, git), folder, git);
  return folder;
}

/** Every file below `.git` with its size and time: what a command may have changed. */
function tracesIn({ folder }: Repository): string[] {
  const entries = readdirSync(join(folder, ".git"), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`)
    .sort();
}

test("the files are those of the commit, also such that an archive leaves out, and the clone stays as it is", async () => {
  const repository = newRepository();
  repository.commit({
    "main.ts": "base",
    "gone.ts": "base",
    ".gitattributes": "docs export-ignore\nversion.ts export-subst\n",
    "docs/page.md": "page",
    "version.ts": "$Format:%H$",
  });
  repository.commit({ "main.ts": "change" });
  repository.write("main.ts", "not committed");
  repository.write("new.ts", "not committed");
  const [traces, status] = [tracesIn(repository), repository.git("status", "--porcelain")];
  const before = tracesIn(repository); // `status` may refresh the index
  const folder = await checkedOut(repository, "HEAD~1");
  expect(readdirSync(folder).sort()).toEqual([".gitattributes", "docs", "gone.ts", "main.ts", "version.ts"]);
  expect(readFileSync(join(folder, "main.ts"), "utf8")).toBe("base");
  expect(readFileSync(join(folder, "docs", "page.md"), "utf8")).toBe("page");
  expect(readFileSync(join(folder, "version.ts"), "utf8")).toBe("$Format:%H$");
  expect(tracesIn(repository)).toEqual(before);
  expect(traces.length).toBe(before.length);
  expect(repository.git("status", "--porcelain")).toBe(status);
  expect(readdirSync(join(folder, ".."))).toEqual(["tree"]);
});

test("a sparse checkout has a whole base", async () => {
  const repository = newRepository();
  repository.commit({ "main.ts": "base", "docs/page.md": "page" });
  repository.git("sparse-checkout", "set", "--no-cone", "/main.ts");
  expect(existsSync(join(repository.folder, "docs"))).toBe(false);
  expect(existsSync(join(await checkedOut(repository), "docs", "page.md"))).toBe(true);
});

test("a linked worktree has a base too", async () => {
  const repository = newRepository();
  repository.commit({ "main.ts": "base" });
  const linked = { folder: join(newFolder(), "linked") } as Repository;
  repository.git("worktree", "add", "-q", linked.folder);
  expect(readdirSync(await checkedOut(linked))).toEqual(["main.ts"]);
});

test("a base with the present lock file uses the present node modules", async () => {
  const repository = newRepository();
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Record<string, unknown>;
  // A release changes the project's own version in it.
  repository.commit({ "package-lock.json": JSON.stringify({ ...lock, version: "9.9.9" }) });
  const folder = await checkedOut(repository);
  const notes: string[] = [];
  await giveModules(
    { name: "HEAD", commit: "1".repeat(40), tree: "2", notes: [] },
    folder,
    (text) => void notes.push(text),
  );
  expect(readlinkSync(join(folder, "node_modules"))).toBe(join(ROOT, "node_modules"));
  expect(notes).toEqual([]);
});

/** A project whose only dependency is a file or a folder of its own, so that no registry is asked. */
function ownModules(specifier: string, locked: Readonly<Record<string, object>>): Record<string, string> {
  const project = { name: "old", version: "1.0.0", dependencies: { left: specifier } };
  return {
    "package.json": JSON.stringify(project),
    "left/package.json": JSON.stringify({ name: "left", version: "1.0.0" }),
    "package-lock.json": JSON.stringify({
      ...{ name: "old", version: "1.0.0", lockfileVersion: 3 },
      packages: { "": project, ...locked },
    }),
  };
}

const OLD = { name: "old", commit: "1".repeat(40), tree: "2", notes: [] };

test("a base with another lock file gets node modules of its own, and says so", async () => {
  const repository = newRepository();
  repository.commit(
    ownModules("file:left", {
      left: { version: "1.0.0" },
      "node_modules/left": { resolved: "left", link: true },
    }),
  );
  const folder = await checkedOut(repository);
  const notes: string[] = [];
  await giveModules(OLD, folder, (text) => void notes.push(text));
  expect(readdirSync(join(folder, "node_modules"))).toContain("left");
  expect(notes).toEqual([
    "package-lock.json of the base differs: installing its node modules, which takes a minute or more",
  ]);
}, 60_000);

test("node modules that cannot be installed are reported with what to do", async () => {
  const repository = newRepository();
  repository.commit(
    ownModules("file:left.tgz", { "node_modules/left": { version: "1.0.0", resolved: "file:left.tgz" } }),
  );
  const folder = await checkedOut(repository);
  await expect(giveModules(OLD, folder, () => undefined)).rejects.toThrow(
    "the node modules of the base old (1111111111) cannot be installed\n" +
      "Check the network and the registry settings, or name a base with the present package-lock.json. npm says:\n" +
      "npm error code ENOENT",
  );
}, 60_000);

test("two lock files are the same when they install the same", () => {
  const at = (text: string): string => {
    const repository = newRepository();
    repository.write("package-lock.json", text);
    return lockOf(repository.folder)!;
  };
  const locked = (own: string, cdktf: string) =>
    at(JSON.stringify({ packages: { "": { version: own }, "node_modules/cdktf": { version: cdktf } } }));
  expect(locked("1", "0.21.0")).toBe(locked("2", "0.21.0"));
  expect(locked("1", "0.21.0")).not.toBe(locked("1", "0.21.1"));
  expect(lockOf(newFolder())).toBeUndefined();
});
