import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Books } from "../../local/books";
import { answerTable } from "../../local/answers";
import { rowsLine } from "../../local/inspect";
import { WIDTH, wrap, wrapCommand, writeData, fit } from "../../local/lines";
import { logLines } from "../../local/logs";
import { Progress } from "../../local/progress";
import { type Run, tell } from "../../local/run-record";

/** Printed text fits 80 columns and is never cut: it can be put together again. */

const ARN = `arn:aws:states:us-east-1:000000000000:execution:etl-dev-events:${"0a1b2c3d-".repeat(12)}`;
const pieces = (text: string) => text.replace(/\s/g, "");
const widest = (text: string) =>
  Math.max(...text.split("\n").map((line) => stripVTControlCharacters(line).length));

describe("wrap", () => {
  test.each([
    ["words", "word ".repeat(60)],
    ["an ARN", ARN],
    ["an ARN after words, indented", `    see ${ARN} and then ${ARN}`],
    ["a word without a place to break", "x".repeat(500)],
    ["a deep indent", `${" ".repeat(120)}word`],
    ["several lines", `short\n\n${"word ".repeat(40)}\n${ARN}`],
  ])("%s", (_what, text) => {
    expect(widest(wrap(text))).toBeLessThanOrEqual(WIDTH);
    expect(pieces(wrap(text))).toBe(pieces(text));
  });

  test("leaves what fits as it is, trailing spaces too", () => {
    const text = `  a  b  \n${"x".repeat(WIDTH)}\n`;
    expect(wrap(text)).toBe(text);
  });

  test("breaks an ARN after a colon or a slash, and indents continued lines", () => {
    const [first, second] = wrap(`arn:aws:s3:::${"bucket".repeat(9)}/${"folder".repeat(9)}/`).split("\n");
    expect(first).toMatch(/\/$/);
    expect(second).toMatch(/^ {2}folder/);
  });
});

describe("wrapCommand", () => {
  test.each([
    [
      "two words and an ARN",
      `  aws stepfunctions redrive-execution --region us-east-1 --execution-arn ${ARN}`,
    ],
    ["a command in a command", `aws x --input "$(printf %s ${ARN} ${ARN})" --last`],
    ["what fits", "aws sts get-caller-identity"],
  ])("%s: a shell reads the lines as the one command", (_what, command) => {
    const lines = wrapCommand(command);
    expect(widest(lines)).toBeLessThanOrEqual(WIDTH);
    const words = (text: string) =>
      execFileSync("sh", ["-c", `aws() { for word; do printf '<%s>' "$word"; done; }\n${text}`]).toString();
    expect(words(lines)).toBe(words(command));
  });
});

test("a surrogate pair is not split, and a cell keeps its spaces", () => {
  expect(wrap("😀".repeat(50), 41).split("\n").join("").replaceAll(" ", "")).toBe("😀".repeat(50));
  const text = " North ";
  expect(
    answerTable({ columns: [{ name: "region", type: "varchar" }], rows: [[text]], more: false }),
  ).toContain(`│${text.padStart(text.length + 1)} │`);
});

test("status says where the rows went, and that a refused run published nothing", () => {
  const rows = { read: 100, written: 63, duplicates: 0, quarantined: { malformed: 2, wrong_type: 35 } };
  expect(rowsLine(rows, false)).toBe("read 100 = written 63 + duplicates 0 + quarantined 37");
  expect(rowsLine({ ...rows, written: 0 }, true)).toBe(
    "read 100, rejected 37; refused, so nothing was published",
  );
});

/** Everything that a function writes to standard output. */
function screenOf(body: () => void): string {
  const written: string[] = [];
  const spies = [
    jest.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0),
    jest.spyOn(console, "log").mockImplementation((text: unknown) => void written.push(`${String(text)}\n`)),
  ];
  try {
    body();
  } finally {
    spies.forEach((spy) => spy.mockRestore());
  }
  return written.join("");
}

