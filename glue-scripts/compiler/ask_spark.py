"""Asks Spark and Java about a contract what only they know: whether an expression can be computed and which
type it has, and whether a regular expression is one. `npx cdktf-aws-etl contract compile` runs it and records
the answers beside the contract, so that neither synth nor the job asks again.

Reads `{"questions": [...]}` from standard input; `contracts/spark-questions.ts` says what a question holds.
Writes `{"answers": [...]}` to standard output, one answer for each question: `{"type": "decimal(21,4)"}`,
`{}` where Java takes a regular expression, or `{"key": ..., "mistake": ...}`, where `key` is the part of the
question that is wrong. Needs PySpark and Java, and nothing else."""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyspark
from etl.ingest.contract import MAX_PRECISION
from etl.ingest.transforms.compute_columns import WHOLE
from etl.run.meet_rule import expression_of
from etl.run.no_rows import no_rows
from pyspark.errors import IllegalArgumentException, PySparkException
from pyspark.sql import DataFrame, SparkSession

Question = Mapping[str, Any]
Answer = dict[str, str]

_OLDEST = (3, 5)
_ANSI = "spark.sql.ansi.enabled"
_ARITHMETIC = ("Add", "Subtract", "Multiply", "UnaryMinus", "Abs", "Sum")
_GROUP = re.compile(r"\\.|\$(?P<number>[0-9])|\$\{(?P<name>[A-Za-z][A-Za-z0-9]*)\}", re.DOTALL)


class QuestionError(Exception):
    """A question that Spark or Java answers with no: `text` follows the name of the part `key`."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.answer: Answer = {"key": key, "mistake": text}


def main() -> None:
    questions = json.load(sys.stdin.buffer)["questions"]
    # Java writes to standard output too, for example a warning at its start.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(2, 1)
        spark = start_spark()
        json.dump(
            {"spark": spark.version, "answers": [answer_in_each(spark, one) for one in questions]}, output
        )
    spark.stop()


def start_spark() -> SparkSession:
    """A Spark of one core on this computer, which reads and writes nothing."""
    if tuple(int(part) for part in re.findall(r"\d+", pyspark.__version__)[:2]) < _OLDEST:
        sys.exit(f"PySpark {'.'.join(map(str, _OLDEST))} or later is needed, found {pyspark.__version__}")
    return (
        SparkSession.builder.master("local[1]")
        .appName("contract compile")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .getOrCreate()
    )


def answer_in_each(spark: SparkSession, question: Question) -> Answer:
    """The answer with ANSI mode (the default of Spark 4) and without it (the default of Spark 3.5). A mistake
    in one of them is a mistake."""
    before = spark.conf.get(_ANSI)
    try:
        for is_ansi in ("true", "false"):
            spark.conf.set(_ANSI, is_ansi)
            answered = answer(spark, question)
            if "mistake" in answered:
                break
    finally:
        spark.conf.set(_ANSI, str(before))
    return answered


def answer(spark: SparkSession, question: Question) -> Answer:
    """The answer of this Spark as it is set."""
    try:
        return _ANSWERS[question["kind"]](spark, question)
    except QuestionError as error:
        return error.answer


def _of_row(spark: SparkSession, question: Question) -> Answer:
    return _computed(lambda: _exact_rows(spark, question).select(_expression(question)))


def _of_aggregate(spark: SparkSession, question: Question) -> Answer:
    grouped = _exact_rows(spark, question).groupBy(*question["groupBy"])
    return _computed(lambda: grouped.agg(_expression(question)))


def _of_condition(spark: SparkSession, question: Question) -> Answer:
    """A text compared with a number or a time is a mistake. Spark would cast one of them, and stop at the
    first text that cannot be cast. Athena refuses the comparison, but only after the rows are published."""
    judged = _analysed(lambda: no_rows(spark, question["columns"]).select(_expression(question)))
    kind = _type_of(judged)
    if kind != "boolean":
        raise QuestionError("expression", f"must be true or false, is {kind}")
    _refuse_mixed(judged)
    return {"type": kind}


def _of_replace(spark: SparkSession, question: Question) -> Answer:
    """Java's pattern must be one, and have the groups that the replacement names."""
    assert spark.sparkContext._jvm is not None
    pattern = spark.sparkContext._jvm.java.util.regex.Pattern
    try:
        groups = pattern.compile(question["pattern"]).matcher("").groupCount()
    except IllegalArgumentException as error:
        why = str(error).splitlines()[0]
        raise QuestionError("replace", f"is not a regular expression for Java: {why}") from error
    # Java looks a name up once there is a match, and nothing always matches.
    matcher = pattern.compile(f"|{question['pattern']}").matcher("")
    matcher.find()
    for group in _GROUP.finditer(question["with"]):
        number, name = group["number"], group["name"]
        if number and int(number) > groups:
            raise QuestionError("with", f"names the group {number}, and 'replace' has {groups}")
        if name:
            try:
                matcher.start(name)
            except IllegalArgumentException as error:
                raise QuestionError(
                    "with", f"names the group '{name}', which 'replace' does not have"
                ) from error
    return {}


