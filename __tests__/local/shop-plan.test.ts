import type { AppliedDay, Day } from "../../local/shop-days";
import { planShop, type ShopState } from "../../local/shop-plan";

/** Which days of the shop are applied and extracted. */

const day = (date: string, sha256 = "a"): Day => ({ date, sha256, path: `/in/${date}.csv` });
const applied = (date: string, isExtracted = true, sha256 = "a"): AppliedDay => ({
  date,
  sha256,
  isExtracted,
});
const [ONE, TWO, THREE] = ["2010-12-01", "2010-12-02", "2010-12-07"] as const;
const ALL = [day(ONE), day(TWO), day(THREE)];

/** The plan in short: what is extracted, and from which days. */
function plan(state: Partial<ShopState>) {
  const { anew, extracts, end, corrected } = planShop({
    days: ALL,
    applied: [],
    delivered: new Set([ONE, TWO, THREE]),
    isAnother: false,
    ...state,
  });
  const dates = (days: readonly Day[] = []) => days.map(({ date }) => date.slice(8)).join(" ");
  return {
    extracts: extracts.map(({ date, afresh, further }) =>
      [
        date.slice(8),
        ...(afresh ? [`= ${dates(afresh)}`] : []),
        ...(further ? [`+ ${dates(further)}`] : []),
      ].join(" "),
    ),
    ...(anew === undefined ? {} : { anew }),
    ...(end === undefined ? {} : { end: dates(end) }),
    ...(corrected.length === 0 ? {} : { corrected: corrected.map((date) => date.slice(8)).join(" ") }),
  };
}

test.each<[string, Partial<ShopState>, ReturnType<typeof plan>]>([
  ["an empty database", {}, { extracts: ["01 + 01", "02 + 02", "07 + 07"] }],
  ["an empty database, one date", { runDate: TWO }, { extracts: ["02 + 01 02"] }],
  [
    "nothing new: the last day again",
    { applied: [applied(ONE), applied(TWO), applied(THREE)] },
    { extracts: ["07"] },
  ],
  ["further days", { applied: [applied(ONE)] }, { extracts: ["02 + 02", "07 + 07"] }],
  [
    "the last run failed: its day again, then the further ones",
    { applied: [applied(ONE), applied(TWO, false)] },
    { extracts: ["02", "07 + 07"] },
  ],
  [
    "a changed file",
    { applied: [applied(ONE), applied(TWO, true, "b"), applied(THREE)] },
    { extracts: ["02 = 01 02"], end: "01 02 07", corrected: "02" },
  ],
  [
    "a changed last file",
    { applied: [applied(ONE), applied(TWO), applied(THREE, true, "b")] },
    { extracts: ["07 = 01 02 07"], corrected: "07" },
  ],
  [
    "a date before the last one, and a further one",
    { applied: [applied(TWO)], delivered: new Set([TWO]) },
    { extracts: ["01 = 01", "07 + 07"], end: "01 02" },
  ],
  [
    "a correction that a kill cut off",
    { applied: [applied(ONE, false), applied(TWO)] },
    { extracts: ["01 = 01", "07 + 07"], end: "01 02", corrected: "01" },
  ],
  [
    "an earlier date on request",
    { applied: [applied(ONE), applied(TWO), applied(THREE)], runDate: ONE },
    { extracts: ["01 = 01"], end: "01 02 07", corrected: "01" },
  ],
  [
    "the last date on request",
    { applied: [applied(ONE), applied(TWO), applied(THREE)], runDate: THREE },
    { extracts: ["07"] },
  ],
  [
    "another input",
    { applied: [applied(ONE)], isAnother: true },
    { extracts: ["01 + 01", "02 + 02", "07 + 07"], anew: "another input than last time" },
  ],
  [
    "a day that is gone from the input",
    { days: [day(ONE), day(THREE)], applied: [applied(ONE), applied(TWO)] },
    { extracts: ["01 + 01", "07 + 07"], anew: "the input no longer has 2010-12-02" },
  ],
  [
    "a lake that was emptied",
    { applied: [applied(ONE), applied(TWO)], delivered: new Set([ONE]) },
    { extracts: ["01 + 01", "02 + 02", "07 + 07"], anew: "the lake has no delivery of 2010-12-02 any more" },
  ],
])("%s", (_what, state, expected) => {
  expect(plan(state)).toEqual(expected);
});
