import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** Source: https://www.postgresql.org/docs/18/runtime-config-connection.html#GUC-SCRAM-ITERATIONS (the default) */
const ITERATIONS = 4_096;

/**
 * A password as PostgreSQL stores it, from which nobody can log in: RFC 5803. Given to `PASSWORD '…'`, it keeps the password out of the server
 * and its log.
 *
 * @param password printable ASCII, which needs no preparation
 * @param salt 16 random bytes
 */
export function scramVerifier(password: string, salt: Uint8Array): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const key = (name: string): Buffer => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  const salt64 = Buffer.from(salt).toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt64}$${stored}:${key("Server Key").toString("base64")}`;
}
