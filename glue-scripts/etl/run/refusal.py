"""The message of a refused run: one paragraph for a person, which the state machine passes on unchanged.

It holds no delivered value, unless `shows_values`. It stays below MAX_TEXT characters, whatever the contract,
because the cause of a failed execution has at most 32,768
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.io import DELIVERY
from etl.run.quality import MILLION, Quality, Rule, Verdict
from etl.run.rejected import Place, Rejected

MAX_TEXT = 30_000
MOST_RULES = 10
MOST_REASONS = 8  # with their columns
MAX_NAME = 300  # of a file or a value
MAX_CLAUSE = 600  # of one rule or one reason


@dataclass(frozen=True)
class Evidence:
    """The rejected rows of a refused run that are kept. `location` is a URI. `table` is `database.table`,
    "" if no table is declared. `workgroup` is Athena's, "" if it is not known. They are kept for `days`."""

    location: str
    rows: int
    table: str = ""
    workgroup: str = ""
    days: int = 0

    def query(self, run_id: str, first: date, last: date) -> str:
        """The query that shows the rows; "" without a table."""
        if not self.table:
            return ""
        dates = f"run_date = '{first}'" if first == last else f"run_date between '{first}' and '{last}'"
        columns = "reason, reason_values, source_file, raw_line"
        rows = f"{self.table} where {dates} and run_id = '{run_id}'"
        return f"select {columns} from {rows} limit 100"  # noqa: S608 (names of a deployment)


def explain_refusal(
    *,
    run_id: str,
    read: int,
    first: date,
    last: date,
    quality: Quality,
    verdict: Verdict,
    rejected: Sequence[Rejected],
    evidence: Evidence | None,
    shows_values: bool,
) -> dict[str, Any]:
    """`cause`, which is the first sentence of `text`; and of the rejected rows that are kept `rows`,
    `location`, `table`, `days` and the `query` that shows them ("" without a table)."""
    query = "" if evidence is None else evidence.query(run_id, first, last)
    dates = f"{first}" if first == last else f"{first} to {last}"
    scores = f"score {verdict.score}, at least {verdict.threshold}"
    cause = f"the {read} rows read for {dates} fail their rules ({scores}): {_rules(quality, verdict, last)}."
    parts = [
        cause,
        "Nothing was published, and what earlier runs published is as it was.",
        _rejected(rejected, shows_values),
        "Correct the delivery or the rules, then run the dates again.",
        _evidence(evidence, query),
    ]
    text = _cut(" ".join(part for part in parts if part), MAX_TEXT)
    if evidence is None or evidence.rows == 0:
        return {"text": text, "cause": cause}
    kept = {"rows": evidence.rows, "location": evidence.location, "table": evidence.table}
    return {"text": text, "cause": cause, **kept, "days": evidence.days, "query": query}


def _rules(quality: Quality, verdict: Verdict, last: date) -> str:
    """The failed rules in words. Rules that only warn are named if they make the score too low."""
    failed = [rule for rule in quality.rules if not verdict.rules[rule.name][2]]
    is_by_score = verdict.score < verdict.threshold
    named = [rule for rule in failed if is_by_score or rule.action != "warn"]
    clauses = [
        *(f"{rule.name}: {_clause(rule, *verdict.rules[rule.name][:2], last)}" for rule in named),
        *_dates(quality, verdict),
    ]
    shown = [_cut(clause, MAX_CLAUSE) for clause in clauses[:MOST_RULES]]
    return "; ".join([*shown, *_more(len(clauses) - MOST_RULES, "rules")])


def _dates(quality: Quality, verdict: Verdict) -> list[str]:
    """The dates that fail by themselves (`judge_dates`), in words."""
    names = {rule.name for rule in quality.rules}
    what = f"are {quality.unreadable_reason}"
    bound = f"at most {_percent(quality.limit_of_a_date, MILLION)} of a date"
    return [
        f"{name}: {count} of {of} rows {what} ({_percent(count, of)}, {bound})"
        for name, (count, of, _) in verdict.rules.items()
        if name not in names
    ]


def _clause(rule: Rule, count: int, of: int, last: date) -> str:
    if rule.type == "rowCount":
        most = "" if rule.at_most is None else f", at most {rule.at_most}"
        return f"{count} rows to be published (at least {rule.at_least}{most})"
    if rule.type == "freshness":
        hours = rule.at_most_hours
        return f"the newest {rule.columns[0]} is more than {hours} hours before the end of {last} (UTC)"
    if rule.type == "quarantineLimit":
        what, bound = f"are {rule.reason}", f"at most {_percent(rule.at_most or 0, MILLION)}"
    else:
        columns = ", ".join(rule.columns)
        what = {
            "completeness": f"have {columns}",
            "uniqueness": f"are distinct by {columns}",
            "allowedValues": f"have an allowed {columns}",
        }.get(rule.type, "meet its condition")
        bound = f"at least {_percent(rule.at_least, MILLION)}"
    return f"{count} of {of} rows {what} ({_percent(count, of)}, {bound})"


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.4g} %" if of else "0 %"


def _rejected(rejected: Sequence[Rejected], shows_values: bool) -> str:
    if not rejected:
        return "No row was rejected by itself: the rules are about the delivery as a whole."
    named = rejected[:MOST_REASONS]
    reasons: dict[str, list[str]] = {}
    for one in named:
        rows = "1 row" if one.rows == 1 else f"{one.rows} rows"
        clause = f"{_cut(one.clause, MAX_CLAUSE)} in {rows}"
        reasons.setdefault(one.reason, []).append(f"{clause}{_place(one.first, shows_values)}")
    texts = [f"{reason}: {', '.join(clauses)}" for reason, clauses in reasons.items()]
    return f"Why rows were rejected: {'; '.join([*texts, *_more(len(rejected) - MOST_REASONS, 'causes')])}."


def _place(place: Place | None, shows_values: bool) -> str:
    if place is None:
        return ""
    line = "" if place.line is None else f" line {place.line}"
    value = f": '{_cut(place.value, MAX_NAME)}'" if shows_values and place.value is not None else ""
    # A person reads the message, so the URI is shortened; the books have it whole.
    file = place.file[place.file.rfind(f"/{DELIVERY}=") + 1 :]
    return f" (first in {_cut(file, MAX_NAME)}{line}{value})"


def _evidence(evidence: Evidence | None, query: str) -> str:
    if evidence is None or evidence.rows == 0:
        return ""
    rows = "1 rejected row is" if evidence.rows == 1 else f"{evidence.rows} rejected rows are"
    days = f"for {evidence.days} days, or " if evidence.days else ""
    kept = f"The {rows} kept {days}until the dates are run again"
    if not query:
        return f"{kept}, as Parquet below {evidence.location}"
    where = f" (workgroup {evidence.workgroup})" if evidence.workgroup else ""
    return f"{kept}. To see them, ask Athena{where}: {query}"


def _more(count: int, what: str) -> list[str]:
    return [f"and {count} more {what}"] if count > 0 else []


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
