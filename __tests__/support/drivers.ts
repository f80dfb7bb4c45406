import { spawn } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { GlueConnection, type GlueConnectionProps } from "../../index";
import { JDBC_DRIVERS, PYTHON } from "../../local/places";
import { ROOT } from "./clone";
import { REGION, synth } from "./synth";

/** Vendors' real drivers in a real Java, and servers on a local socket that speak the first words of a database. */

export interface Dialled {
  /** Class of the driver that takes the URL. */
  readonly driver: string | null;
  /** Messages of the refusal and its causes. */
  readonly error: string | null;
  /** The answer to `select 1`. */
  readonly rows: number | null;
}

export const CREDENTIALS = { user: "reader", password: "hunter2-" + "x9" };

/** Opens a connection by each URL. @param options of Java */
export async function dial(
  urls: readonly string[],
  options: readonly string[] = [],
  credentials: { user: string; password: string } = CREDENTIALS,
): Promise<Dialled[]> {
  const script = join(ROOT, "__tests__", "support", "dial_jdbc.py");
  const child = spawn(PYTHON, [script, JDBC_DRIVERS, ...options], { stdio: ["pipe", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString()));
  child.stdin.end(JSON.stringify(urls.map((url) => ({ url, ...credentials }))));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(said.stderr);
  return JSON.parse(said.stdout) as Dialled[];
}

/** The URL that a connection has for a server on this computer. */
export function urlOf(
  change: Partial<GlueConnectionProps> & Pick<GlueConnectionProps, "engine" | "port">,
): string {
  const { built } = synth(
    (stack) =>
      new GlueConnection(stack, "Shop", {
        name: "shop",
        host: "localhost",
        database: "shop",
        secretArn: `arn:aws:secretsmanager:${REGION}:000000000000:secret:shop-a1B2c3`,
        subnetId: "subnet-0a1b2c3d",
        availabilityZone: `${REGION}a`,
        securityGroupIds: ["sg-0a1b2c3d"],
        region: REGION,
        ...change,
      }),
  );
  return built.jdbcUrl;
}

/** The bytes that a driver sends, one item for each thing that is read. */
export interface Conversation {
  readonly port: number;
  readonly heard: Buffer[];
  readonly close: () => Promise<void>;
}

/**
 * Listens on 127.0.0.1. `greeting` is sent at once; after the first bytes `answer` is sent, or the connection ends without one; after the second
 * bytes the connection ends.
 */
export async function listen({
  greeting,
  answer,
}: {
  greeting?: Buffer;
  answer?: Buffer;
}): Promise<Conversation> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let times = 0;
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      heard.push(bytes);
      times += 1;
      if (times === 1 && answer !== undefined) socket.write(answer);
      else socket.end();
    });
    if (greeting !== undefined) socket.write(greeting);
  });
  // Java may try either address of localhost.
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    close: async () => {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
