"""The session of Spark: its settings, and what is known of its errors and plans."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.errors import SparkFailed
from etl.io import StoredObject

_MIB = 1024 * 1024
SHUFFLE_BYTES_PER_FILE = 128 * _MIB  # of rows on their way to a file; as Parquet about a third of it
_INPUT_BYTES_PER_SHUFFLE_PARTITION = 64 * _MIB
# Below it Spark spends longer on writing and compiling code for the queries, on planning them anew after each
# of their stages, and on beginning tasks, than on the rows.
OPTIMISED_FROM_BYTES = 16 * _MIB
FILES_OF_A_TASK = 32  # each is a request or two, one after the other

_BROADCAST_BELOW = "spark.sql.autoBroadcastJoinThreshold"
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # The parsers of Spark 4, also on 3.5, where the default asks the operator instead of giving null.
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    # INT96 has no statistics; and no rebasing, or a row dated 0001-01-01 would end the job.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "16",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": str(SHUFFLE_BYTES_PER_FILE),
}


def configure(spark: SparkSession, input_bytes: int) -> None:
    """Settings that the results depend on, shuffles as wide as `input_bytes` needs, and queries compiled,
    adapted and their sides broadcast where that pays."""
    for name, value in _SETTINGS.items():
        spark.conf.set(name, value)
    by_size = -(-input_bytes // _INPUT_BYTES_PER_SHUFFLE_PARTITION)
    is_large = input_bytes >= OPTIMISED_FROM_BYTES
    width = max(spark.sparkContext.defaultParallelism, min(by_size, 1000)) if is_large else 1
    spark.conf.set("spark.sql.shuffle.partitions", str(width))
    for name in ("spark.sql.adaptive.enabled", "spark.sql.codegen.wholeStage"):
        spark.conf.set(name, str(is_large).lower())
    if is_large:
        spark.conf.unset(_BROADCAST_BELOW)
    else:
        spark.conf.set(_BROADCAST_BELOW, "-1")
    spark.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if is_large else "NO_CODEGEN")


def broadcast(frame: DataFrame) -> DataFrame:
    """The frame, for every task of a join to hold. Where all is in one task that is a query too many."""
    is_in_one_task = frame.sparkSession.conf.get(_BROADCAST_BELOW) == "-1"
    return frame if is_in_one_task else F.broadcast(frame)


def without_plan(frame: DataFrame) -> DataFrame:
    """The same rows, of whose making a query that uses them does not speak. Spark writes out the plan of each
    query over and over, with the plans of all that is persisted in it: nested, that takes it minutes. For
    frames of a few columns; each row is copied."""
    session = frame.sparkSession
    jframe = frame._jdf
    return DataFrame(session._jsparkSession.createDataFrame(jframe.toJavaRDD(), jframe.schema()), session)


@contextmanager
def spark_failures_named() -> Iterator[None]:
    """Within it, what Spark raises becomes SparkFailed with one line that says why."""
    try:
        yield
    except Py4JJavaError as error:
        raise SparkFailed(root_cause(error)) from error
    except PySparkException as error:
        raise SparkFailed(str(error).strip().splitlines()[0]) from error


def root_cause(error: Py4JJavaError) -> str:
    """The first line of the outermost Java exception that is not Spark's own: those only say that a task
    failed."""
    causes = []
    cause = error.java_exception
    while cause is not None:
        causes.append(str(cause.toString()).splitlines()[0])
        cause = cause.getCause()
    of_others = [text for text in causes if not text.startswith("org.apache.spark.SparkException")]
    return (of_others or causes[-1:])[0]


def paths_of(files: Iterable[StoredObject]) -> list[str]:
    """Names as Spark must be given them: an object key may hold what Spark takes for a pattern."""
    return [re.sub(r"([\\*?\[\]{}])", r"\\\1", file.uri) for file in files]
