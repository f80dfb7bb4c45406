"""Makes versions of the events of keys. Pure frames: the same events give the same versions.

An event is a row that was delivered, a delete among them, a key that a whole delivery lacks, or a version
that lies in the table. The events of a key stand in one order. An event whose state is that of the event
before it makes no version. So the versions depend on the events alone, and not on the runs that brought
them."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.ingest.contract import Contract

INSERT, UPDATE, DELETE = "insert", "update", "delete"


def derive_versions(events: DataFrame, contract: Contract) -> DataFrame:
    """`events` holds the output columns; `is_delete`; `is_absent` for a delete that no row says; `own_from`,
    the time from which the event itself is valid; `run_date` and `sequence`, its place; `source_file` and
    `row_id`, null for an event that no row of this run says.

    Adds `change`, `valid_from`, `row_hash`, `is_version`, and `is_orphan` for a delete of a key that was not
    there. A delete has the values of the last row before it."""
    changes = contract.changes
    assert changes is not None
    in_order = Window.partitionBy(*contract.business_key).orderBy(*order_of(contract))
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    of_delivery = () if changes.is_whole else (changes.valid_from,)
    own = {*contract.business_key, *changes.order, changes.op_column, *of_delivery}
    inherited = [name for name in contract.output if name not in own]
    row = F.when(~F.col("is_delete"), F.struct(F.lit(True).alias("is_row"), *map(_named, inherited)))
    placed = events.withColumn("last_row", F.last(row, ignorenulls=True).over(so_far))
    placed = placed.withColumn("valid_from", F.max("own_from").over(so_far))
    filled = placed.select(
        *(F.col(name) for name in placed.columns if name not in contract.output),
        *(
            F.when(F.col("is_delete"), F.col("last_row")[name]).otherwise(_named(name)).alias(name)
            if name in inherited
            else _named(name)
            for name in contract.output
        ),
    ).drop("last_row", "own_from")
    hashed = filled.withColumn("row_hash", row_hash(contract, changes.compare))
    state = F.struct("is_delete", "row_hash")
    before = hashed.withColumn("before", F.lag(state).over(in_order))
    is_there = F.col("before").isNotNull() & ~F.col("before")["is_delete"]
    is_other = F.col("before").isNull() | (F.col("before") != state)
    is_version = F.when(F.col("is_absent"), is_there).otherwise(is_other)
    change = F.when(F.col("is_delete"), DELETE).when(is_there, UPDATE).otherwise(INSERT)
    return before.select(
        *(name for name in before.columns if name != "before"),
        change.alias("change"),
        is_version.alias("is_version"),
        (is_version & F.col("is_delete") & ~is_there).alias("is_orphan"),
    )


def order_of(contract: Contract) -> list[Column]:
    """The order of the events of a key. Snapshots follow one another by their dates."""
    changes = contract.changes
    assert changes is not None
    columns = [] if changes.is_whole else [_named(name) for name in changes.order]
    return [
        *(column.asc_nulls_first() for column in columns),
        F.col("run_date").asc(),
        F.col("sequence").asc(),
    ]


def row_hash(contract: Contract, names: Sequence[str]) -> Column:
    """SHA-256 over the values of columns, as 64 hexadecimal digits. It does not depend on the order of the
    columns, on the type in which a number is kept, or on the version of Spark. A null is left out, so that a
    column that is new in the contract changes nothing before it has a value."""
    types = contract.output_types
    parts = [_part(name, types[name]) for name in sorted(names)]
    return F.sha2(F.concat_ws("", *parts), 256)


def _part(name: str, kind: str) -> Column:
    """Name and value with their lengths, so that no two rows give one text; null for a null."""
    value = _text(_named(name), kind)
    return F.concat(F.lit(f"{len(name)}:{name}"), F.length(value).cast("string"), F.lit(":"), value)


def _text(value: Column, kind: str) -> Column:
    """A value as text that begins with its kind."""
    if kind in ("bigint", "int", "smallint", "tinyint"):
        return F.concat(F.lit("n"), value.cast("string"))
    if kind.startswith("decimal"):
        scale = int(kind.partition(",")[2].rstrip(")"))
        # Never with an exponent. 1.50 and 1.5 are one number, and so are 1.0 and the integer 1.
        plain = F.translate(F.format_number(value, scale), ",", "")
        trimmed = F.regexp_replace(F.regexp_replace(plain, r"(\.\d*?)0+$", "$1"), r"\.$", "")
        return F.concat(F.lit("n"), trimmed)
    if kind in ("double", "float"):
        # Exact, where the decimal digits of a double depend on the version of Java. -0.0 is 0.0.
        return F.when(value.isNotNull(), F.format_string("f%a", value.cast("double") + F.lit(0.0)))
    if kind == "boolean":
        return F.concat(F.lit("b"), value.cast("string"))
    if kind == "date":
        return F.concat(F.lit("d"), F.date_format(value, "yyyy-MM-dd"))
    if kind.startswith("timestamp"):
        return F.concat(F.lit("t"), F.date_format(value, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"))
    if "<" in kind:
        return F.concat(F.lit("j"), F.to_json(value))
    return F.concat(F.lit("s"), value)


def _named(name: str) -> Column:
    return F.col(f"`{name}`")
