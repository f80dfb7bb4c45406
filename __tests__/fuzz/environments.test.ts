import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type EnvironmentData, selectEnvironments } from "../../environments/registry";
import { type EnvironmentSettings } from "../../environments/settings";
import { sampleSubscribers } from "../../local/sample-place";
import { type Block, synthEnvironment } from "../support/environment-stacks";
import { UnseenResources } from "../support/unseen-resources";
import { type ModuleJson, validateStacks } from "../support/validated-modules";
import { type Candidate, candidates } from "./environment-candidates";
import { formMistake } from "./refusal-form";

/**
 * Whole environments by chance: what the settings refuse is reported so that somebody can fix it, and what they accept
 * synthesises, passes the checks of definitions and stacks on the way, and is valid Terraform.
 *
 * The seed is printed; ETL_FUZZ_SEED repeats a run, ETL_FUZZ_RUNS makes it longer. To synthesise and validate hundreds takes
 * longer than CI has: it does so with some, and says how many; ETL_FUZZ_STACKS=all does so with all.
 */

const SEED = Number(process.env.ETL_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env.ETL_FUZZ_RUNS ?? 1_000);
const STACKS = process.env.ETL_FUZZ_STACKS ?? "12";
/** Terraform holds all modules of a call in memory. */
const STACKS_PER_CALL = 150;

type Verdict =
  | { readonly candidate: Candidate; readonly settings: EnvironmentSettings }
  | { readonly candidate: Candidate; readonly refusal: string };

function judge(candidate: Candidate): Verdict {
  const { accountId, region, ...data } = candidate;
  const registry = { [String(data.environment)]: data as unknown as EnvironmentData };
  const variables = {
    ...sampleSubscribers({}, registry),
    ETL_ACCOUNT_ID: accountId as string,
    ETL_REGION: region as string,
  };
  try {
    return { candidate, settings: selectEnvironments({ variables, context: undefined }, registry)[0]! };
  } catch (error) {
    return { candidate, refusal: (error as Error).message };
  }
}

const verdicts = fc.sample(candidates, { numRuns: RUNS, seed: SEED }).map(judge);
const accepted = verdicts.filter((verdict) => "settings" in verdict);
const refused = verdicts.filter((verdict) => "refusal" in verdict);
const synthesised = STACKS === "all" ? accepted : accepted.slice(0, Number(STACKS));
const text = (value: unknown): string => JSON.stringify(value, undefined, 1);

const folder = mkdtempSync(join(tmpdir(), "etl-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  process.stdout.write(
    `fuzz: seed ${SEED}, ${RUNS} environments, ${accepted.length} accepted, ${refused.length} refused; ` +
      `ETL_FUZZ_SEED=${SEED} repeats it; ${synthesised.length} of the accepted are synthesised and validated\n`,
  );
});

test("enough are tried, enough are accepted, and enough are refused", () => {
  expect(verdicts.length).toBeGreaterThanOrEqual(RUNS);
  expect(accepted.length / verdicts.length).toBeGreaterThanOrEqual(0.3);
  expect(refused.length / verdicts.length).toBeGreaterThanOrEqual(0.3);
});

test("every refusal names field, value and remedy", () => {
  const unclear = refused.flatMap(({ candidate, refusal }) =>
    refusal.split("\n").flatMap((line) => {
      const mistake = formMistake(line, candidate);
      return mistake === undefined ? [] : [{ line, mistake }];
    }),
  );
  expect(unclear.slice(0, 10)).toEqual([]);
});

test("what is accepted synthesises and is valid Terraform, and what is not valid is found among it", async () => {
  const unseen = new UnseenResources();
  for (let from = 0; from < synthesised.length; from += STACKS_PER_CALL) {
    const chunk = synthesised.slice(from, from + STACKS_PER_CALL);
    const wrong: string[] = [];
    const stacks = chunk.flatMap(({ settings }): ModuleJson[] => {
      try {
        return [unseen.of(synthEnvironment(settings), settings)];
      } catch (error) {
        wrong.push(`${(error as Error).message}\nof ${text(settings)}`);
        return [];
      }
    });
    expect(wrong.slice(0, 3)).toEqual([]);
    const diagnostics = await validateStacks(join(folder, String(from)), [...stacks, broken()]);
    const found = diagnostics.filter((diagnostic) => diagnostic.startsWith(`stack-${stacks.length}/`));
    expect(found).toEqual([expect.stringMatching(/\/cdk\.tf\.json: error: expected worker_type to be/)]);
    const named = diagnostics
      .filter((diagnostic) => !found.includes(diagnostic))
      .slice(0, 3)
      .map((diagnostic) => {
        const number = Number(/^stack-(\d+)\//.exec(diagnostic)?.[1] ?? -1);
        return `${diagnostic}\nof ${text(chunk[number]?.settings)}`;
      });
    expect(named).toEqual([]);
    rmSync(join(folder, String(from)), { recursive: true, force: true });
  }
}, 1_800_000);

/** A stack with one mistake that only the provider knows. */
function broken(): ModuleJson {
  const stack = synthEnvironment(accepted[0]!.settings);
  const { terraform, provider, resource } = stack;
  const [job] = Object.values(resource.aws_glue_job!);
  const role_arn = "arn:aws:iam::111122223333:role/some";
  const alone = { ...job, role_arn, depends_on: undefined, worker_type: "G.3X" };
  const broken = JSON.parse(JSON.stringify(alone).replaceAll(/\$\{[^}]*\}/g, "x")) as Block;
  return {
    terraform,
    provider,
    resource: { aws_glue_job: { broken } },
  };
}
