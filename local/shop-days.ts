import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Client } from "pg";
import type { DeliveredFile } from "./deliveries";
import { LOCAL, ROOT } from "./places";
import type { BenchPostgres } from "./postgres";
import { giveTo, unprivileged } from "./unprivileged";
import { UserError } from "./user-error";

/** The shop's database by days: each file of the input is a trading day, which changes its tables. */

/** A day of the input. */
export interface Day {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly path: string;
  readonly sha256: string;
}

/** A day that the database has. */
export interface AppliedDay {
  readonly date: string;
  readonly sha256: string;
  readonly isExtracted: boolean;
}

const sqlOf = (name: string): string => readFileSync(join(ROOT, "pipelines", "shop", `${name}.sql`), "utf8");

const COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
const QUOTED = COLUMNS.replaceAll(/\w+/g, '"$&"');
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** The days of an input, one file each, in their order. @throws UserError for two files of a day, or one of another kind */
export function daysOf(files: readonly DeliveredFile[]): Day[] {
  const days = files.map(({ name, path, sha256 }) => {
    const date = /^dt=(\d{4}-\d\d-\d\d)\//.exec(name)?.[1] ?? "";
    if (!path.endsWith(".csv"))
      throw new UserError(`--input: shop expects one file YYYY-MM-DD.csv a day, got '${path}'`);
    return { date, path, sha256 };
  });
  const twice = days.find(({ date }, index) => days.findIndex((day) => day.date === date) !== index);
  if (twice !== undefined)
    throw new UserError(`--input: shop expects one file a day, and ${twice.date} has several`);
  return [...days].sort((one, other) => (one.date < other.date ? -1 : 1));
}

export class ShopDatabase {
  private constructor(private readonly client: Client) {}

  static async open(database: BenchPostgres): Promise<ShopDatabase> {
    return new ShopDatabase(await database.connect());
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  /** The days that it has, in their order; none if it was never filled. */
  async applied(): Promise<AppliedDay[]> {
    const there = await this.client.query("select to_regclass('shop_days.days') is not null as is_there");
    if (!(there.rows as { is_there: boolean }[])[0]!.is_there) return [];
    const { rows } = await this.client.query(
      `select day::text as date, sha256, is_extracted as "isExtracted" from shop_days.days order by day`,
    );
    return rows as AppliedDay[];
  }

  /** Makes its tables anew and applies the days, in one transaction. Days that were extracted stay marked so. */
  async fillAfresh(days: readonly Day[], extracted: ReadonlySet<string> = new Set()): Promise<void> {
    await this.inTransaction(async () => {
      await this.client.query(sqlOf("create_tables"));
      for (const day of days) {
        await this.applyDay(day);
        if (extracted.has(day.date)) await this.noteExtracted(day.date);
      }
    });
  }

  /** Applies a day behind all others. */
  async apply(day: Day): Promise<void> {
    await this.inTransaction(() => this.applyDay(day));
  }

  async noteExtracted(date: string): Promise<void> {
    await this.client.query("update shop_days.days set is_extracted = true where day = $1", [date]);
  }

  private async applyDay({ date, path, sha256 }: Day): Promise<void> {
    const file = handOver(path, date);
    try {
      await this.client.query("truncate shop_days.file restart identity");
      // The server reads the file itself: it knows quotes, line ends and types best.
      const forced = QUOTED.replaceAll(/"(Quantity|InvoiceDate|UnitPrice)",?/g, "").replace(/,$/, "");
      await this.client.query(
        `copy shop_days.file (${QUOTED}) from '${file.replaceAll("'", "''")}' ` +
          `with (format csv, header match, encoding 'UTF8', force_not_null (${forced}))`,
      );
      await this.client.query(sqlOf("apply_day").replaceAll("${day}", date));
      await this.client.query("insert into shop_days.days values ($1, $2)", [date, sha256]);
    } catch (error) {
      const { message, where } = error as { message: string; where?: string };
      const at = where === undefined ? "" : ` (${where.split("\n")[0]})`;
      throw new UserError(`--input: '${path}' cannot be applied to the shop's database: ${message}${at}`);
    } finally {
      rmSync(file, { force: true });
    }
  }

  private async inTransaction(body: () => Promise<void>): Promise<void> {
    await this.client.query("begin");
    try {
      await body();
      await this.client.query("commit");
    } catch (error) {
      await this.client.query("rollback").catch(() => undefined);
      throw error;
    }
  }
}

/** A copy that the server's user can read. */
function handOver(path: string, date: string): string {
  const file = join(LOCAL, "postgres", "days", `${date}.csv`);
  mkdirSync(dirname(file), { recursive: true });
  const content = readFileSync(path);
  if (content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK))
    writeFileSync(file, content.subarray(BYTE_ORDER_MARK.length));
  else copyFileSync(path, file);
  giveTo(unprivileged(), dirname(file));
  giveTo(unprivileged(), file);
  return file;
}
