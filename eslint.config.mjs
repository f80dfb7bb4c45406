import tseslint from "typescript-eslint";

// Who may import whom: main → environments → modules/index → modules/<construct> → modules/{iam,encryption} → modules/core.
const barrel = {
  regex: "^@cdktf/provider-aws$",
  message:
    "Import the deep path (@cdktf/provider-aws/lib/<resource>): the barrel costs seconds and half a gigabyte.",
};
const provider = {
  regex: "^@cdktf/provider-aws",
  message: "Only modules/ and environments/ know the AWS provider.",
};
const bench = { regex: "(^|/)local(/|$)", message: "Nothing knows the bench." };
const environments = { regex: "(^|/)environments(/|$)", message: "modules/ never imports environments/." };
const cdktf = { regex: "^(cdktf|constructs|@cdktf/)", message: "This file is pure: it imports no cdktf." };

const directions = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { "no-restricted-imports": ["error", { patterns }] },
});

// Kept free of cdktf, because the logic worth testing hardest lives there.
const PURE = [
  "modules/core/**/*.ts",
  "modules/iam/policy-statement.ts",
  "modules/iam/*-actions.ts",
  "modules/data-lake/zone.ts",
  "modules/glue-spark-job/job-arguments.ts",
  "modules/etl-orchestrator/state-machine-definition.ts",
  "modules/etl-orchestrator/asl-checks.ts",
  "environments/settings.ts",
  "environments/{dev,staging,prod}.ts",
];

export default tseslint.config(
  { ignores: ["node_modules/", "cdktf.out/", "dist/", ".local/", ".setup/", "coverage/"] },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ["**/*.ts"] })),
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      eqeqeq: "error",
      "no-console": "off",
    },
  },
  directions(
    ["main.ts"],
    [barrel, provider, bench, { regex: "^\\./modules", message: "main imports environments only." }],
  ),
  directions(
    ["environments/**/*.ts"],
    [
      barrel,
      bench,
      { regex: "modules/(?!index$).+", message: "Import the library's public surface, modules/index." },
    ],
  ),
  directions(["modules/index.ts"], [barrel, bench, environments]),
  directions(
    ["modules/core/**/*.ts"],
    [
      barrel,
      bench,
      environments,
      cdktf,
      { regex: "^\\.\\./", message: "core imports nothing of the project." },
    ],
  ),
  directions(
    ["modules/iam/**/*.ts"],
    [barrel, bench, environments, { regex: "^\\.\\./(?!core/)", message: "iam imports core only." }],
  ),
  directions(
    ["modules/encryption/**/*.ts"],
    [
      barrel,
      bench,
      environments,
      { regex: "^\\.\\./(?!core/|iam/)", message: "encryption imports core and iam only." },
    ],
  ),
  directions(
    ["modules/*/**/*.ts"],
    [
      barrel,
      bench,
      environments,
      {
        regex: "^\\.\\./(?!core/|iam/|encryption/)",
        message: "Sibling constructs do not import each other.",
      },
    ],
    ["modules/core/**", "modules/iam/**", "modules/encryption/**"],
  ),
  directions(PURE, [barrel, bench, environments, cdktf], ["modules/core/**"]),
  directions(["local/**/*.ts", "__tests__/**/*.ts"], [barrel]),
  {
    files: ["modules/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "modules/ never reads the environment." },
        { object: "process", property: "cwd", message: "Synth does not depend on the working directory." },
      ],
    },
  },
);
