/**
 * Three projects: `unit` needs Node, Terraform, and Python for some suites; `bench` runs the commands of the README, and what a
 * platform team has around them, for real and from nothing; `deployed` begins with a dev environment that is deployed once.
 */
const shared = {
  rootDir: __dirname,
  testEnvironment: "node",
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }] },
};
const DEPLOYED = ["alarms", "promises", "sales", "schedule"];
const deployed = DEPLOYED.map((name) => `<rootDir>/__tests__/bench/${name}.test.ts`);

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
      testPathIgnorePatterns: ["/node_modules/", ...deployed],
    },
    {
      ...shared,
      displayName: "deployed",
      testMatch: deployed,
      globalSetup: "<rootDir>/__tests__/bench/deploy-once.ts",
    },
  ],
};
