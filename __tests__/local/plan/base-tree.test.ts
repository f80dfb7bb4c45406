import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { findBase } from "../../../local/plan/base";
import { checkOut, linkModules, lockOf } from "../../../local/plan/base-tree";
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
  await linkModules(
    { name: "HEAD", commit: "1".repeat(40), tree: "2", notes: [] },
    folder,
    (text) => void notes.push(text),
  );
  expect(readlinkSync(join(folder, "node_modules"))).toBe(join(ROOT, "node_modules"));
  expect(notes).toEqual([]);
});

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
