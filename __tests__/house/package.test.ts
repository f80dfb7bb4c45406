import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { GLUE_SCRIPTS } from "../../index";
import { ROOT } from "../support/clone";
import { readPage } from "../support/page";

/** The library as others install it. That what is packed works, bench/foreign-repository.test.ts shows. */

const EXAMPLE = join("examples", "parcel-scans");
const PAGE = join("docs", "use-the-library.md");

type Versions = Readonly<Record<string, string>>;
interface Manifest {
  readonly dependencies: Versions;
  readonly devDependencies: Versions;
  readonly peerDependencies: Versions;
}

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), "utf8");
const manifestOf = (...path: string[]): Manifest => JSON.parse(read(...path, "package.json")) as Manifest;

function filesBelow(folder: string, name: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file))
    .filter((file) => name.test(file) && statSync(join(ROOT, file)).isFile())
    .sort();
}

/** The folders whose compiled files are in it, beside index.ts. */
const SHIPPED = ["patterns", "modules", "contracts", "definition-checks", "plan-review"];

describe("the package", () => {
  const packed = (
    JSON.parse(
      execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
        cwd: ROOT,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    ) as { files: { path: string }[] }[]
  )[0]!.files.map(({ path }) => path);

  test("holds every definition and every Python file of a job or a function, and no test, cache or source", () => {
    const wanted = [
      ...filesBelow("step-functions", /\.asl\.json$/),
      ...["compiler", "etl", "functions", "jobs"].flatMap((folder) =>
        filesBelow(join("glue-scripts", folder), /\.(py|json)$|py\.typed$/),
      ),
      ...filesBelow(join("glue-scripts", "jars"), /\.jar$/),
    ];
    expect(wanted.length).toBeGreaterThan(30);
    const compiled = packed.filter((file) => file.startsWith("dist/"));
    const others = packed.filter((file) => !file.startsWith("dist/"));
    expect(others.sort()).toEqual(
      ["CHANGELOG.md", "LICENSE", "README.md", "bin/cdktf-aws-etl.cjs", "package.json", ...wanted].sort(),
    );
    expect(
      compiled.filter(
        (file) => !new RegExp(`^dist/(index|(${SHIPPED.join("|")})/.+)\\.(js|json|d\\.ts)$`).test(file),
      ),
    ).toEqual([]);
  });

  test("asks for what its sources import, and for nothing more", () => {
    const { dependencies, peerDependencies } = manifestOf();
    const imported = SHIPPED.flatMap((folder) => filesBelow(folder, /\.ts$/)).flatMap((file) =>
      [...read(file).matchAll(/from "((?:@[^/"]+\/)?[^./"@][^/"]*)[^"]*"/g)].map(([, name]) => name!),
    );
    const packages = [...new Set(imported)].filter((name) => !name.startsWith("node:"));
    expect(packages.sort()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).sort());
    expect(peerDependencies).toEqual({
      "@cdktf/provider-aws": "^20.1.0",
      cdktf: "^0.21.0",
      constructs: "^10.4.2",
    });
  });

  test("reads files by one rule only: below the package's root", () => {
    // Messages and comments may speak of it.
    const codeOf = (file: string) => read(file).replaceAll(/`[^`]*`|"[^"\n]*"|\/\*.*?\*\/|\/\/[^\n]*/gs, "");
    const readers = SHIPPED.flatMap((folder) => filesBelow(folder, /\.ts$/)).filter((file) =>
      /__dirname|__filename|import\.meta|require\.resolve/.test(codeOf(file)),
    );
    expect(readers).toEqual([join("modules", "core", "package-root.ts")]);
  });

  test("tells where the shipped Python lies", () => {
    expect(readdirSync(GLUE_SCRIPTS.etl)).toContain("__init__.py");
    expect(readdirSync(GLUE_SCRIPTS.jobs)).toContain("transform_deliveries.py");
    expect(readdirSync(GLUE_SCRIPTS.functions)).toContain("count_objects");
  });
});

describe("the page for other repositories", () => {
  test("has exactly the files of the example, and copies its second pipeline", () => {
    const { files, commands } = readPage(PAGE);
    expect(commands).toContain('cp -R "$CHECKOUT/examples/parcel-scans/shipments" .\n');
    const names = filesBelow(EXAMPLE, /./).filter(
      (file) => !/README\.md$|__pycache__|\.plan\.json$|\/shipments\//.test(file),
    );
    expect(files).toEqual(
      Object.fromEntries(names.map((file) => [file.slice(EXAMPLE.length + 1), read(file)])),
    );
  });

  test.each(readdirSync(join(ROOT, "examples")))(
    "%s has the versions that the library is tested with",
    (name) => {
      const own = manifestOf();
      const { dependencies, devDependencies } = manifestOf("examples", name);
      const { "cdktf-aws-etl": tarball, ...others } = { ...dependencies, ...devDependencies };
      expect(own.devDependencies).toMatchObject(others);
      const { version } = JSON.parse(read("package.json")) as { version: string };
      expect(tarball).toBe(`file:cdktf-aws-etl-${version}.tgz`);
    },
  );
});
