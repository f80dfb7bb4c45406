// Brings a fresh clone to a runnable state, then runs a program. Depends on nothing but Node, because it runs before
// `npm ci` was ever typed; says what it does before it does it, and is quick when there is nothing to do.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { withLock } from "./setup-lock.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const setup = join(root, ".setup");

/** Each Spark has a Python environment and jars of its own. The suffix is part of their names. */
const SPARK_3 = { suffix: "", environment: "Python environment", jars: "Spark's jars" };
const SPARK_4 = { suffix: "-spark4", environment: "Python environment for Spark 4", jars: "Spark 4's jars" };

/** The checkers of workflows and plans: a Python environment of their own, without jars. */
const CHECKS = { suffix: "-checks", environment: "Python environment for checks" };

/** The JDBC drivers that Glue has, and a PostgreSQL: for sources that are databases. */
const JDBC = { suffix: "-jdbc", jars: "JDBC drivers" };
const POSTGRES = { folder: "postgres", list: join("local", "postgres-programs.json") };

/** JupyterLab: without Spark, which a session lends it. */
const NOTEBOOK = { suffix: "-notebook", environment: "JupyterLab" };

/** How npm, pip and Ivy report an unreachable registry. */
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|name resolution|NewConnectionError|UnknownHostException|unresolved dependency/i;

/** A mistake that the user can fix; shown without a stack trace. */
class SetupError extends Error {}

/** The words of `--needs`: a tool of the computer, or what is installed with one. Node and its modules are always needed. */
const TOOLS = { python: findPython, java: findJava, terraform: findTerraform };
const INSTALLED = { spark4: SPARK_4, checks: CHECKS, notebook: NOTEBOOK, jdbc: JDBC, postgres: POSTGRES };

const USAGE =
  "node tools/setup.mjs [--needs WORDS] [--with=OPTION:WORDS] [--without=OPTION:WORDS] [PROGRAM [ARGUMENTS]]";

/**
 * Finds the tools, installs what is missing, then runs the program. `--with=--live:java` adds the need for Java when the program has
 * the option `--live`; `--without=--live:python` removes the need for Python. Without a program it only installs.
 */
async function main(argv) {
  const { needs, program, args } = readCommand(argv);
  const tools = findPrerequisites(Object.keys(TOOLS).filter((tool) => needs.has(tool)));
  await withLock(setup, async () => {
    // In parallel: each of them mostly waits for a registry.
    const all = await Promise.allSettled([
      installNodeModules(),
      ...[SPARK_3, ...(needs.has("spark4") ? [SPARK_4] : [])].map(async (spark) => {
        if (tools.python !== undefined) await installPython(spark, tools.python);
        if (tools.java !== undefined) await fetchJars(spark, tools.java);
        if (spark === SPARK_3 && needs.has("jdbc")) await fetchJars(JDBC, tools.java);
        if (spark === SPARK_3 && needs.has("postgres")) await fetchPostgres(tools.java);
      }),
      ...(needs.has("checks") ? [installPython(CHECKS, tools.python)] : []),
      ...(needs.has("notebook") ? [installPython(NOTEBOOK, tools.python)] : []),
    ]);
    const failed = all.find(({ status }) => status === "rejected");
    if (failed !== undefined) throw failed.reason;
  });
  return program === undefined ? 0 : await runProgram(program, args);
}

/** Arguments before the program belong to set-up, those after it to the program. */
function readCommand(argv) {
  const awaitsValue = (word) => word !== undefined && /^--[^=]+$/.test(word);
  const at = argv.findIndex((word, index) => !word.startsWith("--") && !awaitsValue(argv[index - 1]));
  const [program, ...args] = at < 0 ? [] : argv.slice(at);
  const { values } = parsed({
    args: at < 0 ? argv : argv.slice(0, at),
    options: Object.fromEntries(
      ["needs", "with", "without"].map((name) => [name, { type: "string", multiple: true, default: [] }]),
    ),
  });
  const needs = new Set(values.needs.flatMap(words));
  for (const [option, names] of values.with.map(conditional))
    if (args.includes(option)) names.forEach((n) => needs.add(n));
  for (const [option, names] of values.without.map(conditional))
    if (args.includes(option)) names.forEach((n) => needs.delete(n));
  return { needs, program, args };
}

