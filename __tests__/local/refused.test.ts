import { type Books, type Rejected } from "../../local/books";
import { refusedLines } from "../../local/refused";

const rejected = (column: string, own: Partial<Rejected> = {}): Rejected => ({
  reason: "wrong_type",
  column,
  expected: "a number",
  rows: 541,
  file: "s3://raw/sales/shop-a/dt=2010-12-01/part-1.csv",
  line: 17,
  ...own,
});
const query = `select reason, reason_values, source_file, raw_line from etl_dev_quarantine.sales_refused where run_id = 'r'`;
const refused = { cause: "x", rows: 541, table: "etl_dev_quarantine.sales_refused", query };
const lines = (reasons: readonly Rejected[], examples: readonly (readonly string[])[] = [], own = {}) =>
  refusedLines({ reasons, refused: { ...refused, ...own } } as unknown as Books, examples).flatMap((line) =>
    line.split("\n"),
  );

test("a reason is shown with column, type, count, place and values, and then the command that shows the rows", () => {
  expect(lines([rejected("unit_price")], [["N/A", "a\u001b[2Jb"]])).toEqual([
    "",
    "why rows were rejected:",
    "  wrong_type: unit_price, expected a number: 541 rows",
    "    first in dt=2010-12-01/part-1.csv line 17; e.g. 'N/A', 'a\\u001b[2Jb'",
    "to see all 541:",
    'npm start -- query "select reason, reason_values, source_file, raw_line from',
    "  etl_dev_quarantine.sales_refused where run_id = 'r'\"",
  ]);
});

test("unknown parts are left out", () => {
  const bare = { reason: "malformed", expected: "a JSON object", rows: 1, file: undefined, line: undefined };
  expect(lines([rejected("", bare), rejected("x", { line: null })], [], { query: "" })).toEqual([
    "",
    "why rows were rejected:",
    "  malformed: the row, expected a JSON object: 1 row",
    "  wrong_type: x, expected a number: 541 rows",
    "    first in dt=2010-12-01/part-1.csv",
  ]);
  expect(lines([])).toEqual([]);
});

test("long names and values stay within 80 columns, and many reasons within a screen", () => {
  const many = Array.from({ length: 9 }, (_, at) => rejected(`column_number_${at}_with_a_long_name`));
  const values = many.map(() => ["v ".repeat(99), "w ".repeat(99), "x ".repeat(99)]);
  const shown = lines(many, values);
  expect(shown.filter((line) => line.length > 80)).toEqual([]);
  expect(shown).toContain("  and 3 more, in books.json");
  expect(shown.filter((line) => line.includes("expected"))).toHaveLength(6);
});
