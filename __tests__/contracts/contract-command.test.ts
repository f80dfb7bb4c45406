import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { contractCommand } from "../../contracts/contract-command";
import { ROOT } from "../support/clone";
import { type Change, changedContract, rulesFile } from "../support/contracts";

/** `cdktf-aws-etl contract check|compile` on real files. Two tests start Spark; the others must not. */

const PYTHON = join(ROOT, ".setup", "venv", "bin", "python");

let folder: string;
let contract: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "contract-"));
  contract = at("shop.schema.json");
});

afterEach(() => rmSync(folder, { recursive: true }));

const SALES_RULES = JSON.parse(readFileSync(rulesFile("sales"), "utf8")) as { rules: object[] };

/** Puts a contract of sales and its rules into the folder. */
function put(change: Omit<Change, "of"> = {}, ...rules: object[]): void {
  writeFileSync(contract, JSON.stringify(changedContract({ of: "sales", ...change })));
  writeFileSync(
    at("shop.quality.json"),
    JSON.stringify({ ...SALES_RULES, rules: [...SALES_RULES.rules, ...rules] }),
  );
}

/** The record of sales, which answers what `put` puts. */
const putRecord = (): void =>
  writeFileSync(
    at("shop.spark.json"),
    readFileSync(join(ROOT, "pipelines", "sales", "sales.spark.json"), "utf8"),
  );

/** A program that stands for Python; it runs a line of shell. */
function program(line: string): string {
  const file = at("python");
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A program that leaves a trace when it runs, and fails. */
const trap = (): string => program(`touch '${at("has-run")}'; exit 1`);

function run(...args: string[]): { code: number; said: string } {
  return runIn({}, ...args);
}

function runIn(environment: Record<string, string>, ...args: string[]): { code: number; said: string } {
  let said = "";
  const code = contractCommand(args, (text) => (said += text), { ...process.env, ...environment });
  // Lines are broken between words.
  return { code, said: said.replaceAll(/\s+/g, " ") };
}

describe("check", () => {
  test("finds nothing in a contract that is right and recorded, and starts nothing", () => {
    put();
    putRecord();
    expect(runIn({ CDKTF_AWS_ETL_PYTHON: trap() }, "check", contract)).toEqual({
      code: 0,
      said: "1 contract, nothing found ",
    });
    expect(readdirSync(folder).sort()).toEqual([
      "python",
      "shop.quality.json",
      "shop.schema.json",
      "shop.spark.json",
    ]);
  });

  test("lists every mistake and warning of both files, by file and field", () => {
    put(
      { put: { "x-etl/lookbackDays": -1 } },
      { name: "odd", type: "customSql", expression: "nothing ?", atLeast: 1, action: "halt" },
    );
    const { code, said } = run("check", contract);
    expect(code).toBe(1);
    expect(said).toContain(`${contract} x-etl.lookbackDays must be a whole number from 0 to 36500, got -1`);
    expect(said).toContain(`${at("shop.quality.json")} rules[10].expression of odd must not hold '?'`);
    expect(said).toContain("2 mistakes, 0 warnings");
  });

  test("reports what Spark has not judged, with the command; a warning alone is no failure", () => {
    put({ take: ["x-etl/timestamp/timeZone"] });
    const open = run("check", contract);
    expect(open.code).toBe(1);
    const compile = `run npx cdktf-aws-etl contract compile ${contract}`;
    expect(open.said).toMatch(
      new RegExp(`the file \\d expressions have not been judged by Spark yet \\(.*?\\): ${compile}`),
    );
    expect(open.said).toContain(
      "the file 3 expressions have not been judged by Spark yet (rules[4] of dates_are_plausible, " +
        `rules[5] of sales_have_quantities, rules[6] of prices_are_not_negative): ${compile}`,
    );
    expect(open.said).toContain("2 mistakes, 1 warning");
    putRecord();
    const recorded = run("check", contract);
    expect(recorded.said).toContain("x-etl.timestamp.timeZone [warning] is missing: ");
    expect(recorded.said).toContain("0 mistakes, 1 warning");
    expect(recorded.code).toBe(0);
  });

  test("compares the recorded types with the declared ones", () => {
    put({ put: { "x-etl/computed/total_amount/type": "string" }, take: ["x-etl/aggregate"] });
    putRecord();
    expect(run("check", contract).said).toContain(
      "x-etl.computed.total_amount.expression must be string, is decimal(29,2)",
    );
  });

  test("reports a record that is broken, and answers that nothing asks for", () => {
    put({ take: ["x-etl/aggregate"] });
    putRecord();
    const { code, said } = run("check", contract);
    expect(code).toBe(0);
    expect(said).toContain(
      `${at("shop.spark.json")} answers [warning] holds an answer that nothing asks for`,
    );
    expect(said).toContain("to 'sum(total_amount)': compile the contract");
    expect(said).toContain("0 mistakes, 3 warnings");
    // Without the rules, their answers have no use that is known.
    rmSync(at("shop.quality.json"));
    expect(run("check", contract).said).toBe("1 contract, nothing found ");
    writeFileSync(at("shop.spark.json"), "<<<<<<< main");
    expect(run("check", contract).said).toMatch(/shop\.spark\.json the file is not valid JSON: /);
  });

  test("takes several contracts, rules from elsewhere, and gives JSON", () => {
    put();
    putRecord();
    const other = at("other.schema.json");
    writeFileSync(other, "{\n  nothing\n}");
    writeFileSync(at("rules.json"), JSON.stringify({ threshold: 101, rules: [{ ...SALES_RULES.rules[0] }] }));
    const { code, said } = run("check", contract, other, "--json");
    expect(code).toBe(1);
    expect(JSON.parse(said)).toEqual([
      {
        file: other,
        kind: "mistake",
        field: "",
        message: expect.stringMatching(/^is not valid JSON: .*line 2 column 3\)$/) as string,
      },
    ]);
    expect(run("check", contract, "--quality", at("rules.json")).said).toContain(
      `${at("rules.json")} threshold must be a whole number from 0 to 100, got 101`,
    );
    expect(run("check", contract, contract).said).toBe("2 contracts, nothing found ");
  });
});

