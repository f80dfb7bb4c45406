/** Two projects: `unit` needs Node, and Terraform for one suite; `bench` runs the commands of the README for real. */
const shared = {
  rootDir: __dirname,
  testEnvironment: "node",
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }] },
};
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
    },
  ],
};
