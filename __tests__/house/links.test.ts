import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { ROOT } from "../support/clone";

/** Links of all pages lead to a file of the repository and, after a `#`, to one of its headings. */

const PAGES = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((page) => page !== "" && existsSync(join(ROOT, page)));

const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");
const prose = (text: string): string => text.replace(/```.*?```/gs, "");

/** The anchors of a page, as GitHub makes them from headings. */
function anchorsOf(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function brokenLinks(page: string, text: string): string[] {
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(target === page ? text : read(target)).includes(anchor);
    })
    .map((link) => `${page}: ${link}`);
}

test("every link of every page leads to a file and a heading", () => {
  expect(PAGES).toContain("README.md");
  expect(PAGES.flatMap((page) => brokenLinks(page, read(page)))).toEqual([]);
});

test("a link without a file or a heading is found, in any page", () => {
  const text =
    "# Here\n[a](README.md#licence) [b](#here) [c](gone.md) [d](../README.md#gone) [e](https://a.example)";
  expect(brokenLinks("docs/state.md", text)).toEqual([
    "docs/state.md: README.md#licence",
    "docs/state.md: gone.md",
    "docs/state.md: ../README.md#gone",
  ]);
});