function parsed(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new SetupError(`${error.message}\n${USAGE}`);
  }
}

function conditional(text) {
  const colon = text.indexOf(":");
  return [text.slice(0, colon), words(text.slice(colon + 1))];
}

function words(text) {
  const all = text.split(",");
  const known = [...Object.keys(TOOLS), ...Object.keys(INSTALLED)];
  const unknown = all.filter((word) => !known.includes(word));
  if (unknown.length > 0)
    throw new SetupError(
      `unknown need '${unknown.join("', '")}'; known needs: ${known.join(", ")}\n${USAGE}`,
    );
  return all;
}

// ---- prerequisites ---------------------------------------------------------------------------------------------------

/** Finds every needed tool. All missing or wrong ones are reported at once. */
function findPrerequisites(needs) {
  const mistakes = [];
  const tools = {};
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (!((major === 20 && minor >= 19) || major === 22)) {
    mistakes.push(`Node ${process.versions.node} is not supported: install Node 22 (or 20.19 and later)`);
  }
  for (const tool of needs) {
    const found = TOOLS[tool]();
    if (found.mistake === undefined) tools[tool] = found.command;
    else mistakes.push(found.mistake);
  }
  if (mistakes.length > 0) throw new SetupError(mistakes.join("\n"));
  return tools;
}

function findPython() {
  const candidates = [process.env.PYTHON, "python3.11", "python3", "python"].filter(Boolean);
  const seen = [];
  for (const command of candidates) {
    const version = answer(command, ["--version"])?.match(/Python (\S+)/)?.[1];
    if (version?.startsWith("3.11.")) return { command };
    if (version !== undefined) seen.push(version);
  }
  const found = seen.length === 0 ? "found none" : `found ${[...new Set(seen)].join(", ")}`;
  return { mistake: `Python 3.11 (that of Glue 5.1) is needed, ${found}: install it, or set PYTHON to it` };
}

function findJava() {
  const home = process.env.JAVA_HOME;
  const command = home ? join(home, "bin", "java") : "java";
  const version = answer(command, ["-version"])?.match(/version "(\d+)[^"]*"/)?.[1];
  if (version === "17") return { command };
  const found = version === undefined ? "found none" : `found ${version}`;
  const where = home ? ` in JAVA_HOME (${home})` : "";
  return { mistake: `Java 17 is needed by Spark, ${found}${where}: install it, and set JAVA_HOME to it` };
}

function findTerraform() {
  const version = answer("terraform", ["version"])?.match(/Terraform v(\d+)\.(\d+)\.(\d+)/);
  const remedy = "install Terraform 1.11 or later and put it on the PATH";
  if (!version) return { mistake: `Terraform is needed, found none: ${remedy}` };
  const [text, major, minor] = version;
  if (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 11)) return { command: "terraform" };
  return {
    mistake: `Terraform 1.11 or later is needed, found ${text.replace("Terraform v", "")}: ${remedy}`,
  };
}

function answer(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return error || status !== 0 ? undefined : `${stdout}${stderr}`;
}

// ---- what is installed -----------------------------------------------------------------------------------------------

async function installNodeModules() {
  const stamp = stampOf("node-modules", ["package-lock.json"], process.versions.node.split(".")[0]);
  if (stamp.isCurrent() && existsSync(join(root, "node_modules", ".package-lock.json"))) return;
  await step("node modules", async () => {
    await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    stamp.write();
  });
}

function venvOf({ suffix }) {
  return join(setup, `venv${suffix}`);
}

function pythonOf(spark) {
  return join(venvOf(spark), "bin", "python");
}

