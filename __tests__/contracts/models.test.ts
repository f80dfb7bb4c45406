import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contractTables } from "../../contracts/contract-tables";
import { selectMistakes } from "../../contracts/model-sql";
import { modelsText, modelTable, readModel } from "../../contracts/models";
import { ROOT } from "../support/clone";

/** Models are judged at synth as far as that is possible without Spark. */

const RIDES = join(ROOT, "glue-scripts", "tests", "cases", "rides");
const read = (name: string): string => readFileSync(join(RIDES, name), "utf8");
const PUBLISHED = {
  name: "rides",
  table: contractTables(JSON.parse(read("rides.schema.json")) as unknown).output,
};
const DOCUMENT = JSON.parse(read("rides_by_city.model.json")) as Record<string, unknown>;
const SQL = read("rides_by_city.sql");

function mistakesOf(change: Record<string, unknown>, { name = "rides_by_city", sql = SQL } = {}): string[] {
  const { declaration, select } = readModel({ name, document: { ...DOCUMENT, ...change }, sql }, PUBLISHED);
  return [...declaration.map(([field, words]) => `${field} ${words}`), ...select];
}

test("a model that is right becomes the text that the job loads, and a table", () => {
  const { model } = readModel({ name: "rides_by_city", document: DOCUMENT, sql: SQL }, PUBLISHED);
  expect(mistakesOf({})).toEqual([]);
  expect(JSON.parse(modelsText([model]))).toEqual({
    modelsVersion: 1,
    models: [
      {
        ...{ name: "rides_by_city", source: "rides", by: "ride_date", key: ["ride_date", "city"], sql: SQL },
        columns: [
          { name: "city", type: "string" },
          { name: "rides", type: "bigint" },
          { name: "bikes", type: "bigint" },
          { name: "minutes", type: "bigint" },
          { name: "ride_date", type: "date" },
        ],
      },
    ],
  });
  const { columns, partitionKeys } = modelTable(model);
  expect(columns.map(({ name }) => name)).toEqual(["city", "rides", "bikes", "minutes"]);
  expect(columns[0]).toEqual({ name: "city", type: "string", comment: "A dash where it is not known." });
  expect(partitionKeys).toEqual([{ name: "ride_date", type: "date" }]);
});

test.each<[Record<string, unknown>, { name?: string } | undefined, string[]]>([
  [
    { kind: "star" },
    undefined,
    ["kind is unknown: a model may hold description, inputs, recomputeBy, key, columns"],
  ],
  [
    { inputs: ["others"] },
    undefined,
    ['inputs must be ["rides"], the table that the pipeline publishes, got ["others"]'],
  ],
  [
    { inputs: ["rides", "more"] },
    undefined,
    ['inputs must be ["rides"], the table that the pipeline publishes, got ["rides","more"]'],
  ],
  [
    { recomputeBy: "city" },
    undefined,
    [
      'recomputeBy must be a date among the partition keys of rides (which are ride_date), got "city"',
      'columns must hold city as a date, since the model is recomputed by it, got "string"',
    ],
  ],
  [{ key: ["city"] }, undefined, ["key must hold ride_date, by which the model is recomputed"]],
  [{ key: ["ride_date", "town"] }, undefined, ["key must name columns of the model, got town"]],
  [{ key: [] }, undefined, ["key must be a list of at least one text, got []"]],
  [
    { columns: { ride_date: { type: "date" } }, key: ["ride_date"] },
    undefined,
    ["columns must hold a column beside ride_date"],
  ],
  [
    {
      columns: {
        ride_date: { type: "date" },
        Rides: { type: "long" },
        city: { type: "decimal(40,2)", of: 1 },
      },
    },
    undefined,
    [
      "columns.Rides must be named in lower-case letters, digits and underscores, not beginning with a digit",
      'columns.Rides.type must be one of string, bigint, int, double, boolean, date, timestamp, decimal(p,s), got "long"',
      "columns.city.of is unknown: a column may hold type, description",
      'columns.city.type must be one of string, bigint, int, double, boolean, date, timestamp, decimal(p,s), got "decimal(40,2)"',
    ],
  ],
  [{}, { name: "rides" }, [' must not have the name of the published table, got "rides"']],
  [
    {},
    { name: "rides-by-city" },
    [
      ' must be named <table>.model.json, the table in lower-case letters, digits and underscores, got "rides-by-city"',
    ],
  ],
])("%j %j is refused", (change, named, mistakes) => {
  expect(mistakesOf(change, named)).toEqual(mistakes);
});

test.each([
  "select 1 as x from rides",
  "select 1 as x from rides;\n",
  "-- insert nothing; really\nselect /* drop */ `update`, ';' as x from `rides`",
  "with days as (select * from rides), more as (select * from days) select * from more join rides using (ride_date)",
  "select extract(year from started_at) as y, trim(both 'x' from city) as c from rides",
  "(select 1 as x from rides) union all select max(first) from (select 1 as first from rides)",
  "select r.now, 'it''s' as x, \"a\\\"b\" as y from rides r",
])("%s is a SELECT", (sql) => {
  expect(selectMistakes(sql, "rides")).toEqual([]);
});

test.each<[string, string[]]>([
  ["", ["must be one SELECT, and is empty"]],
  ["-- nothing", ["must be one SELECT, and is empty"]],
  ["select 'x from rides", ["has a ' that does not end"]],
  ["select 1 /* from rides", ["has a comment that does not end"]],
  ["describe rides", ["must begin with select or with, got 'describe'", "must read rides"]],
  [
    "select 1 from rides; select 2 from rides",
    ["must be one SELECT, and has several statements: leave out ';'"],
  ],
  [
    "with x as (select 1) insert overwrite rides select * from x",
    [
      "must only read, got insert, overwrite; a column of such a name goes between backquotes",
      "must read rides",
    ],
  ],
  ["select (1 from rides", ["has parentheses that do not match"]],
  ["select 1) as x, (2 from rides", ["has parentheses that do not match"]],
  ["select * from elsewhere.rides", ["must read rides alone, got elsewhere.rides"]],
  ["select * from rides join events on true", ["must read rides alone, got events"]],
  ["select 1 as x", ["must read rides"]],
  [
    "select current_date, rand(1), first(city) from rides",
    ["must give the same rows whenever it is run, and uses current_date, rand, first"],
  ],
])("%s is refused", (sql, mistakes) => {
  expect(selectMistakes(sql, "rides")).toEqual(mistakes);
});
