import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { timeZoneMistake } from "../../../modules/schedules/time-zone";
import { ROOT } from "../../support/clone";

/** The names of time zones, against the IANA database that Python carries. */

const PYTHON = join(ROOT, ".setup", "venv", "bin", "python");
const LIST = "import json, zoneinfo; print(json.dumps(sorted(zoneinfo.available_timezones())))";

/** No zones: a placeholder, the computer's own, and Taiwan's abbreviation, which Java does not know. */
const NO_ZONES = ["Factory", "localtime", "ROC"];

const names = (JSON.parse(execFileSync(PYTHON, ["-c", LIST], { encoding: "utf8" })) as string[]).filter(
  (name) => !NO_ZONES.includes(name) && isNodes(name),
);

/** Node may be older than the database. */
function isNodes(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }) !== undefined;
  } catch {
    return false;
  }
}

const WANTED = "must be a time zone of the IANA database such as Europe/Berlin or UTC";

test("every name of the database is taken, and in other capitals refused", () => {
  expect(names.length).toBeGreaterThan(500);
  expect(names.filter((name) => timeZoneMistake(name) !== undefined)).toEqual([]);
  const others = names.flatMap((name) =>
    [name.toLowerCase(), name.toUpperCase()].filter((other) => !names.includes(other)),
  );
  expect(others.filter((name) => timeZoneMistake(name) === undefined)).toEqual([]);
});

test.each([
  ["europe/berlin", `${WANTED}, with its capitals, got "europe/berlin"`],
  ["utc", `${WANTED}, with its capitals, got "utc"`],
  // Node takes it for Los Angeles; the database does not have it.
  ["PST", `${WANTED}, with its capitals, got "PST"`],
  ["Europe/Berlyn", `${WANTED}, got "Europe/Berlyn"`],
  ["+01:00", `${WANTED}, got "+01:00"`],
  ["US/Pacific-New", `${WANTED}, got "US/Pacific-New"`],
  ...NO_ZONES.map((name) => [name, expect.stringContaining(`${WANTED}, `) as string]),
])("%s is refused", (name, mistake) => {
  expect(timeZoneMistake(name)).toEqual(mistake);
});