async function installPython(spark, command) {
  const { suffix } = spark;
  const requirements = `requirements${suffix}.txt`;
  const python = pythonOf(spark);
  const stamp = stampOf(`python${suffix}`, [requirements]);
  if (stamp.isCurrent() && answer(python, ["--version"]) !== undefined) return;
  await step(spark.environment, async () => {
    rmSync(venvOf(spark), { recursive: true, force: true });
    await run(command, ["-m", "venv", venvOf(spark)]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await run(python, [...pip, "--requirement", join(root, requirements)]);
    stamp.write();
  });
}

/** The jars of a list are fetched, and each jar's hash is checked. */
async function fetchJars({ suffix, jars: what }, java) {
  const list = join("embedded-aws", `jars${suffix}.json`);
  const { packages, exclude, sha256 } = JSON.parse(readFileSync(join(root, list), "utf8"));
  const jars = join(setup, `jars${suffix}`);
  const stamp = stampOf(`jars${suffix}`, [list]);
  if (stamp.isCurrent() && Object.keys(sha256).every((file) => existsSync(join(jars, file)))) return;
  await step(what, async () => {
    // All jars of the folder are on the class path, so those of an older list must go.
    rmSync(jars, { recursive: true, force: true });
    mkdirSync(jars, { recursive: true });
    const ivy = join(setup, `ivy${suffix}`);
    await fetchPackages(
      { packages, exclude, ivy, spark: suffix === SPARK_4.suffix ? SPARK_4 : SPARK_3 },
      java,
    );
    for (const [file, wanted] of Object.entries(sha256))
      placeJar(join(ivy, "jars", file), wanted, jars, file);
    stamp.write();
  });
}

/** Spark's own client fetches packages from the repositories that it is configured with, into `<ivy>/jars`. */
async function fetchPackages({ packages, exclude, ivy, spark }, java) {
  const nothing = join(setup, "nothing.py");
  writeFileSync(nothing, "");
  const bin = join(venvOf(spark), "bin");
  // Spark's launcher uses the first python3 on the path.
  const path = `${bin}:${process.env.PATH ?? ""}`;
  const javaHome = dirname(dirname(realJava(java)));
  const options = { JAVA_HOME: javaHome, PYSPARK_PYTHON: pythonOf(spark), PATH: path };
  const excluded = exclude.length === 0 ? [] : ["--exclude-packages", exclude.join(",")];
  await run(
    join(bin, "spark-submit"),
    [
      ...["--master", "local[1]", "--conf", `spark.jars.ivy=${ivy}`],
      ...["--packages", packages.join(","), ...excluded, nothing],
    ],
    options,
  );
}

/** The programs of PostgreSQL for this computer: a jar holds an archive that Python unpacks. */
async function fetchPostgres(java) {
  const { version, package: name, sha256 } = JSON.parse(readFileSync(join(root, POSTGRES.list), "utf8"));
  const platform = `${process.platform}-${{ x64: "amd64", arm64: "arm64v8" }[process.arch] ?? process.arch}`;
  const folder = join(setup, POSTGRES.folder);
  const stamp = stampOf(POSTGRES.folder, [POSTGRES.list], platform);
  if (stamp.isCurrent() && existsSync(join(folder, "bin", "postgres"))) return;
  if (sha256[platform] === undefined)
    throw new SetupError(
      `PostgreSQL for ${platform} is not listed, only for ${Object.keys(sha256).join(", ")}: use a computer of one of these kinds`,
    );
  await step("PostgreSQL", async () => {
    const ivy = join(setup, "ivy-postgres");
    await fetchPackages(
      { packages: [`${name}-${platform}:${version}`], exclude: [], ivy, spark: SPARK_3 },
      java,
    );
    const jar = `${name.replace(":", "_")}-${platform}-${version}.jar`;
    placeJar(join(ivy, "jars", jar), sha256[platform], ivy, "postgres.jar");
    const half = `${folder}.half`;
    rmSync(half, { recursive: true, force: true });
    await run(pythonOf(SPARK_3), [
      join(root, "tools", "unpack_postgres.py"),
      join(ivy, "postgres.jar"),
      half,
    ]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(half, folder);
    rmSync(ivy, { recursive: true, force: true });
    stamp.write();
  });
}

function placeJar(fetched, wanted, jars, file) {
  const got = createHash("sha256").update(readFileSync(fetched)).digest("hex");
  if (got !== wanted) {
    throw new SetupError(
      `${file} has the hash ${got}, expected ${wanted}: the file was changed; check your repositories`,
    );
  }
  const half = join(jars, `.${file}.half`);
  copyFileSync(fetched, half);
  renameSync(half, join(jars, file));
}

function realJava(java) {
  const home = answer(java, ["-XshowSettings:properties", "-version"])
    ?.match(/java\.home = (.+)/)?.[1]
    ?.trim();
  return home === undefined ? java : join(home, "bin", "java");
}

/** A stamp is written last, so that an interrupted step is repeated. */
function stampOf(name, files, extra = "") {
  const file = join(setup, `${name}.stamp`);
  const hash = createHash("sha256").update(extra);
  for (const source of files) hash.update(readFileSync(join(root, source)));
  const wanted = hash.digest("hex");
  return {
    isCurrent: () => existsSync(file) && readFileSync(file, "utf8") === wanted,
    write: () => writeFileSync(file, wanted),
  };
}

// ---- running ---------------------------------------------------------------------------------------------------------

/** Progress goes to standard error: the program's standard output may be data. */
async function step(what, body) {
  const started = Date.now();
  process.stderr.write(`installing ${what} …\n`);
  const alive = setInterval(() => process.stderr.write(`  … ${what}, ${seconds(started)} s\n`), 15_000);
  try {
    await body();
  } finally {
    clearInterval(alive);
  }
  process.stderr.write(`installed ${what} in ${seconds(started)} s\n`);
}

function seconds(started) {
  return ((Date.now() - started) / 1000).toFixed(0);
}

function run(command, args, variables = {}) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...variables };
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => reject(new SetupError(`cannot run ${command}: ${error.message}`)));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new SetupError(explain(command, output)));
    });
  });
}

