import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";

/** The figures of a run or of one of its dates, as the job wrote them down. */
export interface Figures {
  readonly read: number;
  readonly written: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly quarantinedByReason: Readonly<Record<string, number>>;
  readonly files: number;
}

/** What the job made of its quality rules. */
export interface Quality {
  readonly verdict: string;
  /** Whole percent. */
  readonly score: number;
  readonly threshold: number;
  /** The failed rules with their counts; empty when none failed. */
  readonly failed: string;
}

/** Rejected rows with one reason and one column; `file` and `line` are those of the first of them, of a refused run alone. */
export interface Rejected {
  readonly reason: string;
  /** Empty where the reason is about the row as a whole. */
  readonly column: string;
  readonly expected: string;
  readonly rows: number;
  readonly file?: string;
  readonly line?: number | null;
}

/** What the job says of a refusal. The rest is there where rejected rows are kept. */
export interface Refused {
  /** One sentence: which rules failed. */
  readonly cause: string;
  readonly rows?: number;
  /** `database.table`; empty where none is declared. */
  readonly table?: string;
  /** Shows the rows; empty without a table. */
  readonly query?: string;
}

export interface Books extends Figures {
  readonly reasons: readonly Rejected[];
  /** Of a refused run alone. */
  readonly refused?: Refused;
  readonly outcome: string;
  readonly quality: Quality;
  /** How the crawled columns differ from the contract; empty when they do not. */
  readonly drift: string;
  readonly restated: { readonly dates: readonly string[] };
  readonly seconds: number;
  readonly dates: readonly (Figures & { readonly runDate: string })[];
}

/** The books of a run; `undefined` when the job left none. */
export async function readBooks(
  s3: S3Client,
  bucket: string,
  pipeline: string,
  execution: string,
): Promise<Books | undefined> {
  try {
    const key = `books/${pipeline}/${execution}/books.json`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return JSON.parse(await Body!.transformToString()) as Books;
  } catch (error) {
    if ((error as Error).name === "NoSuchKey") return undefined;
    throw error;
  }
}

export function balances({ read, written, duplicates, quarantined }: Figures): boolean {
  return read === written + duplicates + quarantined;
}
