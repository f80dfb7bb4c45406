"""Surrogate keys that depend on the key and the beginning of the version alone.

No state is kept, so a table that is built anew has the same keys, and a version that a late change cuts in
leaves the keys of the others as they are."""

from collections.abc import Sequence
from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.marts.kinds.intervals import named

_BOUND = 2**63


def surrogate_key(key: Sequence[str], since: Column, kind: str) -> Column:
    """A bigint of 0 or more: the last 63 of the first 64 bits of SHA-256 over `<length>:<text>` of each
    column of the key and the beginning (`2025-11-20`, or `2025-11-20T13:00:00.000000`). Lengths are in
    characters."""
    pattern = "yyyy-MM-dd" if kind == "date" else "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
    texts = [*(named(name).cast("string") for name in key), F.date_format(since, pattern)]
    parts = [F.concat(F.length(text).cast("string"), F.lit(":"), text) for text in texts]
    bits = F.conv(F.substring(F.sha2(F.concat(*parts), 256), 1, 16), 16, 10)
    return (bits.cast("decimal(20,0)") % F.lit(Decimal(_BOUND))).cast("bigint")