const figures = {
  read: 2_147_483_647,
  written: 2_147_483_000,
  duplicates: 647,
  quarantined: 0,
  files: 12,
  quarantinedByReason: Object.fromEntries(
    Array.from({ length: 12 }, (_, place) => [`a_rule_with_a_long_name_${place}`, 1_000 + place]),
  ),
};
const books: Books = {
  ...figures,
  reasons: [],
  outcome: "SUCCEEDED",
  quality: { verdict: "WARNED", score: 90, threshold: 80, failed: "a_rule: 7 of 144; ".repeat(9) },
  drift: "new: channel string; ".repeat(9),
  restated: { dates: Array.from({ length: 20 }, (_, day) => `2010-12-${String(day + 1).padStart(2, "0")}`) },
  seconds: 7,
  dates: [{ ...figures, runDate: "2010-12-01" }],
};
const run = (status: string): Run => ({
  pipeline: "events",
  ended: {
    orchestration: "stepFunctions" as const,
    executionArn: ARN,
    name: "run-1",
    status,
    ...(status === "FAILED"
      ? { error: "States.TaskFailed", cause: `{"Id":"jr","ErrorMessage":"${ARN}"}` }
      : {}),
  },
  books,
  examples: [],
  questions: { final: `select ${"a_column, ".repeat(20)} 1`, next: `select ${"a_column, ".repeat(20)} 1` },
  answer: {
    columns: [{ name: "a", type: "varchar" }],
    rows: [[ARN]],
    more: true,
  },
  notifications: [
    { subject: "events in dev: FAILED", text: `Cause: ${ARN}\n\nCommand:\naws ${ARN}`, message: { a: 1 } },
    { message: { AlarmName: ARN, reason: "word ".repeat(60) } },
  ],
  seconds: Object.fromEntries(Array.from({ length: 16 }, (_, place) => [`Step${place}`, 12.3])),
});

test.each(["SUCCEEDED", "FAILED"])("the screen of a run that %s fits, ARNs and all", (status) => {
  const screen = screenOf(() => {
    const stream = { write: process.stdout.write.bind(process.stdout) } as NodeJS.WriteStream;
    fit(stream);
    const print = jest
      .spyOn(console, "log")
      .mockImplementation((text: unknown) => void stream.write(`${String(text)}\n`));
    new Progress().note(ARN);
    tell(run(status));
    print.mockRestore();
  });
  expect(widest(screen)).toBeLessThanOrEqual(WIDTH);
  const said = pieces(stripVTControlCharacters(screen).replaceAll("\\\n", ""));
  expect(said.split(pieces(ARN)).length - 1).toBeGreaterThanOrEqual(3);
});

test("data is not wrapped", async () => {
  const written: string[] = [];
  const write = (text: string, done?: () => void) => {
    written.push(text);
    done?.();
    return true;
  };
  const stream = { write } as unknown as NodeJS.WriteStream;
  fit(stream);
  await writeData("x".repeat(200), stream);
  stream.write("y".repeat(200));
  expect(written[0]).toBe("x".repeat(200));
  expect(widest(written[1]!)).toBe(WIDTH);
});

describe("logs", () => {
  const folder = mkdtempSync(join(tmpdir(), "etl-logs-"));
  const put = (name: string, lines: string, minute: number) => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, lines);
    utimesSync(file, minute * 60, minute * 60);
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  test("show the last job run first, then the server and Terraform, each with its file", () => {
    expect(logLines(folder)).toEqual(["no logs yet: type npm start"]);
    put("terraform-apply.log", "applied", 9);
    put("terraform-output.log", '{"secret": 1}', 10);
    put("aws.log", "1\n2\n", 11);
    put("job-runs/jr_old/output.log", "old", 3);
    put("job-runs/jr_new/error.log", "", 4);
    put(
      "job-runs/jr_new/output.log",
      Array.from({ length: 20 }, (_, place) => `line ${place}`).join("\n"),
      5,
    );
    const shown = logLines(folder);
    const heads = shown
      .filter((line) => line.startsWith("=="))
      .map((line) => line.split("etl-logs-")[1]!.slice(7));
    expect(heads).toEqual([
      "job-runs/jr_new/output.log",
      "job-runs/jr_new/error.log",
      "aws.log",
      "terraform-apply.log",
    ]);
    expect(shown).toContain("line 19");
    expect(shown).toContain("(empty)");
    expect(shown).not.toContain("line 4");
    expect(shown.join("\n")).not.toContain("secret");
    expect(shown.at(-1)).toMatch(/^6 files below /);
  });
});
