import { z } from "zod";
import { text } from "./filled-text";

/** The connection of an extract: a part of its settings, and what its construct judges further. */
export const connectionSchema = z.strictObject({
  /** The server's DNS name. */
  host: text(),
  /** The engine's own port when left out. */
  port: z.int().min(1).max(65_535).optional(),
  database: text(),
  /** The whole ARN of the secret with `username` and `password`. */
  secretArn: text(),
  /** The KMS key of the secret; the key of Secrets Manager when left out. */
  secretKeyArn: text().optional(),
  subnetId: text(),
  /** The subnet's zone. */
  availabilityZone: text(),
  /** The subnet's VPC, in which a security group is made. Either this or `securityGroupIds`. */
  vpcId: text().optional(),
  securityGroupIds: z.array(text()).optional(),
  /** Absolute path of the PEM file of the authority that signed the server's certificate; Java's trust store decides when left out. */
  certificate: text().optional(),
});

export type ConnectionSettings = z.infer<typeof connectionSchema>;
