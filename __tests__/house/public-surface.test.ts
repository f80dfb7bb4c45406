import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { surfaceChanges, surfaceOf, unlistedChanges } from "../../tools/public-surface";
import { ROOT } from "../support/clone";

const report = (code: string): string => `## API Report\n\n\`\`\`ts\n\n${code}\n// (No comment)\n\n\`\`\`\n`;
const changelog = (...entries: string[]): string =>
  `# Changelog\n\n## Unreleased\n\n${entries.map((entry) => `- ${entry}\n`).join("")}\n## 0.1.0\n\n- \`Old\`, \`Job\` and \`flex\`.\n`;

const BEFORE = surfaceOf(
  report(`import { Construct } from 'constructs';

// @public
export class Job extends Construct {
    constructor(scope: Construct, id: string, props: JobProps);
    static of(name: string): Job;
    // (undocumented)
    readonly jobName: string;
}

// @public (undocumented)
export interface JobProps {
    readonly name: string;
    readonly workers?: number;
}

// @public
export type Old = "a";
`),
);
const NOW = surfaceOf(
  report(`// @public
export class Job extends Construct {
    constructor(scope: Construct, id: string, props: JobProps);
    static of(name: string): Job | undefined;
    readonly jobName: string;
}

// @public
export interface JobProps {
    readonly flex?: boolean;
    readonly name: string;
    readonly workers: number;
}

// @public
export const NEW: {
    readonly etl: string;
};
`),
);
const CHANGES = surfaceChanges(BEFORE, NOW);

test("a change is found by its declaration and its members; comments do not count", () => {
  expect(CHANGES).toEqual([
    { name: "Job", kind: "changed", members: ["of"] },
    { name: "JobProps", kind: "changed", members: ["flex", "workers"] },
    { name: "NEW", kind: "new", members: [] },
    { name: "Old", kind: "gone", members: [] },
  ]);
  expect(surfaceChanges(NOW, NOW)).toEqual([]);
});

test("the changelog tells a change with its names as code, under Unreleased, in one entry or several", () => {
  const told = changelog(
    "`Job.of` may find nothing.",
    "`Job` takes `flex`; `JobProps`\n  must have `workers: 2`.",
    "`NEW` is in\n  the place of `Old`.",
  );
  expect(unlistedChanges(CHANGES, told)).toEqual([]);
});

test("what is only mentioned in words, in another entry, or in an older section is not told", () => {
  const untold = changelog("Job.of, NEW and Old.", "`flex` of `Other`, `workers`.", "`Job` is better.");
  expect(unlistedChanges(CHANGES, untold)).toEqual(CHANGES);
});

test("the record is what the sources say, and the changelog tells what changed since the release", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["-r", "ts-node/register/transpile-only", join("tools", "docs.ts"), "--check"],
    { cwd: ROOT, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
}, 180_000);
