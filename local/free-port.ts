import { createServer } from "node:net";
import { UserError } from "./user-error";

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

/** @throws UserError naming the program that wants a port of 127.0.0.1, when none is free */
export async function anyFreePort(program: string): Promise<number> {
  const port = await freePort();
  if (port === undefined) throw new UserError(`no port of 127.0.0.1 is free for ${program}`);
  return port;
}
