import tseslint from "typescript-eslint";
import packageImports from "./package-imports.js";
import { EXEMPT, HELD, rule as plainEnglish } from "./plain-english.js";

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      "tools/benchmarks/peer/",
      "examples/",
      "cdktf.out/",
      "dist/",
      ".local/",
      ".setup/",
      "coverage/",
    ],
  },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ["**/*.ts"] })),
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      eqeqeq: "error",
    },
  },
  ...packageImports,
  {
    // The test judges the files of other languages.
    files: HELD.filter((pattern) => /(\*\*|\.ts)$/.test(pattern)).map((pattern) =>
      pattern.endsWith("**") ? `${pattern}/*.ts` : pattern,
    ),
    ignores: EXEMPT,
    plugins: { house: { rules: { "plain-english": plainEnglish } } },
    rules: { "house/plain-english": "error" },
  },
  {
    files: ["modules/**/*.ts", "patterns/**/*.ts", "contracts/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "env",
          message: "The library never reads the environment. Take a prop.",
        },
        { object: "process", property: "cwd", message: "Synth does not depend on the working directory." },
      ],
    },
  },
);
