import { readFileSync } from "node:fs";
import { join } from "node:path";
import { changesOf, type Names, namesOf } from "../../tools/addresses";
import { changesText } from "../../tools/address-messages";
import { ENVIRONMENTS } from "../../environments/registry";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";

/** Addresses and physical names are public: what changes them destroys something in somebody's account. */

const bucket = (name: string) => ({ bucket: name });
const sub = (of: string) => ({ bucket: `\${aws_s3_bucket.${of}.id}` });

function except(names: Names, ...gone: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(names).filter(([address]) => !gone.includes(address)));
}

function told(
  recorded: Names,
  current: Names,
  moved: { from: string; to: string }[] = [],
): string | undefined {
  return changesText("etl-prod", changesOf(recorded, current, moved), recorded, current);
}

describe("the names of resources", () => {
  test("are their own, or those of what they belong to, through any number of references", () => {
    const resource = {
      aws_s3_bucket: { A: bucket("lake-raw") },
      aws_s3_bucket_policy: { P: sub("A") },
      aws_s3_object: {
        O: { bucket: "${aws_s3_bucket_policy.P.bucket}", key: "scripts/845df86ebea3151f/job.py" },
      },
      aws_cloudwatch_event_rule: { R: { name: "failed" } },
      aws_cloudwatch_event_target: {
        T: { rule: "${aws_cloudwatch_event_rule.R.name}", target_id: "topic", arn: "x" },
      },
      aws_kms_key: { K: { description: "Encrypts" } },
      aws_sns_topic_policy: { S: { arn: "${aws_sns_topic.N.arn}" } },
      aws_sns_topic: { N: { name: "told" } },
    };
    expect(namesOf({ resource })).toEqual({
      "aws_cloudwatch_event_rule.R": "failed",
      "aws_cloudwatch_event_target.T": "failed/topic",
      "aws_kms_key.K": "",
      "aws_s3_bucket.A": "lake-raw",
      "aws_s3_bucket_policy.P": "lake-raw",
      "aws_s3_object.O": "lake-raw/scripts/<hash>/job.py",
      "aws_sns_topic.N": "told",
      "aws_sns_topic_policy.S": "told",
    });
  });
});

describe("a change", () => {
  const recorded = { "aws_s3_bucket.Old": "lake-raw", "aws_kms_key.Key": "", "aws_sns_topic.T": "told" };

  test("to nothing gives no text", () => expect(told(recorded, recorded)).toBeUndefined());

  test("of an address comes with the moved block, old and new filled in; a key without a name is known by its type", () => {
    const rest = except(recorded, "aws_s3_bucket.Old", "aws_kms_key.Key");
    const current = {
      ...rest,
      "aws_s3_bucket.New": "lake-raw",
      "aws_s3_bucket.Other": "other",
      "aws_kms_key.K2": "",
    };
    expect(told(recorded, current)?.split("\n")).toEqual([
      "etl-prod: 2 addresses are moved. Terraform would destroy the old resources and",
      "  create new ones, or refuse where they are guarded. Add these lines to MOVED in",
      "  environments/moved.ts:",
      '  { from: "aws_s3_bucket.Old", to: "aws_s3_bucket.New" }, // lake-raw',
      '  { from: "aws_kms_key.Key", to: "aws_kms_key.K2" },',
      'In a stack of your own: stack.addOverride("moved", [ the same lines ]), or on',
      '  the resource .moveFromId("aws_s3_bucket.Old"). Note the move in CHANGELOG.md,',
      "  then run: npm run addresses",
      "etl-prod: 1 address is new, and public once recorded. Run: npm run addresses",
      "  aws_s3_bucket.Other // other",
    ]);
  });

  test("that a moved block covers gives no text; a moved block to a wrong address is reported", () => {
    const rest = except(recorded, "aws_s3_bucket.Old");
    const current = { ...rest, "aws_s3_bucket.New": "lake-raw" };
    const to = (address: string) => [{ from: "aws_s3_bucket.Old", to: address }];
    expect(told(recorded, current, to("aws_s3_bucket.New"))).toBeUndefined();
    expect(told(recorded, current, to("aws_s3_bucket.Elsewhere"))).toContain("aws_s3_bucket.Elsewhere");
  });

  test("with two possible successors is not guessed", () => {
    const twins = { "aws_glue_job.A": "", "aws_glue_job.B": "" };
    const { moves, gone, added } = changesOf(twins, { "aws_glue_job.C": "", "aws_glue_job.D": "" });
    expect({ moves, gone: gone.length, added: added.length }).toEqual({ moves: [], gone: 2, added: 2 });
  });

  test("that destroys says that deleting data takes two keys, and how to accept it", () => {
    const current = except(recorded, "aws_s3_bucket.Old");
    const text = told(recorded, current);
    expect(text).toMatch(
      /^etl-prod: 1 address is gone,[^]*\n {2}aws_s3_bucket\.Old \/\/ lake-raw, which holds data\n/,
    );
    expect(text).toMatch(/only with 'retainData' false and\s+'allowDataDestruction' true, and never in prod/);
    expect(text).toMatch(/\nnpm run addresses -- --accept aws_s3_bucket\.Old$/);
  });

  test("of a physical name is shown with both names, and says that a moved block does not help", () => {
    const text = told(recorded, { ...recorded, "aws_sns_topic.T": "heard" });
    expect(text).toMatch(/a\s+moved block does not help:\n {2}aws_sns_topic\.T: 'told' became 'heard'\n/);
    expect(text).toMatch(/--accept aws_sns_topic\.T$/);
  });
});

describe("the record", () => {
  const recorded = JSON.parse(readFileSync(join(__dirname, "addresses.json"), "utf8")) as Record<
    string,
    Names
  >;

  test("has every environment, and no other", () => {
    const stacks = Object.values(ENVIRONMENTS).map(({ project, environment }) => `${project}-${environment}`);
    expect(Object.keys(recorded).sort()).toEqual(stacks.sort());
  });

  test.each(Object.keys(ENVIRONMENTS))("is what %s synthesises", (environment) => {
    const settings = settingsOf(environment);
    const stack = `${settings.project}-${environment}`;
    const json = synthEnvironment(settings);
    const current = namesOf(json);
    const moved = json.moved as { from: string; to: string }[] | undefined;
    const text = changesText(stack, changesOf(recorded[stack]!, current, moved), recorded[stack]!, current);
    if (text !== undefined) throw new Error(text);
    // Covered by moved blocks: still to be recorded.
    expect(Object.keys(current)).toEqual(Object.keys(recorded[stack]!));
  });

  test("no two resources of a type have one name, so that the guess of a move is one", () => {
    const names = Object.entries(recorded["etl-prod"]!).filter(([, name]) => name !== "");
    const keys = names.map(([address, name]) => `${address.split(".")[0]} ${name}`);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });
});
