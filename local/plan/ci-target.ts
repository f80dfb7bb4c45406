/** The branch that a change is to be merged into, as services that run pull requests name it in variables. */
export interface CiTarget {
  readonly variable: string;
  /** The branch, without `refs/heads/`. */
  readonly branch: string;
  /** A commit that the service names besides, for clones that lack the branch. */
  readonly commit?: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

interface Service {
  readonly variable: string;
  readonly commit?: string;
  /** A further condition, for a variable whose name alone does not say enough. */
  readonly holds?: (variables: Variables) => boolean;
}

/** Each is set for pull requests only, except where `holds` asks for more. */
const SERVICES: readonly Service[] = [
  // https://docs.github.com/en/actions/reference/workflows-and-actions/variables
  { variable: "GITHUB_BASE_REF" },
  // https://docs.gitlab.com/ci/variables/predefined_variables/#predefined-variables-for-merge-request-pipelines
  { variable: "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", commit: "CI_MERGE_REQUEST_DIFF_BASE_SHA" },
  // https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
  { variable: "SYSTEM_PULLREQUEST_TARGETBRANCH" },
  // https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
  { variable: "BITBUCKET_PR_DESTINATION_BRANCH" },
  // https://buildkite.com/docs/pipelines/configure/environment-variables
  { variable: "BUILDKITE_PULL_REQUEST_BASE_BRANCH" },
  // https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
  { variable: "CODEBUILD_WEBHOOK_BASE_REF" },
  // https://www.jenkins.io/doc/book/pipeline/multibranch/#additional-environment-variables
  { variable: "CHANGE_TARGET", holds: ({ JENKINS_URL }) => isGiven(JENKINS_URL) },
  // https://docs.travis-ci.com/user/environment-variables/#default-environment-variables
  {
    variable: "TRAVIS_BRANCH",
    holds: ({ TRAVIS_PULL_REQUEST: number }) => isGiven(number) && number !== "false",
  },
];

/** @returns `undefined` outside a pull request */
export function ciTarget(variables: Variables): CiTarget | undefined {
  const found = SERVICES.find(
    ({ variable, holds = () => true }) => isGiven(variables[variable]) && holds(variables),
  );
  if (found === undefined) return undefined;
  const { variable } = found;
  const commit = found.commit === undefined ? undefined : variables[found.commit];
  return {
    variable,
    branch: variables[variable]!.trim().replace(/^refs\/heads\//, ""),
    ...(isGiven(commit) ? { commit: commit!.trim() } : {}),
  };
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== "";
}
