import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { clientOptions } from "./clients";
import { type Endpoint } from "./endpoint";

/** The credentials of a database user, in the form that Glue's connections read. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Secrets of the bench's Secrets Manager: the only place of its passwords. */
export class BenchSecrets {
  private readonly client: SecretsManagerClient;

  constructor(at: Endpoint) {
    this.client = new SecretsManagerClient(clientOptions(at));
  }

  /** @returns `undefined` without such a secret */
  async read(name: string): Promise<{ readonly arn: string; readonly credentials: Credentials } | undefined> {
    try {
      const { ARN, SecretString } = await this.client.send(new GetSecretValueCommand({ SecretId: name }));
      return { arn: ARN!, credentials: JSON.parse(SecretString!) as Credentials };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  /** Makes the secret, or gives it another value. @returns its ARN */
  async write(name: string, credentials: Credentials): Promise<string> {
    const value = { SecretString: JSON.stringify(credentials) };
    const there = await this.read(name);
    const { ARN } =
      there === undefined
        ? await this.client.send(new CreateSecretCommand({ Name: name, ...value }))
        : await this.client.send(new PutSecretValueCommand({ SecretId: name, ...value }));
    return ARN!;
  }

  destroy(): void {
    this.client.destroy();
  }
}
