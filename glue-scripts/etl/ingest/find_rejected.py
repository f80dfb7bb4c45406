"""Describes the rejected rows of a run for its books and messages."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.contract import Contract, Format
from etl.ingest.line_numbers import find_lines
from etl.ingest.plan import Plan
from etl.ingest.reasons import describe_rejected, reasons_by_column, wrong_types
from etl.ingest.rules import Rules
from etl.ingest.transforms.count_rejected import FIRST_CHARACTERS, Counted, count_rejected_by_source
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.io import StoredObject
from etl.run.quality import Rule
from etl.run.rejected import Place, Rejected

# To find the number of a line, its file is read again up to here (bytes unpacked).
MOST_BYTES = 64 * 1024 * 1024
MOST_FILES = 8


def find_rejected_of_run(
    plan: Plan, rules: Rules, by_reason: Mapping[str, int], *, with_places: bool
) -> list[Rejected]:
    """Says why rows of the run's own dates are rejected, of each source by its own contract. `by_reason`
    counts the rows of each reason."""
    taking = rules.quality.quarantine_rules
    if not rules.sources.names:
        files = [file for delivery in plan.own.values() for file in delivery.files]
        rows = plan.rows_of_own()
        return find_rejected(rows, rules.contract, taking, by_reason, files=files, with_places=with_places)
    if not any(by_reason.values()):
        return []
    reasons_of: dict[str, Counter[str]] = {}
    for (_, name), of_date in plan.quarantined_of_own().items():
        reasons_of.setdefault(name, Counter()).update(of_date)
    found = []
    for alike in plan.raw.alike(plan.own):
        sources = {source.name: source for source in alike.sources.values()}
        counts = {name: reasons_of.get(name, Counter()) for name in sources}
        counted_of = _count(
            alike.rows, alike.contract, taking, counts, source=alike.source_name, with_places=with_places
        )
        for name, source in sources.items():
            files = [file for delivery in plan.own.values() for file in delivery.files_of(name)]
            described = _describe(source.contract, taking, counts[name], counted_of.get(name, {}), files)
            found += [replace(one, source=name) for one in described]
    return found


def find_rejected(
    rows: DataFrame | None,
    contract: Contract,
    rules: Sequence[Rule],
    by_reason: Mapping[str, int],
    *,
    files: Iterable[StoredObject],
    with_places: bool,
) -> list[Rejected]:
    """Says why rows are rejected. `rows` are judged, and kept in memory; `rules` are the rules that
    quarantine; `by_reason` counts the rows of each reason; `files` are the files of the rows."""
    counted: Mapping[tuple[str, str], Counted] = {}
    if rows is not None:
        of_all = {"": by_reason}
        counted = _count(rows, contract, rules, of_all, source=F.lit(""), with_places=with_places).get("", {})
    return _describe(contract, rules, by_reason, counted, files)


def _count(
    rows: DataFrame,
    contract: Contract,
    rules: Sequence[Rule],
    by_reason: Mapping[str, Mapping[str, int]],
    *,
    source: Column,
    with_places: bool,
) -> Mapping[str, Mapping[tuple[str, str], Counted]]:
    """Counts the rejected rows by source, reason and column. `by_reason` counts those of each source. The
    rows are queried only if that is not enough: for the columns of wrong values, and with `with_places` for
    the first rows."""
    by_columns, of_all = reasons_by_column(contract), Counter[str]()
    for of_source in by_reason.values():
        of_all.update(of_source)
    is_asked = any(of_all.values()) if with_places else any(of_all[name] for name in by_columns)
    if not is_asked:
        return {}
    has_wrong_types = any(of_all[name] for name in wrong_types(contract))
    explained = explain_rejected(rows, contract, rules, has_wrong_types=has_wrong_types)
    return count_rejected_by_source(explained, by_columns, source, with_first=with_places)


def _describe(
    contract: Contract,
    rules: Sequence[Rule],
    by_reason: Mapping[str, int],
    counted: Mapping[tuple[str, str], Counted],
    files: Iterable[StoredObject],
) -> list[Rejected]:
    by_column = {of: one.rows for of, one in counted.items()}
    places = _find_places(counted, files, contract.format)
    return describe_rejected(contract, rules, by_reason, by_column, places)


def _find_places(
    counted: Mapping[tuple[str, str], Counted], files: Iterable[StoredObject], format_: Format
) -> dict[tuple[str, str], Place]:
    """The places of the first rows in their files. At most MOST_FILES are opened, each once. A line that
    is cut, or part of a format where rows are no lines, has no number: it could be another line as well. In
    XML and Parquet it is the number of the row, which is known."""
    first = {of: one.first for of, one in counted.items() if one.first}
    if not format_.has_lines:
        return {of: Place(row.file, row.block, row.value) for of, row in first.items()}
    by_file: dict[str, set[str]] = {}
    for row in first.values():
        if len(row.line) < FIRST_CHARACTERS and not format_.has_records:
            by_file.setdefault(row.file, set()).add(row.line)
    opened = dict(sorted(by_file.items())[:MOST_FILES])
    found = {
        file.uri: find_lines(file, opened[file.uri], format_, MOST_BYTES)
        for file in files
        if file.uri in opened
    }
    return {
        of: Place(row.file, found.get(row.file, {}).get(row.line), row.value) for of, row in first.items()
    }
