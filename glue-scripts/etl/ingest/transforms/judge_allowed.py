"""Finds values that are not in the list of their column, or out of its range. Null is always allowed."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.ingest.contract import Bounds, Contract, glue_type
from etl.ingest.contract import Column as ContractColumn
from etl.ingest.transforms.judge_types import Part, any_of, delivered_text, value_of

_BIGINTS = (-(2**63), 2**63 - 1)


def is_limited(column: ContractColumn) -> bool:
    return bool(column.allowed) or column.bounds != Bounds()


def has_value_not_allowed(contract: Contract) -> Column:
    """True for a clean row with a value that is not allowed."""
    return F.col("is_clean") & any_of(map(_is_not_allowed, filter(is_limited, contract.columns)))


def find_parts_not_allowed(contract: Contract) -> list[Part]:
    """All parts of a clean row that may have a value that is not allowed."""
    limited = filter(is_limited, contract.columns)
    return [Part(of.label, _is_not_allowed(of), delivered_text(contract, of)) for of in limited]


def _is_not_allowed(column: ContractColumn) -> Column:
    if column.type == "string":
        found = [~F.col("row")[column.name].isin(list(column.allowed))]
    elif column.type == "integer" or column.decimal is not None:
        found = list(_breaches(column))
    else:
        found = list(_breaches_of_double(column))
    return F.coalesce(any_of(found), F.lit(False))


def _breaches(column: ContractColumn) -> Iterator[Column]:
    """Ways in which an exact number is not allowed. The type cannot hold each number of a contract, and Spark
    would round those that it cannot. So a bound is moved to the nearest value of the type that is inside the
    range, in units of the last decimal, and a bound beyond the type is decided here."""
    value, type_ = value_of(column), glue_type(column)
    precision, scale = column.decimal or (0, 0)
    least, most = (1 - 10**precision, 10**precision - 1) if column.decimal else _BIGINTS

    def literal(units: int) -> Column:
        return (F.lit(f"{units}e-{scale}") if column.decimal else F.lit(units)).cast(type_)

    low, high = _range(column.bounds, scale)
    if low is not None and low > least:
        yield value < literal(low) if low <= most else value.isNotNull()
    if high is not None and high < most:
        yield value > literal(high) if high >= least else value.isNotNull()
    if column.allowed:
        units = [int(number) * 10**scale for number in column.allowed]
        fitting = [literal(number) for number in units if least <= number <= most]
        yield ~value.isin(fitting) if fitting else value.isNotNull()


def _range(bounds: Bounds, scale: int) -> tuple[int | None, int | None]:
    """The lowest and the highest value in units of the last decimal; None without a bound."""

    def units(text: str) -> Fraction:
        return Fraction(text) * Fraction(10**scale)

    lows = [ceil(units(text)) for text in (bounds.minimum,) if text is not None]
    lows += [floor(units(text)) + 1 for text in (bounds.exclusive_minimum,) if text is not None]
    highs = [floor(units(text)) for text in (bounds.maximum,) if text is not None]
    highs += [ceil(units(text)) - 1 for text in (bounds.exclusive_maximum,) if text is not None]
    return max(lows, default=None), min(highs, default=None)


def _breaches_of_double(column: ContractColumn) -> Iterator[Column]:
    value, bounds = value_of(column), column.bounds
    if bounds.minimum is not None:
        yield value < float(bounds.minimum)
    if bounds.exclusive_minimum is not None:
        yield value <= float(bounds.exclusive_minimum)
    if bounds.maximum is not None:
        yield value > float(bounds.maximum)
    if bounds.exclusive_maximum is not None:
        yield value >= float(bounds.exclusive_maximum)
    if column.allowed:
        yield ~value.isin([float(number) for number in column.allowed])
