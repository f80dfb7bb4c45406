import { choosePipelines, missingPipeline, refuseUnknownPipeline } from "../../local/pipeline-choice";

/** A run deploys its pipeline, what that needs, and what is deployed already. */

const SHOP = [
  { name: "events" },
  { name: "sales" },
  { name: "old-toys" },
  { name: "star", needs: ["prices", "sales"] },
  { name: "prices", needs: ["old-toys"] },
];
const asked = { environment: "dev", all: SHOP, deployed: [] as string[] };

test("a first run deploys its own pipeline and no other", () => {
  expect(choosePipelines({ ...asked, pipeline: "events" })).toEqual({
    names: ["events"],
    text: "deploying events to dev",
  });
});

test("a run keeps what is deployed", () => {
  expect(choosePipelines({ ...asked, pipeline: "sales", deployed: ["old-toys", "events"] })).toEqual({
    names: ["events", "sales", "old-toys"],
    text: "deploying sales to dev; deployed already: events, old-toys",
  });
});

test("a run of a deployed pipeline adds nothing", () => {
  expect(choosePipelines({ ...asked, pipeline: "events", deployed: ["events"] })).toEqual({
    names: ["events"],
    text: "deployed already: events",
  });
});

test("a run deploys what its pipeline needs, and what that needs, in the registry's order", () => {
  expect(choosePipelines({ ...asked, pipeline: "star" }).names).toEqual([
    "sales",
    "old-toys",
    "star",
    "prices",
  ]);
});

test("pipelines that need each other are deployed together", () => {
  const all = [
    { name: "a", needs: ["b"] },
    { name: "b", needs: ["a"] },
  ];
  expect(choosePipelines({ ...asked, all, pipeline: "b" }).names).toEqual(["a", "b"]);
});

test("a needed pipeline that the environment does not have is reported", () => {
  const all = [{ name: "star", needs: ["sales"] }];
  expect(() => choosePipelines({ ...asked, all, pipeline: "star" })).toThrow(
    "--pipeline: star needs sales, which dev does not have; add its settings to environments/dev.ts",
  );
});

test("an unknown pipeline is reported with the known ones", () => {
  expect(() => refuseUnknownPipeline({ ...asked, pipeline: "evnts" })).toThrow(
    "--pipeline: dev has no pipeline 'evnts'; its pipelines are events, old-toys, prices, sales, star",
  );
});

describe("the user's own variable", () => {
  test("wins over what is deployed", () => {
    const given = "sales, events";
    expect(choosePipelines({ ...asked, pipeline: "events", deployed: ["events", "star"], given })).toEqual({
      names: ["sales", "events"],
      text: "deploying sales to dev; deployed already: events; removing star; chosen by ETL_DEV_PIPELINES",
    });
  });

  test("is not set when it is blank", () => {
    expect(choosePipelines({ ...asked, pipeline: "sales", given: " " }).names).toEqual(["sales"]);
  });

  test("must name the pipeline to run", () => {
    expect(() => choosePipelines({ ...asked, pipeline: "sales", given: "events" })).toThrow(
      "--pipeline: 'sales' is not in ETL_DEV_PIPELINES=events; add it there, or unset the variable",
    );
  });

  test("must name what the pipeline needs", () => {
    expect(() => choosePipelines({ ...asked, pipeline: "prices", given: "prices" })).toThrow(
      "--pipeline: 'old-toys', which prices needs, is not in ETL_DEV_PIPELINES=prices;",
    );
  });
});

describe("a table that Athena does not find", () => {
  const reason = (table: string) =>
    `the query ended FAILED: TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.etl_dev_curated.${table}' does not exist`;

  test.each([
    ["sales", "sales"],
    ["sales_revenue", "sales"],
    ["old_toys", "old-toys"],
  ])("%s is made by the pipeline %s", (table, pipeline) => {
    expect(missingPipeline(reason(table), ["events", "sales", "old-toys"])).toBe(pipeline);
  });

  test.each([["salesmen"], ["toys"]])("%s is made by no pipeline", (table) => {
    expect(missingPipeline(reason(table), ["events", "sales", "old-toys"])).toBeUndefined();
  });

  test("says nothing about other failures", () => {
    expect(missingPipeline("SYNTAX_ERROR: line 1: sales", ["sales"])).toBeUndefined();
  });
});
