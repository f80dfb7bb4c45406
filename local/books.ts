import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";

/** The figures of a run, or of one of its dates, as the job recorded them. */
export interface Figures {
  readonly read: number;
  readonly written: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly quarantinedByReason: Readonly<Record<string, number>>;
  readonly files: number;
}

/** The figures of one source. */
export type SourceFigures = Omit<Figures, "files">;

/** A source that had not delivered a date. */
export interface MissingSource {
  readonly source: string;
  readonly date: string;
}

/** The result of the quality rules. */
export interface Quality {
  readonly verdict: string;
  /** Whole percent. */
  readonly score: number;
  readonly threshold: number;
  /** The failed rules with their counts; empty when every rule passed. */
  readonly failed: string;
}

/** Rejected rows that share a reason and a column. Only a refused run has `file` and `line`: those of the first such row. */
export interface Rejected {
  readonly reason: string;
  /** Empty when the reason concerns the whole row. */
  readonly column: string;
  readonly expected: string;
  readonly rows: number;
  readonly file?: string;
  readonly line?: number | null;
}

/** Why a run was refused. The optional fields are set when the rejected rows are kept. */
export interface Refused {
  /** One sentence: which rules failed. */
  readonly cause: string;
  readonly rows?: number;
  /** `database.table`; empty when no table is declared. */
  readonly table?: string;
  /** A query that shows the rows; empty without a table. */
  readonly query?: string;
}

/** The rows of a table of every version by what they made; the first five and the quarantined are all that were read. */
export interface Changes {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  /** Rows that a later one of the same snapshot has replaced. */
  readonly superseded: number;
  /** Keys that a whole delivery lacks. */
  readonly deletedByAbsence: number;
  /** Deletes by a row of a key that was not there. */
  readonly deletedUnknown: number;
}

export interface Books extends Figures {
  /** Set only for a table of every version. */
  readonly changes?: Changes;
  readonly reasons: readonly Rejected[];
  /** Set only for a refused run. */
  readonly refused?: Refused;
  readonly outcome: string;
  readonly quality: Quality;
  /** How the crawled columns differ from the contract; empty when they do not. */
  /** "" if the source is as the contract says; `null` if a crawl cannot show its columns. */
  readonly drift: string | null;
  readonly restated: { readonly dates: readonly string[] };
  readonly seconds: number;
  readonly dates: readonly (Figures & { readonly runDate: string })[];
  /** Set only for a pipeline whose contract names sources, as the next two. */
  readonly sources?: Readonly<Record<string, SourceFigures>>;
  readonly missingSources?: readonly MissingSource[];
  /** URIs of what lies beside the deliveries. */
  readonly skipped?: readonly string[];
}

/** The books of a run; `undefined` when the job wrote no books. */
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

/** Tells whether the figures balance, and those of each source by itself. */
export function balances({ sources = {}, ...all }: SourceFigures & Pick<Books, "sources">): boolean {
  return [all, ...Object.values(sources)].every(
    ({ read, written, duplicates, quarantined }) => read === written + duplicates + quarantined,
  );
}
