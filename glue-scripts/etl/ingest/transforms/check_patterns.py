"""Has Java check the regular expressions of a contract, before a row is read."""

import re

from pyspark.errors import IllegalArgumentException
from pyspark.sql import SparkSession

from etl.errors import PlanRefused
from etl.ingest.contract import CleanUp, Contract

_GROUP = re.compile(r"\\.|\$([0-9])", re.DOTALL)


def check_patterns(spark: SparkSession, contract: Contract) -> None:
    """Raises PlanRefused with every pattern that Java refuses, and every replacement that names a group
    which its pattern does not have."""
    mistakes = [
        f"'x-etl.shapes.{shape.name}.{of}.clean[{at}].{mistake}"
        for shape in contract.shapes
        for of, source in shape.sources.items()
        for at, step in enumerate(source.clean)
        if (mistake := _mistake(spark, step))
    ]
    if mistakes:
        raise PlanRefused("; ".join(mistakes))


def _mistake(spark: SparkSession, step: CleanUp) -> str:
    jvm = spark.sparkContext._jvm
    if step.kind != "replace" or jvm is None:
        return ""
    try:
        groups = jvm.java.util.regex.Pattern.compile(step.pattern).matcher("").groupCount()
    except IllegalArgumentException as error:
        return f"replace' is not a regular expression for Java: {str(error).splitlines()[0]}"
    named = [int(number) for number in _GROUP.findall(step.text) if number]
    too_high = [number for number in named if number > groups]
    return f"with' names the group {too_high[0]}, and 'replace' has {groups}" if too_high else ""
