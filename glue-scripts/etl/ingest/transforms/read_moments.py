"""Reads texts as instants. A text that does not say its zone is a local time. The clocks of its zone may show
it twice, or never."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.contract import Moments

UTC = "UTC"
_READ = ("x-etl-read-first-", "x-etl-read-next-")


def with_moments(rows: DataFrame, texts: Mapping[str, tuple[Column, Moments]]) -> DataFrame:
    """Adds a column of each name: the instant that its text means, null where it means none."""
    groups = {name: _groups(moments) for name, (_, moments) in texts.items() if _is_shifted(moments)}
    read = rows
    # In steps of their own: in one expression with the shift, Spark would read a text several times.
    for at, prefix in enumerate(_READ):
        columns = [
            _read_group(name, texts[name][0], of_name, at).alias(f"{prefix}{name}")
            for name, of_name in groups.items()
            if at < len(of_name)
        ]
        read = read.select("*", *columns) if columns else read
    moments = [
        (_shifted(name, groups[name], of) if name in groups else _read_all(text, of)).alias(name)
        for name, (text, of) in texts.items()
    ]
    return read.select(*rows.columns, *moments)


def read_moment(text: Column, patterns: Sequence[str]) -> Column:
    """The text in the first of the patterns that fits, as if in UTC; null where none does."""
    return _or_null(F.coalesce(*(F.try_to_timestamp(text, F.lit(pattern)) for pattern in patterns)))


def local_date(moment: Column, time_zone: str) -> Column:
    """The date that a calendar shows in the time zone."""
    if time_zone == UTC:
        return F.to_date(moment)
    return F.to_date(_in_zone(moment, time_zone))


def _is_shifted(moments: Moments) -> bool:
    return moments.time_zone != UTC and not all(pattern.has_zone for pattern in moments.patterns)


def _read_all(text: Column, moments: Moments) -> Column:
    return read_moment(text, [pattern.text for pattern in moments.patterns])


Groups = list[tuple[bool, list[str]]]


def _groups(moments: Moments) -> Groups:
    """The patterns with a zone and those without, the group of the first pattern first. No text fits patterns
    of both, so that their order does not matter; but a pattern that does not fit costs ten times as much as
    one that does."""
    groups: dict[bool, list[str]] = {}
    for pattern in moments.patterns:
        groups.setdefault(pattern.has_zone, []).append(pattern.text)
    return list(groups.items())


def _read_group(name: str, text: Column, groups: Groups, at: int) -> Column:
    read = read_moment(text, groups[at][1])
    return read if at == 0 else F.when(F.col(f"`{_READ[0]}{name}`").isNull(), read)


def _shifted(name: str, groups: Groups, moments: Moments) -> Column:
    instants = []
    for prefix, (has_zone, _) in zip(_READ, groups, strict=False):
        read = F.col(f"`{prefix}{name}`")
        instants.append((read, read if has_zone else _instant(read, moments)))
    (first, instant), *rest = instants
    return F.when(first.isNotNull(), instant).otherwise(rest[0][1]) if rest else instant


def _instant(local: Column, moments: Moments) -> Column:
    """The instant of a local time, which is given as an instant of UTC. Spark takes the earlier of two
    instants; a time that is skipped it reads as if the clock had not been put forward."""
    zone = moments.time_zone
    first = _or_null(F.to_utc_timestamp(local, zone))
    instant = first
    if moments.ambiguous != "first":
        # An hour is repeated within a day, so that a day later the zone has the offset of the second time.
        day_later = F.try_add(first, F.expr("interval '1' day"))
        second = local - (_in_zone(day_later, zone) - day_later)
        is_second = (second != first) & (_in_zone(second, zone) == local)
        wanted = second if moments.ambiguous == "second" else F.lit(None)
        instant = F.when(is_second, wanted).otherwise(first)
    return F.when(_in_zone(first, zone) == local, instant) if moments.nonexistent == "quarantine" else instant


def _in_zone(instant: Column, zone: str) -> Column:
    """The time that the clocks of the zone show, as an instant of UTC."""
    return _or_null(F.from_utc_timestamp(instant, zone))


def _or_null(moment: Column) -> Column:
    """Null in place of an error, which ends the run. Spark reads years that no timestamp can hold, like
    +999999, and only `try_add` takes an error of its arguments for null. `moment` must not be a `when`: Spark
    moves the addition into its branches, and an error of the condition is an error again."""
    return F.try_add(moment, F.expr("interval '0' second"))
