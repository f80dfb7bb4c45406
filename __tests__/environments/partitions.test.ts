import { selectEnvironments } from "../../environments/registry";
import { sampleSubscribers } from "../../local/sample-place";
import { type StackJson, synthEnvironment } from "../support/environment-stacks";

/** Nothing in a whole stack of another partition names what is only in AWS's first one. */

interface Partition {
  readonly region: string;
  readonly partition: string;
  /** The suffix of endpoints, as `kms:ViaService` names services. */
  readonly suffix: string;
  readonly console: string;
}

const PARTITIONS: readonly Partition[] = [
  {
    region: "eu-west-1",
    partition: "aws",
    suffix: "amazonaws.com",
    console: "eu-west-1.console.aws.amazon.com",
  },
  {
    region: "cn-north-1",
    partition: "aws-cn",
    suffix: "amazonaws.com.cn",
    console: "cn-north-1.console.amazonaws.cn",
  },
  {
    region: "us-gov-west-1",
    partition: "aws-us-gov",
    suffix: "amazonaws.com",
    console: "us-gov-west-1.console.amazonaws-us-gov.com",
  },
];

/**
 * Service principals, which are the same in all three partitions.
 * Source: https://docs.amazonaws.cn/en_us/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
const PRINCIPALS = ["cloudwatch", "events", "glue", "logging.s3", "scheduler", "states"].map(
  (service) => `${service}.amazonaws.com`,
);

/** All text of a stack, JSON within text unfolded; keys too, since conditions hold their operators there. */
function texts(value: unknown): string[] {
  if (typeof value === "string") {
    if (!/^[{[]/.test(value)) return [value];
    try {
      return texts(JSON.parse(value));
    } catch {
      return [value];
    }
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...texts(inner)]);
}

const all = (text: readonly string[], pattern: RegExp): string[] => [
  ...new Set(text.flatMap((one) => [...one.matchAll(pattern)].map(([found]) => found))),
];

function stackOf(region: string): StackJson {
  const variables = {
    ETL_ENVIRONMENTS: "prod",
    ...sampleSubscribers({}),
    ETL_ACCOUNT_ID: "000000000000",
    ETL_REGION: region,
  };
  return synthEnvironment(selectEnvironments({ variables, context: undefined })[0]!);
}

describe.each(PARTITIONS)("$region", ({ region, partition, suffix, console }) => {
  const text = texts(stackOf(region));

  test("every ARN is of its partition", () => {
    const arns = all(text, /\barn:[^:\s"]*:/g);
    expect(arns).toEqual([`arn:${partition}:`]);
  });

  test("every other region that is named is its own", () => {
    const regions = all(
      text,
      /\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov)?-(?:north|south|east|west|central)[a-z]*-\d\b/g,
    );
    expect(regions).toEqual([region]);
  });

  test("services are known by their principals, and to keys by their endpoints there", () => {
    const hosts = all(text, /[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?(?![\w.])/g).sort();
    const endpoints = ["s3", "sns"].map((service) => `${service}.${region}.${suffix}`);
    expect(hosts).toEqual([...PRINCIPALS, ...endpoints].sort());
  });

  test("every address leads to its console", () => {
    const hosts = all(text, /(?<=https:\/\/)[^\s/"\\]+/g);
    expect(hosts).toEqual([console]);
  });
});

test("a partition that is not known has no stack", () => {
  expect(() => stackOf("us-iso-east-1")).toThrow("'region' must be an AWS region such as eu-west-1");
});
