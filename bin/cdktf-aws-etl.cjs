#!/usr/bin/env node
// The command of the library. A release carries compiled files; in a checkout the sources are compiled on the way.
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const command = join("modules", "etl-orchestrator", "lint-command");

function load() {
  const source = join(root, `${command}.ts`);
  if (!existsSync(source)) return require(join(root, "dist", command));
  require("ts-node").register({ swc: true, project: join(root, "tsconfig.json") });
  return require(source);
}

const [verb, ...args] = process.argv.slice(2);
if (verb === "lint") {
  process.exitCode = load().lintCommand(args, (text) => process.stdout.write(text));
} else {
  const isHelp = verb === "--help" || verb === "-h";
  process.stdout.write("Usage: cdktf-aws-etl lint [options] <file.asl.json …>\n");
  process.exitCode = isHelp ? 0 : 2;
}
