"""Counts and sums of a table, by the database and by the files that were written. They must be equal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.errors import BooksDoNotBalance, ValueRefused
from etl.extract.columns import (
    SourceColumn,
    qualified,
    quoted,
    refused_where,
    summed_source,
    summed_written,
)
from etl.extract.database import Session
from etl.extract.document import Column, Extract, Table


@dataclass(frozen=True)
class Figures:
    """`values` are the values that are not null, `sums` the sums, by column. A sum is that of numbers, days,
    microseconds or lengths; None for no value, or a column without a sum."""

    rows: int
    values: Mapping[str, int]
    sums: Mapping[str, Decimal | None]
    greatest: str | None = None  # of the mark's column, as the database writes it

    @property
    def count(self) -> int:
        """How many figures there are to compare."""
        return 1 + len(self.values) + sum(value is not None for value in self.sums.values())


def figures_of_source(
    session: Session, extract: Extract, table: Table, found: Mapping[str, SourceColumn], where: str
) -> Figures:
    """One scan. Raises ValueRefused naming every column with values that cannot be carried as declared."""
    fields = ["count(*)"]
    for column in table.columns:
        refused = refused_where(column, found[column.name])
        summed = summed_source(column, found[column.name])
        name = quoted(column.name)
        # An expression that fails on a refused value is not asked for it: a CASE asks one branch only.
        carried = "true" if refused is None else f"not coalesce({refused}, false)"
        has_infinity = column.type in ("date", "timestamp", "instant")
        counted = f"isfinite({name})" if has_infinity else f"{name} is not null"
        fields += [
            f"count(*) filter (where {refused})" if refused else "0",
            f"count(*) filter (where {counted})",
            f"sum(case when {carried} then {summed} end)" if summed else "null",
        ]
    if table.mark is not None:
        fields.append(greatest(table.by_name[table.mark.column]))
    source = qualified(extract.schema, table.name)
    place = f"{extract.schema}.{table.name}"
    question = f"select {', '.join(fields)} from {source} where {where}"  # noqa: S608 (names are quoted)
    [answer] = session.rows(question, place)
    by_column = {column.name: answer[1 + 3 * at : 4 + 3 * at] for at, column in enumerate(table.columns)}
    _refuse(table, place, found, {name: _whole(of[0]) for name, of in by_column.items()})
    return Figures(
        rows=_whole(answer[0]),
        values={name: _whole(of[1]) for name, of in by_column.items()},
        sums={name: None if of[2] is None else Decimal(of[2]) for name, of in by_column.items()},
        greatest=answer[-1] if table.mark is not None else None,
    )


def greatest(column: Column) -> str:
    """The SQL of the greatest value of a mark's column, in one form: of an instant in UTC."""
    name = quoted(column.name)
    value = f"{name} at time zone 'UTC'" if column.type == "instant" else name
    return f"to_char(max({value}), 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"


def _whole(text: str | None) -> int:
    return int(text or 0)


def _refuse(table: Table, place: str, found: Mapping[str, SourceColumn], refused: Mapping[str, int]) -> None:
    mistakes = [
        f"{count} values of {name} ({found[name].shown}) do not fit {table.by_name[name].type}"
        for name, count in refused.items()
        if count
    ]
    if mistakes:
        raise ValueRefused(
            f"table {place}: {'; '.join(mistakes)}: no value is rounded, cut or left out; declare a type "
            "that holds them, or correct the rows; nothing was written"
        )


def figures_of_files(rows: DataFrame, table: Table) -> Figures:
    """The same figures, counted from what was written."""
    asked = [F.count(F.lit(1)).alias("rows")]
    for column in table.columns:
        asked.append(F.count(F.col(f"`{column.name}`")).alias(f"values {column.name}"))
        summed = summed_written(column)
        if summed is not None:
            asked.append(F.sum(summed).alias(f"sum {column.name}"))
    [answer] = rows.agg(*asked).collect()
    of = answer.asDict()
    return Figures(
        rows=of["rows"],
        values={column.name: of[f"values {column.name}"] for column in table.columns},
        sums={column.name: of.get(f"sum {column.name}") for column in table.columns},
    )


def reconcile(place: str, source: Figures, written: Figures) -> None:
    """Raises BooksDoNotBalance naming every figure that differs."""
    wrong = [] if source.rows == written.rows else [f"rows {source.rows} and {written.rows}"]
    wrong += [
        f"{what} of {name} {one} and {other}"
        for what, ours, theirs in (
            ("values", source.values, written.values),
            ("sum", source.sums, written.sums),
        )
        for name, one, other in _pairs(ours, theirs)
        if one != other
    ]
    if wrong:
        raise BooksDoNotBalance(
            f"table {place}: the database and the files that were written differ: {'; '.join(wrong)}; "
            "nothing was published"
        )


def _pairs(
    ours: Mapping[str, int] | Mapping[str, Decimal | None],
    theirs: Mapping[str, int] | Mapping[str, Decimal | None],
) -> Sequence[tuple[str, object, object]]:
    return [(name, value, theirs[name]) for name, value in ours.items()]
