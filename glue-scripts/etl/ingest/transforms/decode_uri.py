"""The name of a source file as its object key says it."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def decode_uri(file_path: Column) -> Column:
    """Decodes the URI by which Spark names a file: `a%20b.json` becomes `a b.json`."""
    plus_is_no_space = F.replace(file_path, F.lit("+"), F.lit("%2B"))
    return F.url_decode(plus_is_no_space)


def stored_uri(file_path: Column) -> Column:
    """The URI of a source file as `io.list_dates` gives it: a local file is a plain path there."""
    return F.regexp_replace(decode_uri(file_path), "^file:/+", "/")