_ANSWERS: Mapping[str, Callable[[SparkSession, Question], Answer]] = {
    "row": _of_row,
    "aggregate": _of_aggregate,
    "condition": _of_condition,
    "replace": _of_replace,
}


def _exact_rows(spark: SparkSession, question: Question) -> DataFrame:
    """The job computes with whole numbers as decimals, which cannot overflow."""
    types = question["columns"].items()
    return no_rows(spark, {name: WHOLE if kind == "bigint" else kind for name, kind in types})


def _expression(question: Question) -> Any:
    return expression_of(question["expression"]).alias("made")


def _computed(select: Callable[[], DataFrame]) -> Answer:
    judged = _analysed(select)
    _refuse_mixed(judged)
    if doubtful := _find_doubtful(_nodes_of(judged)):
        text = f"computes {doubtful}, which may not hold the result: use columns with fewer digits"
        raise QuestionError("expression", text)
    return {"type": _type_of(judged)}


def _analysed(select: Callable[[], DataFrame]) -> DataFrame:
    try:
        return select()
    except PySparkException as error:
        why = str(error).strip().splitlines()[0]
        raise QuestionError("expression", f"is not valid for Spark: {why}") from error


def _type_of(judged: DataFrame) -> str:
    return judged.schema["made"].dataType.simpleString()


def _refuse_mixed(judged: DataFrame) -> None:
    if mixed := _find_mixed_types(_nodes_of(judged)):
        raise QuestionError(
            "expression", f"compares or joins {mixed}: write the literal in the column's type"
        )


def _find_mixed_types(nodes: Sequence[Any]) -> str:
    """The types of the first cast between a text and another type that Spark inserted; "" without one."""
    for node in nodes:
        children = _nodes_of(node)
        if node.nodeName() == "Cast":
            types = (children[0].dataType().simpleString(), node.dataType().simpleString())
            if types.count("string") == 1 and "void" not in types:
                return " and ".join(sorted(types))
        if mixed := _find_mixed_types(children):
            return mixed
    return ""


def _find_doubtful(nodes: Sequence[Any]) -> str:
    """The type of the first result that may be too long for it; "" without one."""
    for node in nodes:
        if node.nodeName() in _ARITHMETIC:
            kind = node.dataType().simpleString()
            if kind.startswith(f"decimal({MAX_PRECISION},") or kind == "bigint":
                return str(kind)
        if doubtful := _find_doubtful(_nodes_of(node)):
            return doubtful
    return ""


def _nodes_of(of: Any) -> list[Any]:
    """The expressions of a frame's last step, as Spark analysed it, or the children of an expression."""
    found = of._jdf.queryExecution().analyzed().expressions() if isinstance(of, DataFrame) else of.children()
    return [found.apply(index) for index in range(found.size())]


if __name__ == "__main__":
    main()
