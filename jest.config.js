/**
 * Three projects: `unit` needs Node, Terraform, and Python for some suites; `bench` runs the commands of the README and the
 * promises of a pipeline for real; `platform` does so with what a platform team has around it.
 */
const shared = {
  rootDir: __dirname,
  testEnvironment: "node",
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }] },
};
const PLATFORM = ["alarms", "deployer", "environments", "foreign-repository", "scanners", "schedule"];
const platform = PLATFORM.map((name) => `<rootDir>/__tests__/bench/${name}.test.ts`);

module.exports = {
  projects: [
    {
      ...shared,
      displayName: "unit",
      testMatch: ["<rootDir>/__tests__/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", "<rootDir>/__tests__/bench/"],
    },
    {
      ...shared,
      displayName: "bench",
      testMatch: ["<rootDir>/__tests__/bench/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", ...platform],
    },
    { ...shared, displayName: "platform", testMatch: platform },
  ],
};
