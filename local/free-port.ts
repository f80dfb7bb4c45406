import { createServer } from "node:net";

/** Tells whether a program can listen on a port of 127.0.0.1 now; 0 stands for any free port. @returns the port, or `undefined` */
export async function freePort(port = 0): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}
