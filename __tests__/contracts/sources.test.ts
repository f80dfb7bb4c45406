import { compilePlan } from "../../contracts/compile-plan";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { contractTables } from "../../contracts/contract-tables";
import { mistakeText } from "../../modules/core/refusals";
import { SHOPS_RULES, shopsContract, TILLS, WEB } from "../support/shops";

/** Contracts with several sources: what each row sees, and every mistake by its full message. */

type Node = Record<string, unknown>;

const said = (contract: Node) => contractMistakes(contract).map(mistakeText);
/** The contract's `x-etl` without a key. */
const without = (key: string): Node =>
  Object.fromEntries(Object.entries(shopsContract()["x-etl"] as Node).filter(([name]) => name !== key));
const others = (more: Node) => shopsContract({}, { tills: TILLS, web_shop: { ...WEB, ...more } });

test("a contract of two sources with other columns and formats is taken", () => {
  expect(said(shopsContract())).toEqual([]);
});

const FOLDER = "must be one or more folders of letters, digits, '_', '-' and '.', each ending in '/', e.g.";
const NAMED =
  "must be named by words of small letters and digits, joined by '_', of at most 20 characters, got";

test.each<[string, Node, string[]]>([
  ["no source", shopsContract({}, {}), ["'x-etl.sources' must hold 1 to 20 sources, got 0"]],
  [
    "sources as a list",
    shopsContract({ sources: [TILLS] }),
    [`'x-etl.sources' must be an object, got ${JSON.stringify([TILLS]).slice(0, 57)}...`],
  ],
  ...["Tills", "2tills", "web-shop", "web_", "web_2", "a".repeat(21), "__proto__x"].map(
    (name): [string, Node, string[]] => [
      `the name ${name}`,
      shopsContract({}, { [name]: TILLS }),
      [`'x-etl.sources.${name}' ${NAMED} "${name}"`],
    ],
  ),
  [
    "a key that no source has",
    others({ Folder: "x/" }),
    [
      "'x-etl.sources.web_shop.Folder' is unknown: a source may hold folder, endings, layout, unknownFolders, whenMissing, properties, format, shapes",
    ],
  ],
  ...[undefined, "", "/in/", "in", "in//web/", "../in/", "_in/", "in/dt=2025/", 7].map(
    (folder): [string, Node, string[]] => [
      `the folder ${String(folder)}`,
      others({ folder }),
      [
        `'x-etl.sources.web_shop.folder' ${FOLDER} "segment-logs/web_shop/", got ${folder === undefined ? "nothing" : JSON.stringify(folder)}`,
      ],
    ],
  ),
  [
    "another layout, and other words",
    others({ layout: "millis", unknownFolders: "ignore", whenMissing: "succeed" }),
    [
      "'x-etl.sources.web_shop.layout' must be one of dt, epochMillis, got \"millis\"",
      "'x-etl.sources.web_shop.unknownFolders' must be one of refuse, skip, got \"ignore\"",
      "'x-etl.sources.web_shop.whenMissing' must be one of fail, report, got \"succeed\"",
    ],
  ],
  [
    "the same folder twice",
    others({ folder: "in/tills/" }),
    ["'x-etl.sources.web_shop.folder' must not be or lie in that of tills, 'in/tills/', got \"in/tills/\""],
  ],
  [
    "a folder in another's",
    others({ folder: "in/" }),
    ["'x-etl.sources.web_shop.folder' must not be or lie in that of tills, 'in/tills/', got \"in/\""],
  ],
  [
    "ends of names without a dot",
    others({ endings: ["xml", ".csv"] }),
    ['\'x-etl.sources.web_shop.endings\' must hold ends of names like ".xml" or ".csv.bz2", got "xml"'],
  ],
  [
    "a folder that only one of its sources tells by endings",
    others({ folder: "in/tills/", endings: [".xml"] }),
    ["'x-etl.sources.web_shop.folder' must not be or lie in that of tills, 'in/tills/', got \"in/tills/\""],
  ],
  [
    "endings that one name may share",
    {
      ...shopsContract(),
      "x-etl": {
        ...(shopsContract() as { "x-etl": object })["x-etl"],
        sources: { tills: { endings: [".bz2"] }, web_shop: { endings: [".csv.bz2"] } },
      },
    },
    [
      "'x-etl.sources.web_shop.endings' must not hold '.csv.bz2', which a name may share with the endings of tills, .bz2",
    ],
  ],
  [
    "folders whose tables would have one name",
    others({ folder: "other/Tills/" }),
    [
      "'x-etl.sources.web_shop.folder' must end in another name than that of tills, 'in/tills/', got \"other/Tills/\": a crawler names a table after it",
    ],
  ],
  [
    "an empty name of the column of names",
    shopsContract({ sourceColumn: "" }),
    ["'x-etl.sourceColumn' must be a text, got \"\""],
  ],
  [
    "a column of a source whose name is taken",
    shopsContract({ sourceColumn: "till" }),
    [
      "'x-etl.output' must name a delivered, derived or computed column, got 'channel'; the columns are receipt, amount, till, sold, basket",
      "'x-etl.sourceColumn' of source tills must be another name: 'till' is taken",
    ],
  ],
  [
    "an output without the source's name",
    shopsContract({ output: ["receipt", "till"] }),
    ["'x-etl.output' must hold 'channel', the x-etl.sourceColumn"],
  ],
  [
    "a name that the job has",
    shopsContract({ sourceColumn: "run_date", output: ["receipt", "run_date"] }),
    ["'x-etl.sourceColumn' must have another name: the job adds a column of this name"],
  ],
  [
    "unknown sources otherwise",
    shopsContract({ unknownSources: "report" }),
    ["'x-etl.unknownSources' must be one of refuse, skip, got \"report\""],
  ],
  [
    "one name with two types",
    others({ properties: { ...(WEB.properties as Node), till: { type: "string" } } }),
    [
      "'x-etl.sources.web_shop.properties.till' must be of one type in every source, got string, and bigint in tills",
    ],
  ],
  [
    "a rule on a column that only one source delivers",
    shopsContract({
      reasons: [
        { reason: "malformed", rule: "notAnObject" },
        { reason: "missing_receipt", rule: "missing", column: "receipt" },
        { reason: "no_till", rule: "missing", column: "till" },
        { reason: "wrong_type", rule: "wrongType" },
      ],
    }),
    [
      "'x-etl.reasons[2].column' of source web_shop must name a property, got 'till'; the properties are receipt, amount, basket",
    ],
  ],
  [
    "a key that no source delivers",
    shopsContract({ businessKey: ["id"] }),
    [
      "'x-etl.output' must hold 'id' of x-etl.businessKey",
      "'x-etl.reasons' must hold a rule for 'id', which is required",
      "'x-etl.businessKey' of source tills must name a property, got 'id'; the properties are receipt, amount, till, sold",
      "'x-etl.businessKey' of source web_shop must name a property, got 'id'; the properties are receipt, amount, basket",
    ],
  ],
  [
    "an object in the lines of CSV, which another source may have",
    shopsContract(
      {},
      {
        tills: { ...TILLS, properties: { ...(TILLS.properties as Node), basket: { type: "object" } } },
        web_shop: WEB,
      },
    ),
    ["'x-etl.sources.tills.properties.basket' must not be an object: a line of CSV cannot hold one"],
  ],
  [
    "a format of its own that does not fit",
    shopsContract(
      { output: ["receipt", "channel"] },
      { tills: TILLS, web_shop: { ...WEB, format: { kind: "csv", columns: ["x"] }, properties: {} } },
    ),
    [
      "'x-etl.sources.web_shop.format.columns' must hold all names of the properties; of the properties it lacks receipt, amount",
    ],
  ],
  [
    "the contract's shapes, where a source is no CSV",
    shopsContract({ format: { kind: "jsonLines" }, shapes: { old: { R: "receipt", A: "amount" } } }),
    [
      "'x-etl.shapes' of source web_shop must be left out: shapes describe CSV headers, and x-etl.format is jsonLines",
    ],
  ],
])("refused: %s", (_, contract, messages) => {
  expect(said(contract)).toEqual(messages);
});

