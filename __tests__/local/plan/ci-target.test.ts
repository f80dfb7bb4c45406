import { ciTarget } from "../../../local/plan/ci-target";

/** The variables are as each service sets them in a pull request. */
const PULL_REQUESTS: readonly [service: string, Record<string, string>, ReturnType<typeof ciTarget>][] = [
  [
    "GitHub",
    { CI: "true", GITHUB_ACTIONS: "true", GITHUB_BASE_REF: "main", GITHUB_HEAD_REF: "fewer-workers" },
    { variable: "GITHUB_BASE_REF", branch: "main" },
  ],
  [
    "GitLab",
    { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "release/2", CI_MERGE_REQUEST_DIFF_BASE_SHA: "1a2b" },
    { variable: "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", branch: "release/2", commit: "1a2b" },
  ],
  [
    "Azure",
    { SYSTEM_PULLREQUEST_TARGETBRANCH: "refs/heads/main" },
    { variable: "SYSTEM_PULLREQUEST_TARGETBRANCH", branch: "main" },
  ],
  [
    "Bitbucket",
    { BITBUCKET_PR_DESTINATION_BRANCH: "main" },
    { variable: "BITBUCKET_PR_DESTINATION_BRANCH", branch: "main" },
  ],
  [
    "Buildkite",
    { BUILDKITE_PULL_REQUEST_BASE_BRANCH: "main" },
    { variable: "BUILDKITE_PULL_REQUEST_BASE_BRANCH", branch: "main" },
  ],
  [
    "CodeBuild",
    { CODEBUILD_WEBHOOK_BASE_REF: "refs/heads/main" },
    { variable: "CODEBUILD_WEBHOOK_BASE_REF", branch: "main" },
  ],
  [
    "Jenkins",
    { JENKINS_URL: "https://ci.example", CHANGE_TARGET: "main" },
    { variable: "CHANGE_TARGET", branch: "main" },
  ],
  [
    "Travis",
    { TRAVIS_BRANCH: "main", TRAVIS_PULL_REQUEST: "17" },
    { variable: "TRAVIS_BRANCH", branch: "main" },
  ],
];

test.each(PULL_REQUESTS)("%s names the target branch of a pull request", (_, variables, wanted) => {
  expect(ciTarget(variables)).toEqual(wanted);
});

test.each([
  ["outside CI", {}],
  ["a push, on GitHub", { GITHUB_ACTIONS: "true", GITHUB_BASE_REF: "" }],
  ["a push, on Travis", { TRAVIS_BRANCH: "main", TRAVIS_PULL_REQUEST: "false" }],
  ["a push, on Buildkite", { BUILDKITE_PULL_REQUEST_BASE_BRANCH: "" }],
  ["a variable of the same name as Jenkins'", { CHANGE_TARGET: "main" }],
])("%s there is no target branch", (_, variables: Record<string, string>) => {
  expect(ciTarget(variables)).toBeUndefined();
});
