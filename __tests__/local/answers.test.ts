import { answerTable, CSV, JSON_ROWS } from "../../local/answers";
import { type Answer, type Value } from "../../local/athena";
import { WIDTH } from "../../local/lines";

/** Answers of Athena in each format: no value is cut, rounded or ambiguous. */

const answer = (
  columns: Record<string, string>,
  rows: readonly (readonly Value[])[],
  more = false,
): Answer => ({
  columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
  rows,
  more,
});
const written = (writer: typeof CSV, ...pages: readonly Answer[]): string =>
  writer.head(pages[0]!.columns) +
  pages.map((page, place) => writer.page(page, place === 0)).join("") +
  writer.foot;
const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

const MIXED = answer(
  { name: "varchar", n: "bigint", price: "decimal", share: "double", good: "boolean", at: "timestamp" },
  [
    ['Größe, "L"\nred', "9007199254740991", "8.50", "0.1", "true", "2010-12-01 10:03:00.000"],
    ["", "-9007199254740993", "-0.0000", "1.0E7", "false", null],
    [null, null, null, "NaN", null, null],
    [" spaced", "0", "100", "-Infinity", "true", "x"],
  ],
);

test("CSV quotes as in RFC 4180; a null is an empty field, an empty text is quoted", () => {
  expect(written(CSV, MIXED)).toBe(
    "name,n,price,share,good,at\n" +
      '"Größe, ""L""\nred",9007199254740991,8.50,0.1,true,2010-12-01 10:03:00.000\n' +
      '"",-9007199254740993,-0.0000,1.0E7,false,\n' +
      ",,,NaN,,\n" +
      '" spaced",0,100,-Infinity,true,x\n',
  );
});

test("a CSV row of a single null is a row", () => {
  expect(written(CSV, answer({ a: "varchar" }, [[null], ["x"]]))).toBe('a\n""\nx\n');
});

test("JSON writes numbers that every reader keeps as numbers, all others as text", () => {
  const text = written(JSON_ROWS, MIXED);
  expect(JSON.parse(text)).toEqual([
    {
      name: 'Größe, "L"\nred',
      n: 9007199254740991,
      price: "8.50",
      share: 0.1,
      good: true,
      at: "2010-12-01 10:03:00.000",
    },
    { name: "", n: "-9007199254740993", price: "-0.0000", share: 1e7, good: false, at: null },
    { name: null, n: null, price: null, share: "NaN", good: null, at: null },
    { name: " spaced", n: 0, price: "100", share: "-Infinity", good: true, at: "x" },
  ]);
  // A line for each row, and the brackets.
  expect(text.split("\n")).toHaveLength(4 + 3);
});

test("pages become one answer; an answer without rows is valid", () => {
  const page = (...values: string[]) =>
    answer(
      { n: "integer" },
      values.map((value) => [value]),
    );
  expect(JSON.parse(written(JSON_ROWS, page("1", "2"), page("3")))).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(written(CSV, page("1", "2"), page("3"))).toBe("n\n1\n2\n3\n");
  expect(JSON.parse(written(JSON_ROWS, page()))).toEqual([]);
  expect(written(CSV, page())).toBe("n\n");
});

test("JSON refuses several columns of one name, because one would be lost", () => {
  const columns = ["x", "y", "x"].map((name) => ({ name, type: "integer" }));
  expect(() => JSON_ROWS.head(columns)).toThrow(
    "--format json: more than one column is named 'x'; rename them with AS",
  );
});

describe("the table", () => {
  test("shows a null as NULL and keeps a decimal's zeros", () => {
    const table = answerTable(answer({ a: "varchar", b: "varchar", c: "decimal" }, [[null, "", "1.50"]]));
    expect(table.split("\n")[3]).toBe("│ NULL │   │ 1.50 │");
  });

  test.each<[string, number, number]>([
    ["one long value", 1, 300],
    ["a few", 4, 60],
    ["many columns", 11, 30],
    ["very many columns", 60, 10],
  ])("of %s fits the screen, and every character can be read", (_what, columns, length) => {
    const value = (column: number) =>
      `${String(column).padStart(3, "0")}${"abcdefghij".repeat(40)}`.slice(0, length);
    const names = Array.from({ length: columns }, (_, place) => `column_${place}`);
    const table = answerTable(
      answer(Object.fromEntries(names.map((name) => [name, "varchar"])), [
        names.map((_, place) => value(place)),
      ]),
    );
    expect(widest(table)).toBeLessThanOrEqual(WIDTH);
    expect(table).not.toContain("…");
    expect(table).toContain("│");
    // Down each column, or of each row by itself, the pieces give the value again.
    const lines = table.split("\n").filter((line) => line.startsWith("│"));
    const cells = lines.map((line) =>
      line
        .split("│")
        .slice(1, -1)
        .map((one) => one.trim()),
    );
    const joined = [0, 1, 2, 3].map((place) => cells.map((row) => row[place] ?? "").join("")).join("|");
    for (const place of names.keys()) expect(joined).toContain(value(place));
  });

  test("escapes control characters", () => {
    expect(answerTable(answer({ a: "varchar" }, [["\u001b[2Jx\ty"]]))).toContain("\\x1b[2Jx\\x09y");
  });

  test("says when there are more rows, and how to get them", () => {
    const text = answerTable(answer({ a: "integer" }, [["1"]], true));
    expect(text).toContain("… only the first 1 rows; --format csv or json gives all of them");
  });

  test("without rows names the columns", () => {
    expect(answerTable(answer({ a: "varchar", b: "bigint" }, []))).toContain("│ a │ b │");
  });
});