test("the column of the sources' names must be named", () => {
  const rest = without("sourceColumn");
  expect(said({ ...shopsContract(), "x-etl": rest })[0]).toBe(
    "'x-etl.sourceColumn' must name the column that holds the source's name, got nothing",
  );
});

test("a rule for values that are not allowed needs one source with such a column", () => {
  const reasons = [
    ...((shopsContract()["x-etl"] as Node).reasons as Node[]),
    { reason: "not_allowed", rule: "notAllowed" },
  ];
  const till = { type: "integer", minimum: 1 };
  const properties = { ...(TILLS.properties as Node), till };
  expect(said(shopsContract({ reasons }, { tills: { ...TILLS, properties }, web_shop: WEB }))).toEqual([]);
  expect(said(shopsContract({ reasons }))).toEqual([
    "'x-etl.reasons[3].rule' must not be notAllowed: no property has an enum or a range",
  ]);
});

test("words about sources need sources", () => {
  const rest = without("sources");
  const alone = { ...shopsContract(), "x-etl": { ...rest, output: ["receipt"], unknownSources: "skip" } };
  expect(said(alone)).toEqual([
    "'x-etl.sourceColumn' must be left out: there are no x-etl.sources",
    "'x-etl.unknownSources' must be left out: there are no x-etl.sources",
  ]);
});