describe("compile", () => {
  test("asks Spark, and writes the record and the plan; then there is nothing to ask", () => {
    put();
    const first = run("compile", contract);
    expect(first.said).toContain("asking Spark 9 questions …");
    expect(first.said).toContain(`wrote ${at("shop.spark.json")} wrote ${at("shop.plan.json")}`);
    expect(first.code).toBe(0);
    expect(readFileSync(at("shop.spark.json"), "utf8")).toBe(
      readFileSync(join(ROOT, "pipelines", "sales", "sales.spark.json"), "utf8"),
    );
    const plan = JSON.parse(readFileSync(at("shop.plan.json"), "utf8")) as {
      contract: object;
      quality: object;
    };
    expect(plan.contract).toHaveProperty("businessKey");
    expect(plan.quality).toHaveProperty("threshold", 80);

    const files = ["shop.spark.json", "shop.plan.json"].map(at);
    const before = files.map((file) => readFileSync(file));
    const again = run("compile", contract, "--python", trap());
    expect(again.said).toContain(`${files[0]} is as it was ${files[1]} is as it was`);
    expect(again.code).toBe(0);
    expect(existsSync(at("has-run"))).toBe(false);
    expect(files.map((file) => readFileSync(file))).toEqual(before);
  }, 60_000);

  test("prints what Spark refuses by field, with the types that do not fit, and writes nothing", () => {
    put(
      {
        put: {
          "x-etl/computed/total_amount": { expression: "quantity * unit_price", type: "string" },
          "x-etl/computed/odd": { expression: "quantity like", type: "string" },
          "x-etl/shapes/online_retail/CustomerID/clean": [{ replace: "(a)", with: "$2" }],
          "x-etl/shapes/online_retail/Country": { column: "region", clean: [{ replace: "a{2", with: "" }] },
        },
        take: ["x-etl/aggregate", "x-etl/timestamp/timeZone"],
      },
      { name: "mixed", type: "customSql", expression: "region > 5", atLeast: 1, action: "halt" },
    );
    const { code, said } = run("compile", contract);
    const [before, ...found] = said.split(/(?=x-etl\.|rules\[)/);
    expect(before).toContain("asking Spark 9 questions …");
    expect(found).toEqual([
      "x-etl.shapes.online_retail.CustomerID.clean[0].with names the group 2, and 'replace' has 1 ",
      expect.stringMatching(/Country\.clean\[0\]\.replace is not a regular expression for Java: Unclosed /),
      "x-etl.computed.total_amount.expression must be string, is decimal(30,4) ",
      expect.stringMatching(
        /^x-etl\.computed\.odd\.expression is not valid for Spark: \[PARSE_SYNTAX_ERROR\]/,
      ),
      expect.stringMatching(/^x-etl\.timestamp\.timeZone \[warning\] /),
      expect.stringMatching(
        /^rules\[10\]\.expression of mixed compares or joins \w+ and string: write the literal .* 5 mistakes, 1 warning $/,
      ),
    ]);
    expect(code).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(["shop.quality.json", "shop.schema.json"]);
  }, 60_000);

  test("asks only what has no answer, unless all is to be asked again", () => {
    put({}, { name: "new", type: "customSql", expression: "quantity < 99", atLeast: 1, action: "halt" });
    putRecord();
    const answers = (count: number): string =>
      program(
        `cat > '${at("asked.json")}'; echo '${JSON.stringify({ answers: Array(count).fill({ type: "boolean" }) })}'`,
      );
    const asked = (): { kind: string }[] =>
      (JSON.parse(readFileSync(at("asked.json"), "utf8")) as { questions: { kind: string }[] }).questions;

    expect(run("compile", contract, "--python", answers(1)).code).toBe(0);
    expect(asked()).toEqual([
      { kind: "condition", expression: "quantity < 99", columns: { quantity: "bigint" } },
    ]);
    expect(readFileSync(at("shop.spark.json"), "utf8")).toContain('"quantity < 99"');

    expect(runIn({ CDKTF_AWS_ETL_PYTHON: answers(10) }, "compile", contract, "--again").said).toContain(
      "x-etl.computed.transaction_type.expression must be string, is boolean",
    );
    expect(asked()).toHaveLength(10);
    // A record that cannot be read is made anew.
    writeFileSync(at("shop.spark.json"), "<<<<<<< main");
    run("compile", contract, "--python", answers(10));
    expect(asked()).toHaveLength(10);
  });

  test("leaves out answers that nothing asks for, and removes a record that is not needed", () => {
    put({ take: ["x-etl/aggregate"] });
    putRecord();
    expect(run("compile", contract).code).toBe(0);
    expect(readFileSync(at("shop.spark.json"), "utf8")).not.toContain("aggregate");
    expect(run("check", contract).said).toBe("1 contract, nothing found ");

    const [rows] = SALES_RULES.rules;
    writeFileSync(at("shop.quality.json"), JSON.stringify({ threshold: 80, rules: [rows] }));
    const document = changedContract({ of: "customers" });
    writeFileSync(contract, JSON.stringify(document));
    const { said } = run("compile", contract, "--python", trap());
    expect(said).toContain(`removed ${at("shop.spark.json")}: the contract has no question for Spark`);
    expect(existsSync(at("shop.spark.json"))).toBe(false);
    expect(existsSync(at("has-run"))).toBe(false);
  });

  test("does not ask Spark about a contract with mistakes of its own", () => {
    put({ put: { "x-etl/lookbackDays": -1 } });
    const { code, said } = run("compile", contract, "--python", trap());
    expect(said).toContain("x-etl.lookbackDays must be a whole number");
    expect(said).toContain("1 mistake, 0 warnings");
    expect(code).toBe(1);
    expect(existsSync(at("has-run"))).toBe(false);
    expect(existsSync(at("shop.plan.json"))).toBe(false);
  });

  test("writes the plan where it is asked for, with rules from elsewhere", () => {
    put();
    putRecord();
    mkdirSync(at("plans"));
    expect(run("compile", contract, "--plan", at("plans/shop.json")).code).toBe(0);
    expect(readdirSync(at("plans"))).toEqual(["shop.json"]);
    rmSync(at("shop.quality.json"));
    writeFileSync(at("rules.json"), JSON.stringify({ threshold: 33, rules: SALES_RULES.rules.slice(0, 1) }));
    expect(run("compile", contract, "--quality", at("rules.json")).code).toBe(0);
    expect(readFileSync(at("shop.plan.json"), "utf8")).toContain('"threshold": 33');
    const { code, said } = run(
      "compile",
      contract,
      "--plan",
      at("nowhere/shop.json"),
      "--quality",
      at("rules.json"),
    );
    expect(said).toContain(`${at("nowhere/shop.json")} cannot be written (ENOENT)`);
    expect(code).toBe(2);
  });

  const NAME_IT = "name a Python that has PySpark with --python, or in CDKTF_AWS_ETL_PYTHON";
  test.each([
    ["is missing", undefined, {}, `cannot be run (ENOENT); ${NAME_IT}`],
    ["has no PySpark", `exec '${PYTHON}' -S "$@"`, {}, "has no PySpark; type "],
    [
      "has an old PySpark",
      `PYTHONPATH="$PYTHONPATH:$OLD" exec '${PYTHON}' -S "$@"`,
      {},
      "PySpark 3.5 or later is needed",
    ],
    [
      "finds no Java",
      `exec '${PYTHON}' "$@"`,
      { JAVA_HOME: "/nowhere" },
      "install Java 17, and set JAVA_HOME to it",
    ],
    ["fails", "echo first >&2; echo last >&2; exit 3", {}, "failed: first last"],
    ["is killed", "kill -9 $$", {}, `cannot be run (SIGKILL); ${NAME_IT}`],
    ["is another program", "true", {}, `did not answer as Python does; ${NAME_IT}`],
  ])(
    "a Python that %s is reported, with what to type",
    (_what, line, environment, words) => {
      put();
      mkdirSync(at("old/pyspark"), { recursive: true });
      writeFileSync(at("old/pyspark/__init__.py"), '__version__ = "3.2.0"');
      const python = line === undefined ? at("none") : program(line);
      const { code, said } = runIn(
        { ...environment, OLD: at("old") },
        "compile",
        contract,
        "--python",
        python,
      );
      expect(said).toContain("asking Spark 9 questions … Spark cannot be asked: ");
      expect(said).toContain(words);
      if (words.includes("PySpark")) expect(said).toContain("--python");
      expect(code).toBe(2);
      expect(existsSync(at("shop.spark.json"))).toBe(false);
    },
    30_000,
  );
});

test.each([
  [[], "give a verb, check or compile, got nothing"],
  [["lint"], "give a verb, check or compile, got lint"],
  [["check"], "name at least one contract"],
  [["check", "a.schema.json", "--plan", "x"], "Unknown option '--plan'"],
  [["check", "a.schema.json", "b.schema.json", "--quality", "x"], "--quality goes with one contract, got"],
  [["check", "none.schema.json"], "none.schema.json cannot be read (ENOENT)"],
  [["check", "a.quality.json"], "a.quality.json is not a contract: name a.schema.json"],
  [["check", "a.spark.json"], "a.spark.json is not a contract: name a.schema.json"],
  [["compile"], "name one contract, got nothing"],
  [["compile", "a.schema.json", "b.schema.json"], "name one contract, got a.schema.json b.schema.json"],
  [["compile", "a.schema.json", "--json"], "Unknown option '--json'"],
  [["compile", "a.plan.json"], "a.plan.json is not a contract: name a.schema.json"],
])("%j is a wrong command line", (args, words) => {
  const { code, said } = run(...args);
  expect(said).toContain(words);
  expect(said).toContain("(see cdktf-aws-etl contract --help)");
  expect(code).toBe(2);
});

test("compile needs quality rules", () => {
  put();
  rmSync(at("shop.quality.json"));
  expect(run("compile", contract)).toEqual({
    code: 2,
    said: `${at("shop.quality.json")} does not exist: write the quality rules, or name their file with --quality (see cdktf-aws-etl contract --help) `,
  });
  expect(run("check", contract, "--quality", at("shop.quality.json")).said).toContain(
    "cannot be read (ENOENT)",
  );
});

test("the command of the package runs it, with help of at most 80 columns", () => {
  const cli = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, "bin", "cdktf-aws-etl.cjs"), "contract", ...args], {
      encoding: "utf8",
    });
  const { status, stdout } = cli("--help");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Usage: cdktf-aws-etl contract check /);
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  put({ put: { "x-etl/lookbackDays": -1 } });
  const checked = cli("check", contract);
  expect(checked.status).toBe(1);
  expect(checked.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
}, 30_000);

