"""Parses the elements of XML that are rows. All values are texts, and become what the contract declares as
those of CSV do.

Spark's own parser reads an element: the package spark-xml under Spark 3.5 (the job brings it), and what Spark
4 made of it. Every element is read as a list, because of two elements in the place of one the parser keeps
the last and says nothing. Such a column has a wrong value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from etl.errors import SparkFailed
from etl.ingest.contract import Column as ContractColumn
from etl.ingest.contract import Contract, Step
from etl.ingest.transforms.parse_csv import fits, is_in_its_encoding, typed_text
from etl.ingest.transforms.parse_lines import MAX_LINE_BYTES, UNPARSED

ATTRIBUTE, TEXT = "@", "#text"
_OPTIONS = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": UNPARSED,
    "attributePrefix": ATTRIBUTE,
    "valueTag": TEXT,
    "ignoreNamespace": "true",
    "ignoreSurroundingSpaces": "false",
}
_SPACE = " \t\r\n"
_BLANK = r"^[\s\p{Z}]*\z"
_PACKAGE = "com.databricks.spark.xml.functions"
_READ, _MANY = "x-etl-read", "x-etl-many"


@dataclass
class _Node:
    """An element, with the columns that are its text, and what lies inside of it."""

    is_text: bool = False
    inside: dict[str, "_Node"] = field(default_factory=dict)

    def fields(self) -> list[StructField]:
        return [
            StructField(name, StringType() if name.startswith(ATTRIBUTE) else ArrayType(node.type))
            for name, node in self.inside.items()
        ]

    @property
    def type(self) -> DataType:
        if not self.inside:
            return StringType()
        return StructType([*self.fields(), *([StructField(TEXT, StringType())] if self.is_text else [])])


def parse_xml(rows: DataFrame, contract: Contract) -> DataFrame:
    """Like `parse_csv`, for the elements that `split_elements` made.

    - `is_object`: the element is well-formed, in valid characters of its encoding;
    - `is_clean`: and every value has the declared type, except dates and moments, which are still texts."""
    others = [name for name in rows.columns if name not in ("value", "size")]
    root = _tree(contract)
    schema = StructType([*root.fields(), StructField(UNPARSED, StringType())])
    lines = rows.select(*others, F.col("value").alias("line"), (F.col("size") > MAX_LINE_BYTES).alias("cut"))
    read = lines.select("*", _from_xml(rows.sparkSession, "line", schema).alias(_READ))
    is_object = F.coalesce(
        ~F.col("cut") & F.col(_READ)[UNPARSED].isNull() & is_in_its_encoding(contract.format), F.lit(False)
    )
    found = [(column, *_find(F.col(_READ), root, column.place)) for column in contract.columns]
    texts = F.struct(*(_meant(text, column).alias(column.name) for column, text, _ in found))
    many = F.struct(*(is_many.alias(column.name) for column, _, is_many in found))
    parsed = read.select(
        *others, "line", is_object.alias("is_object"), texts.alias("texts"), many.alias(_MANY)
    )
    row = F.struct(
        *(F.when(~F.col(_MANY)[one.name], typed_text(one)).alias(one.name) for one in contract.columns)
    )
    typed = parsed.select(*others, "line", "is_object", "texts", row.alias("row"))
    is_clean = reduce(lambda one, other: one & other, map(fits, contract.columns), F.col("is_object"))
    return typed.select("*", is_clean.alias("is_clean"))


def _tree(contract: Contract) -> _Node:
    root = _Node()
    for column in contract.columns:
        node = root
        for step in column.place:
            if isinstance(step, str) and step != TEXT:
                node = node.inside.setdefault(step, _Node())
        node.is_text = True
    return root


def _find(read: Column, root: _Node, place: Sequence[Step]) -> tuple[Column, Column]:
    """The text at a place, null without one, and whether there are several elements where one is meant; then
    the text is all of them."""
    value, node = read, root
    manys: list[Column] = []
    texts: list[Column] = []
    steps = [step for step in place if step != TEXT]
    for at, step in enumerate(steps):
        if isinstance(step, int):
            continue
        node, value = node.inside[step], value[step]
        if step.startswith(ATTRIBUTE):
            break
        following = steps[at + 1] if at + 1 < len(steps) else None
        if isinstance(following, int):
            value = F.get(value, F.lit(following))
        else:
            manys.append(F.coalesce(F.size(value) > 1, F.lit(False)))
            texts.append(F.when(manys[-1], F.to_json(value)))
            value = F.get(value, F.lit(0))
    is_struct = bool(node.inside)
    text = value[TEXT] if is_struct else value
    return F.coalesce(*texts, text), reduce(or_, manys, F.lit(False))


def _meant(text: Column, column: ContractColumn) -> Column:
    """The text of a column; null if nothing is left of it, or a text that means null. Around what is not a
    string, space has no meaning (https://www.w3.org/TR/xmlschema11-2/#rf-whiteSpace)."""
    is_string = column.type == "string" and not column.formats and column.moments is None
    kept = text if is_string else F.btrim(text, F.lit(_SPACE))
    is_value = kept != ""
    if column.nulls:
        is_value = is_value & ~kept.isin(list(column.nulls))
    if column.is_blank_null:
        is_value = is_value & ~kept.rlike(_BLANK)
    return F.when(is_value, kept)


def _from_xml(spark: SparkSession, name: str, schema: StructType) -> Column:
    if hasattr(F, "from_xml"):  # Spark 4
        found: Column = F.from_xml(F.col(name), schema, _OPTIONS)
        return found
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    functions = getattr(jvm, _PACKAGE)
    if not hasattr(functions, "from_xml"):
        raise SparkFailed(
            f"Spark {spark.version} has no {_PACKAGE}, which reads XML: "
            "give the job spark-xml_2.12-0.18.0.jar as jar"
        )
    kind = jvm.org.apache.spark.sql.types.DataType.fromJson(schema.json())
    return Column(functions.from_xml(F.col(name)._jc, kind, jvm.PythonUtils.toScalaMap(_OPTIONS)))
