"""Reads delivered files of Parquet. Each row becomes an object of JSON on a line, which is then judged as a
delivered one: an exact number keeps its digits, a binary is Base64, a date is `2010-12-01`. A timestamp is
`2010-12-01T08:26:00.000000`, with `Z` behind it where the file says that it is an instant (also INT96). What
is null is left out.

The types of columns stand in the footer of each file, as the header of CSV stands in its first line. So a
file in which a column has another type than the contract says is refused, before a row is read."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    IntegralType,
    MapType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from etl import session
from etl.ingest.contract import Column, Contract, Dms, Step, glue_type, path_text
from etl.ingest.dms_files import is_load
from etl.ingest.drift import describe_drift, told
from etl.ingest.starts import refuse_files
from etl.ingest.unpacking import read_start
from etl.io import StoredObject

_READERS = 16
_MAGIC = b"PAR1"
_TEXTS = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "dateFormat": "yyyy-MM-dd",
}
_DATA = "org.apache.spark.sql.execution.datasources.parquet"


@dataclass(frozen=True)
class Footer:
    """The schema of a file, or why it cannot be read."""

    file: StoredObject
    schema: StructType | None
    mistake: str = ""


def read_parquet(spark: SparkSession, files: Sequence[StoredObject], dms: Dms | None = None) -> DataFrame:
    """The rows as lines: `value`, `file_path`, and `block_start`, the number of a row in its file, from 1.
    Files whose footers cannot be read are left to `check_parquet`."""
    by_schema: dict[tuple[str, bool], tuple[StructType, list[StoredObject]]] = {}
    for footer in read_footers(spark, files):
        if footer.schema is not None:
            kind = (footer.schema.json(), dms is not None and is_load(footer.file.name))
            by_schema.setdefault(kind, (footer.schema, []))[1].append(footer.file)
    frames = [
        _lines(spark, schema, of_schema, dms.load_values if dms is not None and of_load else ())
        for (_, of_load), (schema, of_schema) in by_schema.items()
    ]
    if not frames:
        return spark.createDataFrame([], "value string, file_path string, block_start bigint")
    return reduce(DataFrame.unionByName, frames)


def _lines(
    spark: SparkSession,
    schema: StructType,
    files: Sequence[StoredObject],
    given: Collection[tuple[str, str]] = (),
) -> DataFrame:
    """`given` are values that all rows have, by the name of their column."""
    rows = spark.read.schema(schema).parquet(*session.paths_of(files))
    others = set(schema.names) - {name for name, _ in given}
    columns = [F.col(f"`{name.replace('`', '``')}`") for name in schema.names if name in others]
    columns += [F.lit(value).alias(name) for name, value in given]
    # A row without a value is a row too.
    value = F.to_json(F.struct(*columns), _TEXTS) if columns else F.lit("{}")
    return rows.select(
        value.alias("value"),
        F.col("_metadata.file_path").alias("file_path"),
        (F.col("_metadata.row_index") + 1).alias("block_start"),
    )


def check_parquet(spark: SparkSession, files: Sequence[StoredObject], contract: Contract) -> None:
    """Raises InvalidDelivery with every file that is not whole, or has a column of another type."""
    mistakes = []
    for footer in read_footers(spark, files):
        if footer.schema is None:
            found = [footer.mistake]
        else:
            found = [*wrong_types(footer.schema, contract), *_lacking(footer, contract)]
        mistakes += [f"{footer.file.uri}: {mistake}" for mistake in found[:1]]
    refuse_files(mistakes)


def find_drift_of_files(
    spark: SparkSession, files: Sequence[StoredObject], contract: Contract, place: str
) -> str:
    """The columns that a footer has and the contract does not, and those that a file lacks; "" without any.
    Their types are checked before. `place` is where the files lie. Raises SourceDrifted instead if the
    contract says `onDrift: fail`."""
    schemas = [footer.schema for footer in read_footers(spark, files) if footer.schema is not None]
    found = {field.name: field.dataType.simpleString() for schema in schemas for field in schema.fields}
    lacking = {name for schema in schemas for name in found.keys() - set(schema.names)}
    wanted = {str(column.place[0]): found.get(str(column.place[0]), "") for column in contract.columns}
    dropped = {str(path[0]) for path in contract.dropped if len(path) == 1}
    there = [one for one in found.items() if one[0] not in dropped and one[0] not in lacking & wanted.keys()]
    return told(describe_drift(there, list(wanted.items())), contract, place)


def read_footers(spark: SparkSession, files: Iterable[StoredObject]) -> list[Footer]:
    """Asks Java for the footer of each file, several at a time."""
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda file: _read_footer(spark, file), files))


def _read_footer(spark: SparkSession, file: StoredObject) -> Footer:
    first = read_start(file)[:4]
    if first != _MAGIC:
        what = "encrypted Parquet" if first == b"PARE" else "no Parquet"
        advice = "deliver it unencrypted" if first == b"PARE" else "a file of Parquet begins with PAR1"
        return Footer(file, None, f"it is {what} (it begins with {first!r}): {advice}")
    jvm: Any = spark.sparkContext._jvm
    settings = spark._jsparkSession.sessionState()
    try:
        path = jvm.org.apache.hadoop.fs.Path(file.uri)
        source = jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(path, settings.newHadoopConf())
        reader = jvm.org.apache.parquet.hadoop.ParquetFileReader.open(source)
        try:
            kind = reader.getFooter().getFileMetaData().getSchema()
        finally:
            reader.close()
    except Py4JJavaError as error:
        why = session.root_cause(error).replace(file.uri, "it")
        return Footer(file, None, f"its Parquet is not whole ({why}): deliver it again")
    try:
        converter = getattr(jvm, f"{_DATA}.ParquetToSparkSchemaConverter")(settings.conf())
        schema = json.loads(converter.convert(kind).json())
    except Py4JJavaError as error:
        return Footer(file, None, f"Spark cannot read its columns: {session.root_cause(error)}")
    read = StructType.fromJson(schema)
    lowered = [name.lower() for name in read.names]
    twice = sorted({name for name in read.names if lowered.count(name.lower()) > 1})
    if twice:
        named = ", ".join(map(repr, twice))
        return Footer(file, None, f"its columns {named} differ in capitals only, which Spark ignores")
    return Footer(file, read)


def _lacking(footer: Footer, contract: Contract) -> list[str]:
    """A column that is not in a file of AWS DMS was dropped in the source. It would be null in every row."""
    if contract.dms is None or footer.schema is None:
        return []
    is_of_load = is_load(footer.file.name)
    missing = [
        column.label
        for column in contract.columns
        if column.place[0] not in footer.schema.names
        and not (is_of_load and column.place[0] in contract.dms.load_lacks)
        and column.name not in contract.dms.added_columns
    ]
    if not missing:
        return []
    return [
        f"it has no column {', '.join(missing)}: the table in the source has changed, or the endpoint. "
        "Name an added column in x-etl.dms.addedColumns; leave out of the contract one that was dropped"
    ]


def wrong_types(schema: StructType, contract: Contract) -> list[str]:
    """For each column of another type, what the footer says and what the contract wants. A column that the
    file does not have is null in its rows."""
    mistakes = []
    for column in contract.columns:
        found, at = _type_at(schema, column.place)
        wanted = _wanted(column, contract)
        is_there = len(at) == len(column.place)
        if found is None or (is_there and any(is_such(found) for is_such in wanted.values())):
            continue
        words = " or ".join(wanted)
        place = path_text(at)
        mistakes.append(
            f"its column {place} is {found.simpleString()}, and the contract wants {words} for "
            f"{column.name} ({glue_type(column)}): correct the file or the contract"
            if is_there
            else f"its column {place} is {found.simpleString()}, and {column.label} lies inside of it"
        )
    return mistakes


def _type_at(schema: DataType, place: Sequence[Step]) -> tuple[DataType | None, Sequence[Step]]:
    """The type at a place; or of the first on the way there that holds nothing inside of it; None if nothing
    is there. Also how far the way goes."""
    kind: DataType = schema
    for at, step in enumerate(place):
        if isinstance(step, int):
            if not isinstance(kind, ArrayType):
                return kind, place[:at]
            kind = kind.elementType
        elif isinstance(kind, StructType):
            if step not in kind.names:
                return None, place
            kind = kind[step].dataType
        elif isinstance(kind, MapType):
            kind = kind.valueType
        else:
            return kind, place[:at]
    return kind, place


_Kinds = Mapping[str, Callable[[DataType], bool]]


def _is_a(*kinds: type[DataType]) -> Callable[[DataType], bool]:
    return lambda found: isinstance(found, kinds)


def _is_whole(found: DataType) -> bool:
    return isinstance(found, IntegralType) or (isinstance(found, DecimalType) and found.scale == 0)


def _is_exact(found: DataType) -> bool:
    return isinstance(found, DecimalType | IntegralType)


_ACCEPTED: Mapping[str, _Kinds] = {
    "string": {"string": _is_a(StringType)},
    "number": {"a number": _is_a(NumericType)},
    "boolean": {"boolean": _is_a(BooleanType)},
    "object": {"struct or map": _is_a(StructType, MapType)},
    "array": {"array": _is_a(ArrayType)},
}
_TEXT, _TIME = _ACCEPTED["string"], {"timestamp": _is_a(TimestampType, TimestampNTZType)}
_DATE = {"date": _is_a(DateType)}


def _wanted(column: Column, contract: Contract) -> _Kinds:
    """The types of Parquet that become a column, by their names."""
    others = {name: is_such for kind in column.accepts for name, is_such in _ACCEPTED[kind].items()}
    if column.is_count:
        return _ACCEPTED["array"]
    if column.formats:
        return {**_DATE, **_TEXT, **others}
    of_contract = contract.timestamp is not None and contract.timestamp.source == column.name
    if of_contract or column.moments is not None:
        return {**_TIME, **_TEXT, **(_DATE if of_contract else {}), **others}
    if column.type == "integer":
        return {"an integer": _is_whole, **others}
    if column.decimal is not None:
        # A binary fraction is not the number that was meant.
        return {"decimal": _is_exact, **others}
    return {**_ACCEPTED[column.type], **others}


def find_unreadable(spark: SparkSession, files: Iterable[StoredObject]) -> list[str]:
    """The URIs of files with rows that cannot be read, each with the reason. Each is read by itself. This is
    for a run that has failed: Spark does not say in which file."""
    mistakes = []
    for footer in read_footers(spark, files):
        if footer.schema is None:
            continue
        try:
            _lines(spark, footer.schema, [footer.file]).agg(F.max(F.length("value"))).collect()
        except Py4JJavaError as error:
            why = session.root_cause(error)
            mistakes.append(f"{footer.file.uri}: its rows cannot be read ({why}): deliver it again")
    return mistakes
