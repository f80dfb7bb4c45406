"""The quality rules of a pipeline as data, and the verdict on what was counted for them.

The same file is compiled to SQL for Athena, which judges the rows that readers see; the shared cases in
`tests/cases/quality.json` hold both to the same counts, verdict, score and text. All arithmetic is in whole
numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

MILLION = 1_000_000  # shares are kept as whole millionths
DEFAULT_RULE = "lines_are_readable"
DEFAULT_LIMIT = 100_000  # millionths of the lines that may be unreadable, unless a rule sets another share
# The types that judge a share of the rows to be published.
SHARES = ("completeness", "uniqueness", "allowedValues", "customSql")

_MICROSECONDS_PER_HOUR = 3_600_000_000
_EPOCH = date(1970, 1, 1)
_MAX_DATES = 5  # named in a verdict, which becomes part of the state machine's state


@dataclass(frozen=True)
class Rule:
    """A rule. `at_least` and `at_most` are millionths, for a rowCount rule rows. `columns` are
    those that the rule is about, also of an expression. Fields that its type does not use keep their
    defaults."""

    name: str
    type: str
    action: str
    weight: int = 1
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    reason: str = ""
    expression: str = ""
    at_least: int = 0
    at_most: int | None = None
    at_most_hours: int = 0


def bounds_unreadable(rule: Rule, reason: str) -> bool:
    """True if a rule limits the lines that are quarantined with `reason`: it must be able to fail the run,
    and its limit must be below 100 %."""
    is_limit = rule.type == "quarantineLimit" and rule.reason == reason and rule.action == "halt"
    return is_limit and (rule.at_most or 0) < MILLION


@dataclass(frozen=True)
class Quality:
    """Validated rules, in the order of the file, then the default limit of unreadable lines if no rule
    sets one. `threshold` is a whole percent. `reasons` are all reasons that a quarantined row may have:
    first those of the contract, the very first of which is for a line that cannot be read."""

    threshold: int
    rules: tuple[Rule, ...]
    reasons: tuple[str, ...]

    @property
    def unreadable_reason(self) -> str:
        return self.reasons[0]

    @property
    def limit_of_a_date(self) -> int:
        """Millionths of the lines of one date that may be unreadable: the default, or what a rule allows the
        run, whichever is more."""
        rules = [rule for rule in self.rules if bounds_unreadable(rule, self.unreadable_reason)]
        return max(DEFAULT_LIMIT, min(rule.at_most or 0 for rule in rules))

    @property
    def quarantine_rules(self) -> tuple[Rule, ...]:
        """The rules that send the rows which break them to quarantine, with the rule's name as reason."""
        return tuple(rule for rule in self.rules if rule.action == "quarantine")


@dataclass(frozen=True)
class Measured:
    """The result of one aggregation. `rows` are to be published. `counts` has for each rule the rows that
    meet it, for a uniqueness rule the distinct combinations. `newest` has for each freshness rule
    microseconds since 1970 in UTC, or None. `quarantined` has the rows by reason. `absent` are the
    optional columns without a value in any row to be published, by source."""

    rows: int
    counts: Mapping[str, int]
    newest: Mapping[str, int | None]
    quarantined: Mapping[str, int]
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """`verdict` is PASSED, WARNED or FAILED; `score` and `threshold` are percents; `rules` has count, of and
    passed by name; `failed` is the text of the failed rules."""

    verdict: str
    score: int
    threshold: int
    rules: Mapping[str, tuple[int, int, bool]]

    @property
    def failed(self) -> str:
        results = self.rules.items()
        return "; ".join(_told(name, count, of) for name, (count, of, passed) in results if not passed)

    def summary(self) -> dict[str, Any]:
        """The verdict as the books show it."""
        names = ("verdict", "score", "threshold", "failed")
        return {name: getattr(self, name) for name in names}


def nothing_to_judge(quality: Quality) -> Verdict:
    """The verdict on an empty delivery: nothing can be wrong with it."""
    return Verdict("PASSED", 100, quality.threshold, {})


