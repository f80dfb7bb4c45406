/**
 * Projects: `unit` needs Node, Terraform, and Python for some suites; `bench` runs the commands of the README for real and from
 * nothing; `deployed` begins with a dev environment that is deployed once; `platform` is what a platform team has around them.
 */
const shared = {
  rootDir: __dirname,
  testEnvironment: "node",
  // Installed environments hold packages of Node too.
  modulePathIgnorePatterns: ["<rootDir>/.setup/"],
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }] },
};
const benchTests = (...names) => names.map((name) => `<rootDir>/__tests__/bench/${name}.test.ts`);
const deployed = benchTests("promises", "sales");
const platform = benchTests(
  "alarms",
  "arrival",
  "connections",
  "deployer",
  "drivers",
  "environments",
  "every-step",
  "foreign-repository",
  "iceberg",
  "mobile-users",
  "plan",
  "postgres",
  "price-lists",
  "scanners",
  "schedule",
  "security-configuration",
  "sessions",
  "shop",
  "workflow-schedule",
);
const deployOnce = "<rootDir>/__tests__/bench/deploy-once.ts";

module.exports = {
  projects: [
    {
      ...shared,
      displayName: "unit",
      setupFiles: ["<rootDir>/__tests__/support/without-token-traces.ts"],
      testMatch: ["<rootDir>/__tests__/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", "<rootDir>/__tests__/bench/"],
    },
    {
      ...shared,
      displayName: "bench",
      testMatch: ["<rootDir>/__tests__/bench/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", ...deployed, ...platform],
    },
    { ...shared, displayName: "deployed", testMatch: deployed, globalSetup: deployOnce },
    { ...shared, displayName: "platform", testMatch: platform, globalSetup: deployOnce },
  ],
};