describe("the page of commands", () => {
  const SHIPMENTS = join(ROOT, "examples", "parcel-scans", "shipments");
  const page = readFileSync(join(ROOT, "docs", "reference", "commands.md"), "utf8");
  const [mistakes, unjudged, compiled] = [...page.matchAll(/^```text\n(.*?)^```$/gms)]
    .map(([, text]) => text!)
    .filter((text) => text.includes("shipments.schema.json"));

  interface Shipments {
    "x-etl": {
      format: { delimiter: string };
      timestamp: { timeZone?: string };
      computed: { insured_value: { expression: string } };
      lookbackdays?: number;
    };
  }

  /** Puts the files of shipments into the folder, with a change, and prints what a command says of them as it is. */
  function printed(words: readonly string[], change: (contract: Shipments["x-etl"]) => void): string {
    for (const kind of ["schema", "quality", "spark"])
      copyFileSync(join(SHIPMENTS, `shipments.${kind}.json`), at(`shipments.${kind}.json`));
    const file = at("shipments.schema.json");
    const document = JSON.parse(readFileSync(file, "utf8")) as Shipments;
    change(document["x-etl"]);
    writeFileSync(file, JSON.stringify(document));
    let said = "";
    const here = process.cwd();
    process.chdir(folder);
    try {
      contractCommand([...words, "shipments.schema.json"], (text) => (said += text), process.env);
    } finally {
      process.chdir(here);
    }
    return said;
  }

  function ask(contract: Shipments["x-etl"]): void {
    delete contract.timestamp.timeZone;
    contract.computed.insured_value.expression = "case when insured then goods_value else 0 end";
  }

  test("shows mistakes as check prints them", () => {
    const said = printed(["check"], (contract) => {
      contract.format.delimiter = ";;";
      contract.lookbackdays = 7;
    });
    expect(said).toBe(mistakes);
  });

  test("shows what check prints after a change, and what compile prints then", () => {
    expect(printed(["check"], ask)).toBe(unjudged);
    const spark = program(`cat > '${at("asked")}'; echo '{"answers":[{"type":"decimal(12,2)"}]}'`);
    expect(printed(["compile", "--python", spark], ask)).toBe(compiled);
  });
});
