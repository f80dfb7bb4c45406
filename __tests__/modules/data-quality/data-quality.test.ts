import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TerraformOutput, type TerraformStack } from "cdktf";
import { DataQuality, type DataQualityProps } from "../../../modules/data-quality/data-quality";
import { ROOT } from "../../support/clone";
import { changedContract } from "../../support/contracts";
import { Changes, droppedProps, refusal, synth, unknownText } from "../../support/synth";

const folder = mkdtempSync(join(tmpdir(), "etl-quality-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const COUNT = { name: "a_run_has_rows", type: "rowCount", atLeast: 1, action: "halt" };
const LIMIT = { name: "few", type: "quarantineLimit", reason: "malformed", atMost: 0.5, action: "warn" };
const ONE = file("one.json", { threshold: 80, rules: [COUNT] });
const TWO = file("two.json", { threshold: 70, rules: [COUNT, LIMIT] });
const contracts = (name: string): string => join(ROOT, "pipelines", name.split(".")[0]!, name);

const minimum: DataQualityProps = {
  rulesFile: ONE,
  table: { database: "etl_dev_processed", name: "events" },
};
const make = (stack: TerraformStack, props: Partial<DataQualityProps> = {}, id = "Quality") =>
  new DataQuality(stack, id, { ...minimum, ...props });

test("minimum: a query, and no resource", () => {
  const { counts, built } = synth((stack) => make(stack));
  expect(counts).toEqual({});
  expect(built.threshold).toBe(80);
  expect(built.rules).toEqual([{ ...COUNT, weight: 1 }]);
  expect(built.query.parameters).toEqual(["fromDate", "toDate", "written"]);
  expect(built.query.sql).toContain(
    'FROM "etl_dev_processed"."events"\n        WHERE "run_date" BETWEEN ? AND ?',
  );
});

test("every prop changed, two in one stack, and what was made can be read back", () => {
  const { built } = synth((stack) => {
    make(stack, {}, "Other");
    return make(stack, {
      rulesFile: TWO,
      contractFile: contracts("events.schema.json"),
      table: { database: "db", name: "rows" },
      quarantineTable: { database: "refused", name: "them" },
      partitionColumn: "day",
    });
  });
  expect(built.threshold).toBe(70);
  expect(built.rules.map(({ name }) => name)).toEqual([
    ...["a_run_has_rows", "few"],
    "lines_are_readable", // since "few" only warns
  ]);
  expect(built.query.sql).toContain('FROM "db"."rows"\n        WHERE "day" BETWEEN ? AND ?');
  expect(built.query.sql).toContain('FROM "refused"."them"\n        WHERE "day" BETWEEN ? AND ?');
});

test("the events pipeline's own rules hold with its contract", () => {
  const { built } = synth((stack) =>
    make(stack, {
      rulesFile: contracts("events.quality.json"),
      contractFile: contracts("events.schema.json"),
      quarantineTable: { database: "q", name: "events" },
    }),
  );
  const { rules } = JSON.parse(readFileSync(contracts("events.quality.json"), "utf8")) as { rules: object[] };
  expect(built.rules).toHaveLength(rules.length);
});

test("the limit of unreadable lines that holds by default needs the table of what was quarantined", () => {
  const props = {
    rulesFile: file("rows.json", { threshold: 0, rules: [COUNT] }),
    contractFile: contracts("events.schema.json"),
  };
  const sqlOf = (more: object) => synth((stack) => make(stack, { ...props, ...more })).built.query.sql;
  const [without, withTable] = [sqlOf({}), sqlOf({ quarantineTable: { database: "q", name: "events" } })];
  expect([without, withTable].map((sql) => sql.includes("lines_are_readable"))).toEqual([false, true]);
  expect(withTable).toContain("CASE WHEN \"reason\" = 'malformed' THEN 1 END");
});

test("no prop is dropped", () => {
  const build = (stack: TerraformStack, props: DataQualityProps): void => {
    const { query } = new DataQuality(stack, "Quality", props);
    new TerraformOutput(stack, "made", { value: { ...query } });
  };
  const unlike = { properties: {}, "x-etl": { output: [], reasons: [] } };
  const sets: [Required<DataQualityProps>, Required<DataQualityProps>] = [
    {
      rulesFile: TWO,
      contractFile: contracts("events.schema.json"),
      table: { database: "a", name: "b" },
      quarantineTable: { database: "c", name: "d" },
      partitionColumn: "e",
    },
    {
      rulesFile: ONE,
      contractFile: file("unlike.json", unlike),
      table: { database: "f", name: "g" },
      quarantineTable: { database: "h", name: "i" },
      partitionColumn: "j",
    },
  ];
  expect(droppedProps(new Changes(() => sets, build), { within: ["table", "quarantineTable"] })).toEqual([]);
});

test("refusals, all at once", () => {
  const rulesFile = file("wrong.json", {
    threshold: 80,
    rules: [
      COUNT,
      { name: "fresh", type: "freshness", column: "country", atMostHours: 1, action: "warn" },
      LIMIT,
    ],
  });
  expect(
    refusal((stack) =>
      make(stack, {
        rulesFile,
        contractFile: contracts("events.schema.json"),
        table: { database: "<database>", name: "Events" },
        partitionColumn: "",
      }),
    ),
  ).toBe(
    "DataQuality 'etl-dev/Quality': 'table.database' still holds a placeholder, got \"<database>\"; fill it in; " +
      "'table.name' must be 1 to 255 characters without capitals, got \"Events\"; " +
      "'partitionColumn' must be 1 to 255 characters without capitals, got \"\"; " +
      "'rulesFile.rules[1].column' of fresh must be timestamp for freshness, got 'country', which is string; " +
      "'quarantineTable' must be given: quarantineLimit rules count its rows",
  );
});

test("missing files and invalid ones", () => {
  const notJson = file("not.json", "{");
  expect(refusal((stack) => make(stack, { rulesFile: "rules.json", contractFile: notJson }))).toMatch(
    /^DataQuality 'etl-dev\/Quality': 'contractFile' is not valid JSON: .+; 'rulesFile' must be an absolute path, got 'rules\.json'; use join\(__dirname, …\)$/,
  );
  expect(refusal((stack) => make(stack, { rulesFile: file("list.json", []) }))).toBe(
    "DataQuality 'etl-dev/Quality': 'rulesFile' must be an object, got []",
  );
});

test("the contract's mistakes, all of them, with those of the rules", () => {
  const contractFile = file(
    "bad.json",
    changedContract({ of: "events", put: { "x-etl/onDirft": "fail", "x-etl/output/6": "land" } }),
  );
  const rulesFile = file("weightless.json", { threshold: 80, rules: [{ ...COUNT, weight: 0 }] });
  expect(refusal((stack) => make(stack, { contractFile, rulesFile }))).toBe(
    "DataQuality 'etl-dev/Quality': 'contractFile.x-etl.onDirft' is unknown: x-etl may hold businessKey, lookbackDays, " +
      "onDrift, reasons, timestamp, category, output, format, shapes, computed, partitionBy, aggregate, orderColumn, changes, sources, sourceColumn, unknownSources, dropped, dms; " +
      "'contractFile.x-etl.output' must name a delivered, derived or computed column, got 'land'; the columns are event_id, " +
      "user_id, event_type, timestamp, country, items, event_timestamp, event_date, event_category; " +
      "'rulesFile.rules[0].weight' of a_run_has_rows must be a whole number from 1 to 100, got 0",
  );
});

test("a query that is too long", () => {
  const values = Array.from({ length: 30_000 }, (_, index) => `value-${index}`);
  const rulesFile = file("long.json", {
    threshold: 80,
    rules: [{ name: "known", type: "allowedValues", column: "c", values, atLeast: 1, action: "warn" }],
  });
  expect(refusal((stack) => make(stack, { rulesFile }))).toMatch(
    /^DataQuality 'etl-dev\/Quality': 'rulesFile' must compile to a query of at most 261120 bytes, got \d{6}; list fewer values$/,
  );
});

test("what only Terraform can resolve is left alone", () => {
  const { outputs } = synth((stack) => {
    const { query } = make(stack, {
      table: { database: unknownText(), name: unknownText() },
      quarantineTable: { database: unknownText(), name: unknownText() },
      partitionColumn: unknownText(),
    });
    new TerraformOutput(stack, "sql", { value: query.sql });
  });
  expect(outputs.sql?.value).toContain('FROM "${local.elsewhere}"."${local.elsewhere}"');
});
