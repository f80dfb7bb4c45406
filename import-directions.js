/**
 * Who may import whom, as eslint settings:
 * main → environments → index → modules/<construct> → modules/{iam,encryption,artifacts} → modules/core.
 */

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
const siblings = {
  regex: "^\\.\\./(?!core/|iam/|encryption/|artifacts/)",
  message: "Sibling constructs do not import each other.",
};
const library = {
  regex: "modules/(?!index$).+",
  message: "Import the library's public surface, index.",
};

const pureLibrary = {
  regex: "modules/(?!core/).+",
  message: "Settings are pure: of the library they import modules/core only.",
};

const directions = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { "no-restricted-imports": ["error", { patterns }] },
});

module.exports = [
  directions(
    ["main.ts", "state.ts"],
    [barrel, provider, bench, { regex: "^\\./modules", message: "main imports environments only." }],
  ),
  directions(["environments/**/*.ts"], [barrel, bench, library]),
  directions(
    [
      "environments/{alert-settings,budget,filled-text,job-settings,schedule-settings,settings,stack-checks,dev,staging,prod}.ts",
    ],
    [barrel, bench, pureLibrary, cdktf],
  ),
  directions(["index.ts"], [barrel, bench, environments]),
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
    ["modules/artifacts/**/*.ts"],
    [barrel, bench, environments, { regex: "^\\.\\./(?!core/)", message: "artifacts imports core only." }],
  ),
  directions(
    ["modules/*/**/*.ts"],
    [barrel, bench, environments, siblings],
    ["modules/core/**", "modules/iam/**", "modules/encryption/**", "modules/artifacts/**"],
  ),
  // Kept free of cdktf, because the logic worth testing hardest lives there.
  directions(
    [
      "modules/iam/{policy-statement,s3-actions}.ts",
      "modules/data-lake/zone.ts",
      "modules/glue-crawler/crawler-configuration.ts",
      "modules/glue-spark-job/{job-arguments,job-capacity}.ts",
      "modules/data-quality/{quality-contract,quality-query,quality-reader,quality-rules}.ts",
      "modules/etl-orchestrator/{asl,asl-checks,lost-input,service-integrations,state-machine-definition}.ts",
      "modules/etl-orchestrator/{data-flow,data-shape,finding,*-checks,service-errors,service-shapes,service-statuses}.ts",
    ],
    [barrel, bench, environments, siblings, cdktf],
  ),
  // For repositories that only import the library: the JSON of a plan in, a page out.
  directions(
    ["plan-review/**/*.ts"],
    [
      bench,
      provider,
      cdktf,
      environments,
      { regex: "modules/(?!core/)", message: "plan-review imports modules/core only." },
    ],
  ),
  directions(["modules/artifacts/python-package.ts"], [barrel, bench, environments, cdktf]),
  directions(["local/**/*.ts", "__tests__/**/*.ts"], [barrel]),
];
