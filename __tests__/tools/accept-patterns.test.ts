import { readFileSync } from "node:fs";
import { join } from "node:path";
import { acceptCommand, acceptPatterns, matches } from "../../tools/accept-patterns";
import { changesOf, type Names } from "../../tools/addresses";
import { changesText } from "../../tools/address-messages";

/** Patterns that `npm run addresses -- --accept` takes, and those that the message proposes. */

const recorded = JSON.parse(
  readFileSync(join(__dirname, "..", "environments", "addresses.json"), "utf8"),
) as Record<string, Names>;

test("a pattern spans types and parts of an address; an address matches itself alone", () => {
  expect(matches("*.Sales_*", "aws_glue_job.Sales_Transform_1")).toBe(true);
  expect(matches("*.Sales_*", "aws_glue_job.SalesTax_Transform_1")).toBe(false);
  expect(matches("aws_sns_topic.T", "aws_sns_topic.T2")).toBe(false);
});

test("addresses of one construct become one pattern, others are spelt out", () => {
  const gone = ["aws_glue_job.Toys_A", "aws_iam_role.Toys_B", "aws_sns_topic.T", "aws_glue_job.Old_A"];
  expect(acceptPatterns(gone, ["aws_glue_job.Toy_A"])).toEqual([
    "*.Toys_*",
    "aws_sns_topic.T",
    "aws_glue_job.Old_A",
  ]);
});

test("a pattern never matches an address that stays", () => {
  const gone = ["aws_glue_job.Toys_A", "aws_glue_job.Toys_B", "aws_iam_role.Toys_A", "aws_iam_role.Toys_B"];
  expect(acceptPatterns(gone, ["aws_iam_role.Toys_C"])).toEqual([
    "aws_glue_job.Toys_*",
    "aws_iam_role.Toys_A",
    "aws_iam_role.Toys_B",
  ]);
});

test("a command that is longer than a line is broken so that it can be pasted", () => {
  const addresses = ["aws_sns_topic.First", "aws_sqs_queue.Second", "aws_glue_job.Third"];
  const command = acceptCommand(addresses, []);
  expect(command.split("\n").every((line) => line.length <= 80)).toBe(true);
  expect(command.replaceAll("\\\n", "")).toBe(
    `npm run addresses -- ${addresses.map((address) => `--accept ${address}`).join(" ")}`,
  );
});

test("the message about a deleted pipeline is short, and its command accepts exactly the pipeline's addresses", () => {
  const names = recorded["etl-prod"]!;
  const current = Object.fromEntries(
    Object.entries(names).filter(([address]) => !address.includes(".Sales_")),
  );
  const text = changesText("etl-prod", changesOf(names, current), names, current)!;
  expect(text).toMatch(/^etl-prod: \d+ addresses are gone/);
  expect(text).toMatch(/\n {2}and \d+ more\n/);
  expect(text.split("\n").at(-1)).toBe("npm run addresses -- --accept '*.Sales_*'");
  expect(text.length).toBeLessThan(2_000);
  const accepted = Object.keys(names).filter((address) => matches("*.Sales_*", address));
  expect(accepted).toEqual(Object.keys(names).filter((address) => !(address in current)));
});
