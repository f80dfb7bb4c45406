import { type Endpoint } from "./endpoint";
import { BENCH } from "./places";

/** Services whose endpoint is replaced, as the provider names them. */
const SERVICES = [
  ...[
    "athena",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "events",
    "glue",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "scheduler",
  ],
  ...["s3tables", "secretsmanager", "sfn", "sns", "sqs", "ssm", "sts"],
];

/** The content of an override file that points a stack's provider at the embedded AWS. */
export function providerOverride({ endpoint, accessKeyId, secretAccessKey }: Endpoint): object {
  return {
    provider: {
      aws: [
        {
          access_key: accessKeyId,
          secret_key: secretAccessKey,
          region: BENCH.region,
          s3_use_path_style: true,
          skip_credentials_validation: true,
          skip_metadata_api_check: "true",
          skip_requesting_account_id: false,
          // The provider's SDK sometimes closes a connection that it still reads, mostly on a busy computer:
          // https://github.com/aws/aws-sdk-go-v2/issues/2737. Two attempts were too few once.
          max_retries: 5,
          endpoints: [Object.fromEntries(SERVICES.map((service) => [service, endpoint]))],
        },
      ],
    },
  };
}
