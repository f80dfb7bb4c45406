import { Agent } from "node:https";
import { readFileSync } from "node:fs";
import { AthenaClient } from "@aws-sdk/client-athena";
import { GlueClient } from "@aws-sdk/client-glue";
import { S3Client } from "@aws-sdk/client-s3";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { type Endpoint } from "./endpoint";
import { BENCH } from "./places";

/** Clients of the embedded AWS, which trust its certificate. */
export interface Clients {
  readonly athena: AthenaClient;
  readonly glue: GlueClient;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
}

/** Options for any client of the embedded AWS. */
export function clientOptions({ endpoint, caBundle, accessKeyId, secretAccessKey }: Endpoint) {
  return {
    endpoint,
    region: BENCH.region,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { httpsAgent: new Agent({ ca: readFileSync(caBundle), keepAlive: true }) },
  };
}

export function clientsOf(endpoint: Endpoint): Clients {
  const common = clientOptions(endpoint);
  return {
    athena: new AthenaClient(common),
    glue: new GlueClient(common),
    s3: new S3Client({ ...common, forcePathStyle: true }),
    sfn: new SFNClient(common),
    sns: new SNSClient(common),
    sqs: new SQSClient({ ...common, useQueueUrlAsEndpoint: false }),
  };
}