/** One sentence about the failure. The tool's own output is kept in a file. */
function explain(command, output) {
  const log = join(setup, "failed.log");
  try {
    writeFileSync(log, output);
  } catch {
    // The disk may be full.
  }
  if (/ENOSPC|No space left on device/i.test(output))
    return "the disk is full: free some space and try again";
  if (UNREACHABLE.test(output)) {
    const remedy = "check the network or the registry settings and try again";
    return `the package registry cannot be reached: ${remedy} (the output of ${command} is in ${log})`;
  }
  return `${command} failed:\n${output.trim().split("\n").slice(-12).join("\n")}`;
}

/** Runs a program of this repository and returns its exit code. A TypeScript program notices our end when the channel closes. */
function runProgram(program, args) {
  const bin = join(root, "node_modules", "ts-node", "dist", "bin.js");
  const file = join(root, program);
  const typescript = program.endsWith(".ts") ? [bin, "--swc", "--project", join(root, "tsconfig.json")] : [];
  const argv = [...typescript, file, ...args];
  return new Promise((resolve) => {
    // The pinned SDK supports Node 20; the user cannot act on its warning about later versions.
    const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
    const stdio = ["inherit", "inherit", "inherit", "ipc"];
    const child = spawn(process.execPath, argv, { cwd: root, env, stdio });
    // The terminal interrupts the program too: it ends its children, then itself. Wait for it.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

/** The remedy for a file that cannot be written. */
function ofFileSystem({ code, path, message }) {
  if (code === "ENOSPC") return "the disk is full: free some space and try again";
  if (["EACCES", "EPERM", "EROFS"].includes(code)) return `cannot write ${path}: ${message}`;
  return undefined;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(error instanceof SetupError ? error.message : (ofFileSystem(error) ?? error));
    process.exitCode = 1;
  },
);
