import { createHmac } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../local/free-port";
import { scramVerifier } from "../../local/scram-verifier";
import { requireReach } from "../../local/unprivileged";

/** Parts of the bench's PostgreSQL that need no server. */

test("a verifier signs as RFC 7677, section 3, has it", () => {
  const verifier = scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
  const [, serverKey] = /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[\w+/=]{44}:([\w+/=]{44})$/.exec(
    verifier,
  )!;
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
  const signature = createHmac("sha256", Buffer.from(serverKey!, "base64")).update(message).digest("base64");
  expect(signature).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

test("a port that is taken is not free", async () => {
  const server = await new Promise<Server>((resolve) => {
    const one = createServer().listen(0, "127.0.0.1", () => resolve(one));
  });
  const { port } = server.address() as { port: number };
  expect(await freePort(port)).toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  expect(await freePort(port)).toBe(port);
  expect(await freePort()).toBeGreaterThan(0);
});

describe("a folder for another user", () => {
  const folder = mkdtempSync(join(tmpdir(), "reach-"));
  const inner = join(folder, "inner");
  mkdirSync(inner);
  const other = { uid: 65_534, gid: 65_534 };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ["everybody may enter", 0o755, 0o711, undefined],
    ["nobody else may enter the one above", 0o700, 0o755, folder],
    ["nobody else may enter it", 0o755, 0o750, inner],
  ])("%s", (_what, above, own, named) => {
    chmodSync(folder, above);
    chmodSync(inner, own);
    const judge = () => requireReach(other, inner);
    if (named === undefined) expect(judge).not.toThrow();
    else
      expect(judge).toThrow(
        `may not enter ${named}: run this command as an ordinary user, or move the clone`,
      );
    expect(() => requireReach(undefined, inner)).not.toThrow();
  });
});
