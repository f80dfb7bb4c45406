import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lockMistakes } from "../../tools/provider-lock";
import { ROOT } from "../support/clone";

const LOCK = readFileSync(join(ROOT, "ci", "terraform.lock.hcl"), "utf8");
const AWS = "registry.terraform.io/hashicorp/aws";

test("the committed lock has the provider that the stacks need", () => {
  expect(lockMistakes(LOCK, [{ source: "aws", version: "5.100.0" }])).toEqual([]);
  expect(lockMistakes(LOCK, [{ source: "hashicorp/aws", version: "5.100.0" }])).toEqual([]);
});

test("another version, a provider without a lock and an unneeded provider are reported", () => {
  expect(lockMistakes(LOCK, [{ source: "aws", version: "6.25.0" }])).toEqual([
    `${AWS}: stacks need 6.25.0, the lock has 5.100.0`,
  ]);
  expect(lockMistakes(LOCK, [{ source: "example.org/shop/mill", version: "1.0.0" }])).toEqual([
    "example.org/shop/mill: stacks need 1.0.0, the lock has nothing",
    `${AWS}: no stack needs it; remove it from the lock`,
  ]);
});
