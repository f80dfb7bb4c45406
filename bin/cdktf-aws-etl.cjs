#!/usr/bin/env node
// The command of the library. A release contains compiled files; in a checkout ts-node compiles the sources.
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const LINT = join("definition-checks", "lint-command");
const CONTRACT = join("contracts", "contract-command");
const LAYER = join("modules", "etl-function", "layer-command");
const PLAN_REVIEW = join("plan-review", "plan-review-command");

function load(command) {
  const source = join(root, `${command}.ts`);
  if (!existsSync(source)) return require(join(root, "dist", command));
  require("ts-node").register({ swc: true, project: join(root, "tsconfig.json") });
  return require(source);
}

const [verb, ...args] = process.argv.slice(2);
const write = (text) => process.stdout.write(text);
if (verb === "lint") {
  process.exitCode = load(LINT).lintCommand(args, write);
} else if (verb === "contract") {
  process.exitCode = load(CONTRACT).contractCommand(args, write, process.env);
} else if (verb === "layer") {
  process.exitCode = load(LAYER).layerCommand(args, write, process.env);
} else if (verb === "plan-review") {
  process.exitCode = load(PLAN_REVIEW).planReviewCommand(args, write);
} else {
  const isHelp = verb === "--help" || verb === "-h";
  process.stdout.write(`Usage: cdktf-aws-etl contract check|compile [options] <name.schema.json>
       cdktf-aws-etl layer build --requirements <file> --out <file.zip> [options]
       cdktf-aws-etl lint [options] <file.asl.json …>
       cdktf-aws-etl plan-review [options] <plan.json>\n`);
  process.exitCode = isHelp ? 0 : 2;
}