def judge(quality: Quality, measured: Measured, read: int, last: date) -> Verdict:
    """The verdict on a run's own dates. `read` is the rows read; `last` is the run's last date, at whose end
    (UTC) the age of the newest row is taken: never the clock, so a repeated run gets the same verdict."""
    rules = {rule.name: _result(rule, measured, read, last) for rule in quality.rules}
    failed = [rule for rule in quality.rules if not rules[rule.name][2]]
    whole = sum(rule.weight for rule in quality.rules)
    score = 100 * (whole - sum(rule.weight for rule in failed)) // whole
    if score < quality.threshold or any(rule.action != "warn" for rule in failed):
        verdict = "FAILED"
    else:
        verdict = "WARNED" if failed else "PASSED"
    return Verdict(verdict, score, quality.threshold, rules)


def judge_dates(
    quality: Quality,
    verdict: Verdict,
    unreadable: Mapping[date, int],
    read: Mapping[date, int],
) -> Verdict:
    """Applies the limit of unreadable lines to each date by itself: in a run over many dates, one date
    full of unreadable lines would not show. `read` are the rows of the run's own dates, `unreadable` those
    of them that cannot be read."""
    return _judge_parts(
        quality,
        verdict,
        {f"{day}": unreadable.get(day, 0) for day in read},
        {f"{day}": rows for day, rows in read.items()},
    )


def judge_sources(
    quality: Quality,
    verdict: Verdict,
    unreadable: Mapping[tuple[date, str], int],
    read: Mapping[tuple[date, str], int],
) -> Verdict:
    """Applies the limit of unreadable lines to each source of each date by itself, as `judge_dates` does to
    dates. The keys are date and source."""
    return _judge_parts(
        quality,
        verdict,
        {f"{day} in {source}": unreadable.get((day, source), 0) for day, source in read},
        {f"{day} in {source}": rows for (day, source), rows in read.items()},
    )


def _judge_parts(
    quality: Quality, verdict: Verdict, unreadable: Mapping[str, int], read: Mapping[str, int]
) -> Verdict:
    limit = quality.limit_of_a_date
    failed = [part for part in sorted(read) if unreadable[part] * MILLION > limit * read[part]]
    if len(read) < 2 or not failed:
        return verdict
    by_part = {
        f"{DEFAULT_RULE} on {part}": (unreadable[part], read[part], False) for part in failed[:_MAX_DATES]
    }
    return replace(verdict, verdict="FAILED", rules={**verdict.rules, **by_part})


def _told(name: str, count: int, of: int) -> str:
    """A failed rule in words. `quality-query.ts` uses the same words."""
    by_default = (
        f" (at most {DEFAULT_LIMIT * 100 // MILLION} % by default; a quarantineLimit rule sets another share)"
    )
    return f"{name}: {count} of {of}" + (by_default if name == DEFAULT_RULE else "")


def _result(rule: Rule, measured: Measured, read: int, last: date) -> tuple[int, int, bool]:
    if rule.type == "freshness":
        is_fresh = _is_fresh(measured.newest[rule.name], rule.at_most_hours, last)
        return int(is_fresh), 1, is_fresh
    if rule.type == "rowCount":
        rows = measured.rows
        return rows, rows, rule.at_least <= rows and (rule.at_most is None or rows <= rule.at_most)
    if rule.type == "quarantineLimit":
        count = measured.quarantined.get(rule.reason, 0)
        return count, read, count * MILLION <= (rule.at_most or 0) * read
    count = measured.counts[rule.name]
    return count, measured.rows, count * MILLION >= rule.at_least * measured.rows


def _is_fresh(newest: int | None, hours: int, last: date) -> bool:
    end_in_hours = (last + timedelta(days=1) - _EPOCH).days * 24
    return newest is not None and newest >= (end_in_hours - hours) * _MICROSECONDS_PER_HOUR
