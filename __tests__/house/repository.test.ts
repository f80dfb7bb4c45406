import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));

test("the lock file names no registry, so that anybody's registry serves", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { resolved?: string }>;
  };
  const resolved = Object.entries(lock.packages).filter(([, entry]) => entry.resolved?.startsWith("http"));
  expect(resolved).toEqual([]);
});

test("each jar of the repository is the one that the table of dependencies names", () => {
  const table = readFileSync(join(root, "docs", "reference", "dependencies.md"), "utf8");
  const jars = tracked.filter((file) => file.endsWith(".jar"));
  expect(jars).toHaveLength(1);
  for (const jar of jars) {
    const hash = createHash("sha256")
      .update(readFileSync(join(root, jar)))
      .digest("hex");
    expect(table).toContain(`SHA-256 \`${hash}\``);
  }
});

test("every dependency is pinned to one version", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    string,
    Record<string, string>
  >;
  const loose = Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.overrides,
  }).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  expect(loose).toEqual([]);
});

test("the embedded AWS names the versions that requirements.txt installs", () => {
  const installed = readFileSync(join(root, "requirements.txt"), "utf8").split("\n");
  const named = readFileSync(join(root, "embedded-aws", "pyproject.toml"), "utf8").match(
    /[\w-]+==[\d.]+(?=")/g,
  );
  expect(named).toContain("ministack==1.5.33");
  expect(named?.filter((requirement) => !installed.includes(requirement))).toEqual([]);
});

test("every dependency has a row with its reason in docs/reference/dependencies.md", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    string,
    Record<string, string>
  >;
  const page = readFileSync(join(root, "docs", "reference", "dependencies.md"), "utf8");
  const missing = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    (name) => !page.includes(`\`${name}\``),
  );
  expect(missing).toEqual([]);
});

test("no test is skipped or left alone", () => {
  const skipping =
    /\b(?:it|test|describe)\.(?:skip|only|todo)\b|pytest\.mark\.(?:skip|xfail)\b|pytest\.skip\(/;
  const offenders = tracked
    .filter((file) => /\.(test\.ts|py)$/.test(file) && file !== "__tests__/house/repository.test.ts")
    .filter((file) => skipping.test(readFileSync(join(root, file), "utf8")));
  expect(offenders).toEqual([]);
});

test("synth depends on no clock and no chance", () => {
  const unstable = /Date\.now\(|new Date\(\)|Math\.random\(|process\.cwd\(\)|randomUUID/;
  const offenders = tracked
    .filter((file) => /^(modules|environments)\/.*\.ts$/.test(file) || file === "main.ts")
    .filter((file) => unstable.test(readFileSync(join(root, file), "utf8")));
  expect(offenders).toEqual([]);
});

test("notebooks are shipped without output, which may hold rows", () => {
  const notebooks = tracked.filter((file) => file.endsWith(".ipynb"));
  expect(notebooks.length).toBeGreaterThan(0);
  const withOutput = notebooks.filter((file) => {
    const { cells } = JSON.parse(readFileSync(join(root, file), "utf8")) as {
      cells: { outputs?: unknown[]; execution_count?: number | null }[];
    };
    return cells.some(
      ({ outputs = [], execution_count: count = null }) => outputs.length > 0 || count !== null,
    );
  });
  expect(withOutput).toEqual([]);
});