test("the plan has each source with its columns, and what only others deliver", () => {
  const { plan, mistakes } = compilePlan(shopsContract(), SHOPS_RULES, [], "shops.schema.json");
  expect(mistakes).toEqual({ contract: [], quality: [] });
  const { contract } = plan as unknown as { contract: Node & { sources: Node[] } };
  expect(contract).toMatchObject({ sourceColumn: "channel", unknownSources: "refuse" });
  const names = (columns: unknown) => (columns as { name: string }[]).map(({ name }) => name);
  const [tills, web] = contract.sources;
  expect(tills).toMatchObject({
    ...{ name: "tills", table: "tills", folder: "in/tills/", endings: [], layout: "dt" },
    ...{ unknownFolders: "skip", whenMissing: "fail", format: { kind: "csv", delimiter: ";" } },
    given: [
      { name: "channel", type: "string", value: "tills" },
      { name: "basket", type: "string", value: null },
    ],
  });
  expect(names(tills!.columns)).toEqual(["receipt", "amount", "till", "sold"]);
  expect(web).toMatchObject({
    ...{ name: "web_shop", table: "web_shop", folder: "in/web-shop/", endings: [], layout: "epochMillis" },
    ...{ unknownFolders: "refuse", whenMissing: "report", format: { kind: "jsonLines" }, shapes: [] },
    given: [
      { name: "channel", type: "string", value: "web_shop" },
      { name: "till", type: "bigint", value: null },
      { name: "sold", type: "date", value: null },
    ],
  });
  expect(names(web!.columns)).toEqual(["receipt", "amount", "basket"]);
});

test("a source's own column takes the place of the common one", () => {
  const amount = { type: "number", "x-decimal": [10, 2], minimum: 0 };
  const reasons = [
    { reason: "malformed", rule: "notAnObject" },
    { reason: "missing_receipt", rule: "missing", column: "receipt" },
    { reason: "wrong_type", rule: "wrongType" },
    { reason: "not_allowed", rule: "notAllowed" },
  ];
  const contract = shopsContract(
    { reasons },
    {
      tills: { ...TILLS, properties: { ...(TILLS.properties as Node), amount } },
      web_shop: { ...WEB, properties: { ...(WEB.properties as Node), amount: { ...amount, minimum: 1 } } },
    },
  );
  const { plan, mistakes } = compilePlan(contract, SHOPS_RULES, [], "shops.schema.json");
  expect(mistakes).toEqual({ contract: [], quality: [] });
  const { sources } = (plan as unknown as { contract: { sources: { columns: Node[] }[] } }).contract;
  expect(sources.map(({ columns }) => (columns[1] as { bounds: Node }).bounds.minimum)).toEqual(["0", "1"]);
});

test("the table has the columns of all sources; each source is a place of its own", () => {
  const { output, sources } = contractTables(shopsContract());
  expect(output.columns).toEqual([
    { name: "receipt", type: "string" },
    { name: "amount", type: "decimal(10,2)" },
    { name: "channel", type: "string" },
    { name: "till", type: "bigint" },
    { name: "sold", type: "date" },
    { name: "basket", type: "string" },
  ]);
  expect(sources).toEqual([
    { name: "tills", folder: "in/tills/", layout: "dt", table: "tills" },
    {
      ...{ name: "web_shop", folder: "in/web-shop/", layout: "epochMillis", table: "web_shop" },
      refusesStrangers: true,
    },
  ]);
});

test("Spark is asked about the shapes of a source, at their place", () => {
  const clean = [{ replace: "x", with: "" }];
  const shapes = { old: { R: { column: "receipt", clean }, A: "amount", T: "till", S: "sold" } };
  const { questions } = compilePlan(
    shopsContract({}, { tills: { ...TILLS, shapes }, web_shop: WEB }),
    SHOPS_RULES,
    [],
    "shops.schema.json",
  );
  expect(questions.map(({ place }) => place)).toEqual(["x-etl.sources.tills.shapes.old.R.clean[0]"]);
});

test("a moment of one source without a zone is a warning, once", () => {
  const moment = { type: "string", "x-timestamp": { formats: ["yyyy-MM-dd HH:mm:ss"] } };
  const warnings = (contract: Node) =>
    compilePlan(contract, SHOPS_RULES, [], "shops.schema.json").warnings.map(([field]) => field);
  expect(warnings(others({ properties: { ...(WEB.properties as Node), at: moment } }))).toEqual([
    "x-etl.sources.web_shop.properties.at.x-timestamp.timeZone",
  ]);
  expect(warnings(shopsContract({}, undefined, { at: moment }))).toEqual([
    "properties.at.x-timestamp.timeZone",
  ]);
});
