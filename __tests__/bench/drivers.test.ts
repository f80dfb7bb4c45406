import { type JdbcEngine } from "../../index";
import { type Conversation, CREDENTIALS, dial, type Dialled, listen, urlOf } from "../support/drivers";

/**
 * The vendors' real drivers take the URL of a connection, dial its host and port, and ask for TLS before they say who they are; where the
 * server has no TLS they end. The servers here speak the first words of each protocol.
 *
 * Sources: https://www.postgresql.org/docs/18/protocol-message-formats.html (SSLRequest),
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html,
 * https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-tds/60f56408-0188-4cd5-8b90-25c6f2423868 (PRELOGIN),
 * https://datatracker.ietf.org/doc/html/rfc8446#section-5.1 (a record of TLS begins 16 03)
 */

const CLIENT_HELLO = /^1603/;
const SSL_REQUEST = "0000000804d2162f";
/** The flag of MySQL's capabilities by which a side speaks TLS. */
const CLIENT_SSL = 0x0800;

/** MySQL's first packet, version 10 of the protocol, of a server of version 8. */
function mysqlGreeting(hasTls: boolean): Buffer {
  // Protocol 4.1, secure connections, authentication by plugins; TLS or not.
  const low = 0x8000 | 0x0200 | 0x0008 | 0x0001 | (hasTls ? CLIENT_SSL : 0);
  const high = 0x0008;
  const body = Buffer.concat([
    Buffer.from([10]),
    Buffer.from("8.0.36\0"),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from("12345678\0"),
    Buffer.from([low & 0xff, low >> 8, 255, 2, 0, high & 0xff, high >> 8, 21]),
    Buffer.alloc(10),
    Buffer.from("123456789012\0"),
    Buffer.from("caching_sha2_password\0"),
  ]);
  return Buffer.concat([Buffer.from([body.length & 0xff, body.length >> 8, 0, 0]), body]);
}

/** SQL Server's answer to PRELOGIN: a version, and whether it encrypts (1: on, 2: not supported). */
function sqlserverAnswer(encryption: number): Buffer {
  const options = Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff]);
  const body = Buffer.concat([options, Buffer.from([16, 0, 0, 0, 0, 0]), Buffer.from([encryption])]);
  return Buffer.concat([Buffer.from([4, 1, 0, 8 + body.length, 0, 0, 1, 0]), body]);
}

/** The value of an option in a PRELOGIN of SQL Server. */
function preloginOption(packet: Buffer, wanted: number): number | undefined {
  const body = packet.subarray(8);
  for (let at = 0; body[at] !== 0xff && at < body.length; at += 5)
    if (body[at] === wanted) return body[body.readUInt16BE(at + 1)];
  return undefined;
}

interface Case {
  readonly engine: JdbcEngine;
  readonly driver: RegExp;
  readonly greeting?: Buffer;
  readonly answer?: Buffer;
  /** Looks at what the driver sent. */
  readonly expects: (heard: readonly Buffer[]) => void;
}

const hex = (bytes: Buffer | undefined): string => bytes?.toString("hex") ?? "";

const WITH_TLS: readonly Case[] = [
  {
    engine: "postgresql",
    driver: /^org\.postgresql\./,
    answer: Buffer.from("S"),
    expects: ([first, second]) => {
      expect(hex(first)).toBe(SSL_REQUEST);
      expect(hex(second)).toMatch(CLIENT_HELLO);
    },
  },
  {
    engine: "mysql",
    driver: /^com\.mysql\./,
    greeting: mysqlGreeting(true),
    expects: ([first]) => {
      // A packet of 32 bytes without a user is a request for TLS.
      expect(first!.readUIntLE(0, 3)).toBe(32);
      expect(first!.readUInt32LE(4) & CLIENT_SSL).toBe(CLIENT_SSL);
    },
  },
  {
    engine: "sqlserver",
    driver: /^com\.microsoft\./,
    answer: sqlserverAnswer(1),
    expects: ([first, second]) => {
      expect(first![0]).toBe(0x12);
      expect(preloginOption(first!, 1)).toBe(1);
      expect(second![0]).toBe(0x12);
      expect(hex(second!.subarray(8))).toMatch(CLIENT_HELLO);
    },
  },
  {
    engine: "oracle",
    driver: /^oracle\.jdbc\./,
    expects: ([first]) => expect(hex(first)).toMatch(CLIENT_HELLO),
  },
];

/** Servers that have no TLS. Oracle's has another port. */
const WITHOUT_TLS: readonly (readonly [engine: JdbcEngine, words: Partial<Case>, error: RegExp])[] = [
  ["postgresql", { answer: Buffer.from("N") }, /does not support SSL/],
  ["mysql", { greeting: mysqlGreeting(false) }, /SSL/],
  ["sqlserver", { answer: sqlserverAnswer(2) }, /encrypt|SSL/i],
];

async function converse(all: readonly Partial<Case>[], tls = true): Promise<[Conversation[], Dialled[]]> {
  const servers = await Promise.all(all.map(async (one) => await listen(one)));
  try {
    const urls = all.map(({ engine }, index) =>
      urlOf({ engine: engine!, port: servers[index]!.port, tls, allowUnencrypted: !tls }),
    );
    return [servers, await dial(urls)];
  } finally {
    await Promise.all(servers.map(async ({ close }) => await close()));
  }
}

test("every driver takes its URL, dials host and port, and asks for TLS first", async () => {
  const [servers, dialled] = await converse(WITH_TLS);
  for (const [index, { engine, driver, expects }] of WITH_TLS.entries()) {
    const { heard } = servers[index]!;
    expect({ engine, driver: dialled[index]!.driver }).toEqual({
      engine,
      driver: expect.stringMatching(driver) as string,
    });
    expect({ engine, heard: heard.length > 0 }).toEqual({ engine, heard: true });
    expects(heard);
    expect(Buffer.concat(heard).includes(CREDENTIALS.password)).toBe(false);
  }
}, 120_000);

test("without TLS at the server every driver ends, and sends neither user nor password", async () => {
  const [servers, dialled] = await converse(WITHOUT_TLS.map(([engine, words]) => ({ engine, ...words })));
  for (const [index, [engine, , error]] of WITHOUT_TLS.entries()) {
    expect({ engine, error: dialled[index]!.error }).toEqual({
      engine,
      error: expect.stringMatching(error) as string,
    });
    const heard = Buffer.concat(servers[index]!.heard);
    for (const text of Object.values(CREDENTIALS)) {
      expect({ engine, text, isSent: heard.includes(text) }).toEqual({ engine, text, isSent: false });
      expect(heard.includes(Buffer.from(text, "utf16le"))).toBe(false);
    }
  }
}, 120_000);

test("with TLS turned off no driver asks for it, so the tests above can fail", async () => {
  const [servers] = await converse(
    WITH_TLS.map(({ engine, greeting, answer }) => ({ engine, greeting, answer })),
    false,
  );
  const [postgresql, mysql, sqlserver, oracle] = servers.map(({ heard }) => heard[0]!);
  expect(hex(postgresql)).not.toBe(SSL_REQUEST);
  expect(mysql!.readUInt32LE(4) & CLIENT_SSL).toBe(0);
  expect(preloginOption(sqlserver!, 1)).not.toBe(1);
  // A packet of Oracle's own protocol, of the type "connect".
  expect(oracle![4]).toBe(1);
}, 120_000);
