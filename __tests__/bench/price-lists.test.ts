import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { lastRun, npmStart, said } from "./commands";
import { deployedClone } from "./deployed-clone";

/**
 * The price lists of two suppliers, one of CSV in bzip2 and one of XML, by the command of the README: Glue's Spark 3.5 reads XML with the
 * jar that the job brings along.
 */

const MINUTES = 60_000;
/** The prices of each day and supplier, as `glue-scripts/tests/test_price_lists.py` proves them by the rule. */
const PRICES = { acme: 1181 + 855 + 1122, bolt: 159 + 74 + 136 };
let clone: string;
let input: string;

beforeAll(() => {
  clone = deployedClone("price-lists");
  input = mkdtempSync(join(tmpdir(), "price-lists-"));
}, 10 * MINUTES);

afterAll(() => {
  rmSync(dirname(clone), { recursive: true, force: true });
  rmSync(input, { recursive: true, force: true });
});

const start = (...args: string[]) => npmStart(clone, "--pipeline", "stg-price-lists", ...args);

test(
  "the sample is read whole, and a second run adds nothing",
  () => {
    for (const run of ["first", "second"]) {
      const { exitCode, output } = start();
      expect([run, exitCode, output]).toEqual([run, 0, expect.stringContaining("SUCCEEDED")]);
      const { rows } = lastRun(clone) as { rows: object };
      const all = PRICES.acme + PRICES.bolt;
      expect(rows).toMatchObject({ read: all, written: all, duplicates: 0, quarantined: {} });
    }
    const sums = npmStart(
      clone,
      ...["query", "--format", "csv"],
      "select delivered_by, supplier, count(*), count(distinct source_file), max(list_price) from etl_dev_processed.stg_price_lists group by 1, 2 order by 1",
    );
    expect(sums.output).toContain(`acme,ACME,${PRICES.acme},3,`);
    expect(sums.output).toContain(`bolt,BOLT,${PRICES.bolt},3,`);
  },
  20 * MINUTES,
);

test(
  "days of the shop become lists of those days, and XML without the row tag ends the run by its name",
  () => {
    copyFileSync(join(clone, "pipelines", "shop", "sample", "2010-12-02.csv"), join(input, "2010-12-02.csv"));
    expect(start("--input", input).exitCode).toBe(0);
    // A product without a price that day has none: the shop begins with it.
    expect(lastRun(clone).rows).toMatchObject({ read: 851 + 72, written: 851 + 72 });
    const day = join(input, "price-lists", "dt=2010-12-02");
    mkdirSync(day, { recursive: true });
    writeFileSync(join(day, "bolt.xml"), "<prices><cost/></prices>");
    const failed = start("--input", input);
    expect(failed.exitCode).toBe(1);
    expect(said(failed)).toContain("InvalidDelivery");
    expect(lastRun(clone).cause).toContain("bolt.xml: it has no element <price> (x-etl.format.rowTag)");
  },
  20 * MINUTES,
);
