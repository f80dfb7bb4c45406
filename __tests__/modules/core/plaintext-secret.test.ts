import { plaintextSecretMistake } from "../../../modules/core/plaintext-secret";
import { Step } from "../../../modules/etl-orchestrator/step";

const mistakeOf = (what: string) =>
  `looks like ${what}, and is written to plans, state and logs; keep it in Secrets Manager and pass the secret's ARN as ` +
  "'…_arn' instead";

/** Made of parts: none of them is one, and scanners of this repository need not wonder. */
const joined = (...parts: string[]) => parts.join("");
const SECRETS: readonly (readonly [what: string, value: string])[] = [
  ["an AWS access key", joined("AKIA", "IOSFODNN7EXAMPLE")],
  ["an AWS access key", joined("key=ASIA", "IOSFODNN7EXAMPLE", ";")],
  ["an AWS secret key", joined("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY")],
  ["a private key", joined("-----BEGIN RSA ", "PRIVATE KEY-----")],
  ["a private key", joined("-----BEGIN ", "PRIVATE KEY-----")],
  ["a JSON web token", joined("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0In0", ".c2lnbmF0dXJl")],
  ["a GitHub token", joined("ghp_", "a".repeat(36))],
  ["a Slack token", joined("xoxb-", "1234567890-abc")],
  ["a password in an address", joined("postgresql://etl:", "hunter2@db.example.com/shop")],
  ["a password in a connection", joined("jdbc:sqlserver://db;user=etl;pass", "word=hunter2")],
  ["a password in a connection", joined("jdbc:mysql://db/shop?user=etl&pass", "word=hunter2")],
  ["a password in a connection", joined('{"user": "etl", "pass', 'word": "hunter2"}')],
];

test.each(SECRETS)("%s is found by its value", (what, value) => {
  const mistake = plaintextSecretMistake("connection", value);
  expect(mistake).toBe(mistakeOf(what));
  expect(mistake).not.toContain(value);
});

test.each([
  "db_password",
  "password",
  "dbPassword",
  "db-passwd",
  "api_key",
  "apiKey",
  "private_key",
  "accessKey",
  "secret",
  "auth_token",
  "PWD",
  "credentials",
])("%s is found by its name", (name) => {
  expect(plaintextSecretMistake(name, "x")).toBe(mistakeOf("a secret"));
});

test.each<[name: string, value: string]>([
  ["db_password", "arn:aws-cn:secretsmanager:cn-north-1:000000000000:secret:db"],
  ["db_password_arn", "arn:aws:secretsmanager:eu-west-1:000000000000:secret:db"],
  ["secret_name", "etl/db"],
  ["secretName", "etl/db"],
  ["tokenizer", "words"],
  ["passwordless", "true"],
  ["plan_uri", "s3://bucket/contracts/0123456789abcdef0123456789abcdef01234567/events.plan.json"],
  ["commit", "0123456789abcdef0123456789abcdef01234567"],
  ["words", "thisIsAVeryLongNameOfSomethingWithoutDigits"],
  ["url", "jdbc:postgresql://db.example.com:5432/shop?ssl=true"],
  ["topic", "arn:aws:sns:eu-west-1:000000000000:etl-dev-alerts"],
  ["time", "2026-01-31T04:00:00Z"],
  ["owner", "someone@example.com"],
])("%s = %s is no secret", (name, value) => {
  expect(plaintextSecretMistake(name, value)).toBeUndefined();
});

test("neither do steps take them as arguments, unless they are read from the execution", () => {
  const mistakes = (runArguments: Record<string, string>) =>
    Step.runJob("RunJob", { jobName: "j", timeoutMinutes: 5, runArguments }).mistakes;
  expect(mistakes({ db_password: "x", run_mode: "$.run.mode" })).toEqual([
    { field: "runArguments.db_password", message: mistakeOf("a secret") },
  ]);
  expect(mistakes({ page_token: "$.run.pageToken", db_password: "${TfToken[TOKEN.1]}" })).toEqual([]);
});
