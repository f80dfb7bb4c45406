/**
 * Who may import whom: one line a room. A configuration of dependency-cruiser, which judges by the file an import resolves to,
 * imports of types included: npx depcruise --config import-directions.js .
 * Packages, such as the AWS provider, are judged by package-imports.js.
 */

const PURE = ["core", "schedules", "contracts"];
const FOUNDATIONS = ["iam", "encryption", "artifacts", ...PURE, "definition-checks"];
const LIBRARY = ["constructs", ...FOUNDATIONS];

/** Every room: where its files are, and which rooms they may import beside their own. */
const ROOMS = {
  main: { files: "^(main|state)\\.ts$", imports: ["environments"] },
  environments: { files: "^environments/", imports: ["pipelines", "patterns", "index.ts", ...PURE] },
  pipelines: { files: "^pipelines/", imports: ["patterns", "index.ts", ...PURE] },
  // Read before a stack is made, and by commands that make none.
  settings: {
    files: "^(environments|pipelines)/[a-z-]*settings\\.ts$|^environments/(budget|dev|staging|prod)\\.ts$",
    imports: ["environments", "pipelines", ...PURE],
  },
  "index.ts": { files: "^index\\.ts$", imports: ["patterns", ...LIBRARY] },
  patterns: { files: "^patterns/", imports: LIBRARY },
  // A construct's own room is its folder.
  constructs: {
    files: "^modules/(?!core/|schedules/|iam/|encryption/|artifacts/)([^/]+)/",
    imports: FOUNDATIONS,
  },
  artifacts: { files: "^modules/artifacts/", imports: ["core"] },
  encryption: { files: "^modules/encryption/", imports: ["iam", "core"] },
  iam: { files: "^modules/iam/", imports: ["core"] },
  "plan-review": { files: "^plan-review/", imports: ["core", "schedules"] },
  "definition-checks": { files: "^definition-checks/", imports: ["core", "schedules"] },
  contracts: { files: "^contracts/", imports: ["core", "schedules"] },
  schedules: { files: "^modules/schedules/", imports: ["core"] },
  core: { files: "^modules/core/", imports: [] },
  local: {
    files: "^local/",
    imports: ["environments", "pipelines", "index.ts", "plan-review", "definition-checks", ...PURE],
  },
};

/** These may import every room, and no room may import them. */
const FREE = "^(tools|__tests__|examples|bin)/|^[^/]+\\.(js|mjs)$";

/** What to do instead, where there is more to say than for every room. */
const INSTEAD = {
  main: "Do it in environments/.",
  environments: "Import the library by its public surface, index.ts.",
  pipelines: "Import the library by its public surface, index.ts, and take settings as an argument.",
  constructs: "Sibling constructs meet in patterns/, by IGrantable, metrics, names and ARNs.",
};

function direction([room, { files, imports }]) {
  const own = room === "constructs" ? "^modules/$1/" : files;
  const allowed = imports.length === 0 ? "nothing" : imports.join(", ");
  const instead =
    INSTEAD[room] ?? "Move what both need to a room that both may import, or pass it as a value.";
  return {
    name: room,
    severity: "error",
    comment: `${room} may import ${allowed} of the other rooms. ${instead}`,
    from: { path: files },
    to: { dependencyTypes: ["local"], pathNot: [own, ...imports.map((name) => ROOMS[name].files)] },
  };
}

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).map(direction),
    {
      name: "no room",
      severity: "error",
      comment: "The file is in no room. Move it to one, or add its room to import-directions.js.",
      from: { pathNot: [FREE, ...Object.values(ROOMS).map(({ files }) => files)] },
      to: {},
    },
    {
      name: "circle",
      severity: "error",
      comment: "The files import each other in a circle. Move what both need to a file that both import.",
      from: { pathNot: "^examples/" },
      to: { circular: true },
    },
    {
      name: "not found",
      severity: "error",
      comment: "The import leads to no file, so its direction cannot be judged. Correct the path.",
      from: { pathNot: FREE },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    // No file imports a test, and a test may import everything.
    exclude: {
      path: "(^|/)node_modules/|\\.test\\.ts$|^(\\.[^./][^/]*|dist|cdktf\\.out|coverage|embedded-aws|glue-scripts|tools/benchmarks/peer)/",
    },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["require", "node", "types", "default"],
    },
  },
};
