import { balances, type Books } from "../../local/books";
import { sourcesLines } from "../../local/summary";

/** The figures of sources, as the bench shows and judges them. */

const figures = (read: number, written: number, duplicates: number, quarantined: number) => ({
  ...{ read, written, duplicates, quarantined, quarantinedByReason: {} },
});
const books = (more: Partial<Books> = {}): Books =>
  ({ ...figures(9, 6, 2, 1), files: 1, ...more }) as unknown as Books;
const sources = { tills: figures(4, 3, 1, 0), web: figures(5, 3, 1, 1) };

test("books balance only where those of each source do", () => {
  expect(balances(books())).toBe(true);
  expect(balances(books({ sources }))).toBe(true);
  // The sums are right, and no source is.
  const wrong = { tills: figures(5, 3, 1, 0), web: figures(4, 3, 1, 1) };
  expect(balances(books({ sources: wrong }))).toBe(false);
});

test("a summary has a line for each source, and says what is missing and what was skipped", () => {
  expect(sourcesLines(books())).toEqual([]);
  const missingSources = [{ source: "web", date: "2025-11-21" }];
  const [table, ...rest] = sourcesLines(books({ sources, missingSources, skipped: ["s3://raw/in/phone/"] }));
  expect(table!.split("\n").map((line) => line.replaceAll(/[│┌┐└┘├┤┬┴┼─\s]+/g, " ").trim())).toEqual(
    expect.arrayContaining(["source read written duplicates quarantined", "tills 4 3 1 0", "web 5 3 1 1"]),
  );
  expect(rest).toEqual(["missing sources: web on 2025-11-21", "skipped, no delivery: s3://raw/in/phone/"]);
});
