import { type CiTarget, ciTarget } from "./ci-target";
import { Git } from "./git";
import { NoVerdict } from "./no-verdict";

/** The commit that a change is compared with. */
export interface Base {
  /** As the user, or the CI service, named it: `main`, or `the merge base with origin/main`. */
  readonly name: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** The hash of this project's files in the commit: the same for commits that do not differ in them. */
  readonly tree: string;
  /** Sentences for the page and the screen. */
  readonly notes: readonly string[];
}

/** The user's wish, and the variables of the process. */
export interface Asked {
  readonly environment: string;
  /** The value of `--base`. @default the merge base with the branch that the CI service names */
  readonly given?: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds the base in the repository. Nothing is fetched.
 *
 * @throws NoVerdict saying what to type, where no base is named, or the named one is not in this clone
 */
export async function findBase({ environment, given, variables }: Asked, git = new Git()): Promise<Base> {
  const target = given === undefined ? ciTarget(variables) : undefined;
  await refuseOutsideRepository(git, given !== undefined || target !== undefined);
  if (given !== undefined) return givenBase(given.trim(), git);
  if (target !== undefined) return mergeBase(target, git);
  throw new NoVerdict(
    [
      "there is nothing to compare with",
      "Type one of these:",
      `  npm run plan -- --environment ${environment} --base ${await likelyBase(git)}`,
      `  npm run plan -- --environment ${environment} --live`,
      "The first compares with what that commit synthesises, and needs no account; the second with what is deployed, with your credentials.",
    ].join("\n"),
  );
}

/** The short form of a commit, e.g. `1a2b3c4d5e`. */
export const short = (commit: string): string => commit.slice(0, 10);

async function refuseOutsideRepository(git: Git, isNamed: boolean): Promise<void> {
  const { ok, complaint } = await git.ask(["rev-parse", "--is-inside-work-tree"]);
  if (ok) return;
  const why = isNamed ? "a base needs a git repository" : "there is nothing to compare with";
  throw new NoVerdict(
    `${why}, and this folder is in no repository that git can read\nClone it with git, or use --live. git says:\n${complaint}`,
  );
}

async function givenBase(ref: string, git: Git): Promise<Base> {
  if (ref === "") throw new NoVerdict("--base is empty\nName a commit, a branch or a tag, e.g. --base main.");
  const commit = await commitOf(ref, git);
  if (commit === undefined) throw new NoVerdict(await missingText(ref, git));
  return { name: ref, commit, tree: await treeOf(commit, git), notes: await aheadNotes(ref, commit, git) };
}

async function mergeBase(target: CiTarget, git: Git): Promise<Base> {
  const { variable, branch } = target;
  const named = [`origin/${branch}`, branch, ...(target.commit === undefined ? [] : [target.commit])];
  for (const ref of named) {
    if ((await commitOf(ref, git)) === undefined) continue;
    const commit = await git.find("merge-base", "HEAD", ref);
    if (commit === undefined) continue;
    const name = `the merge base with ${ref === target.commit ? `${short(ref)}, a commit of ${branch}` : ref}`;
    const notes = [`${variable} names the target branch.`];
    return { name, commit, tree: await treeOf(commit, git), notes };
  }
  const shallow = await isShallow(git);
  throw new NoVerdict(
    `the commit that HEAD has in common with ${branch} is not in this clone${shallow ? ", which is shallow" : ""}\n` +
      `${variable} names ${branch} as the target branch. ` +
      (shallow
        ? "Let the service fetch the whole history (GitHub: fetch-depth: 0 of actions/checkout; GitLab: GIT_DEPTH: 0)"
        : `Type git fetch origin ${branch}:refs/remotes/origin/${branch}`) +
      ", or name a commit with --base.",
  );
}

const commitOf = (ref: string, git: Git): Promise<string | undefined> =>
  git.find("rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`);

const isShallow = async (git: Git): Promise<boolean> =>
  (await git.find("rev-parse", "--is-shallow-repository")) === "true";

/** This project may be a folder of a larger repository. */
async function treeOf(commit: string, git: Git): Promise<string> {
  const prefix = (await git.find("rev-parse", "--show-prefix")) ?? "";
  const tree = await git.find("rev-parse", "--verify", "--quiet", `${commit}:${prefix.replace(/\/$/, "")}`);
  if (tree === undefined)
    throw new NoVerdict(
      `the commit ${short(commit)} has no folder ${prefix}\nName a commit that has it, e.g. --base HEAD.`,
    );
  return tree;
}

async function missingText(ref: string, git: Git): Promise<string> {
  if (!(await isShallow(git)))
    return `there is no commit '${ref}' in this clone\nCheck the name, or fetch it first: git fetch origin ${ref}`;
  const shallow = `'${ref}' is not in this clone, which is shallow`;
  // A name relative to another commit cannot be fetched.
  if (/[~^@:]/.test(ref)) return `${shallow}\nType git fetch --deepen=100, then the same command again.`;
  const isHash = /^[0-9a-f]{40}$/.test(ref);
  const then = isHash ? "the same command again" : "the command with --base FETCH_HEAD";
  return `${shallow}\nType git fetch --depth=1 origin ${ref.replace(/^origin\//, "")}, then ${then}.`;
}

/** A base that went on has changes which the working tree lacks, and the plan takes them back. */
async function aheadNotes(ref: string, commit: string, git: Git): Promise<string[]> {
  if (await isShallow(git)) return [];
  const behind = Number(await git.find("rev-list", "--count", `HEAD..${commit}`));
  const common = await git.find("merge-base", "HEAD", commit);
  if (!(behind > 0) || common === undefined || common === commit) return [];
  const commits = behind === 1 ? "1 commit" : `${behind} commits`;
  return [
    `\`${ref}\` has ${commits} that this branch lacks, so the plan takes them back; for this branch alone: \`--base ${short(common)}\`.`,
  ];
}

/** A ref to suggest: the remote's main branch, else a local one, else the last commit. */
async function likelyBase(git: Git): Promise<string> {
  const head = await git.find("rev-parse", "--abbrev-ref", "origin/HEAD");
  for (const ref of [...(head === undefined ? [] : [head]), "origin/main", "main", "master"])
    if ((await commitOf(ref, git)) !== undefined) return ref;
  return "HEAD";
}

/** How the working tree differs from its last commit: what is planned is what lies on disk. */
export async function changeText(git = new Git()): Promise<string> {
  const head = await git.find("rev-parse", "--verify", "--quiet", "HEAD");
  const status = await git.ask(["status", "--porcelain", "--untracked-files=all", "--", "."]);
  const files = status.text === "" ? 0 : status.text.split("\n").length;
  const more = files === 0 ? "" : ` with ${files === 1 ? "1 file" : `${files} files`} not committed`;
  return `the working tree (${head === undefined ? "no commit" : short(head)}${more})`;
}
