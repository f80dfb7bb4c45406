"""The Spark session: its settings, the cause of its errors, and ways around its query planner."""

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
SHUFFLE_BYTES_PER_FILE = 128 * _MIB  # of shuffled rows; about three times their size as Parquet
_INPUT_BYTES_PER_SHUFFLE_PARTITION = 64 * _MIB
# Below this size Spark spends more time on generating code, on planning again after each stage and on
# starting tasks than on the rows.
OPTIMISED_FROM_BYTES = 16 * _MIB
FILES_OF_A_TASK = 32  # each costs a request or two, one after the other

_BROADCAST_BELOW = "spark.sql.autoBroadcastJoinThreshold"
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # The parsers of Spark 4, also on 3.5, whose default raises an error instead of giving null.
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    # INT96 has no statistics. Without CORRECTED, a row dated 0001-01-01 would end the job.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "16",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": str(SHUFFLE_BYTES_PER_FILE),
    # Spark writes a text of the plan for each query. Of wide rows a few columns are enough to recognise it.
    "spark.sql.debug.maxToStringFields": "4",
}


def configure(spark: SparkSession, input_bytes: int) -> None:
    """Sets what the results depend on, and the width of shuffles for `input_bytes`. Turns code generation,
    adaptive plans and broadcasts on only where they save time."""
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
    """Marks the frame for a broadcast join. With all rows in one task, a broadcast would only add a query."""
    is_in_one_task = frame.sparkSession.conf.get(_BROADCAST_BELOW) == "-1"
    return frame if is_in_one_task else F.broadcast(frame)


def without_plan(frame: DataFrame) -> DataFrame:
    """The same rows without the plan that made them. Spark describes the plan of each query many times, with
    the plans of the persisted frames in it; nested, that takes minutes. For frames of a few columns: each
    row is copied."""
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
    """The first line of the outermost Java exception that is not a SparkException, which only says that a
    task failed."""
    causes = []
    cause = error.java_exception
    while cause is not None:
        causes.append(str(cause.toString()).splitlines()[0])
        cause = cause.getCause()
    of_others = [text for text in causes if not text.startswith("org.apache.spark.SparkException")]
    return (of_others or causes[-1:])[0]


def paths_of(files: Iterable[StoredObject]) -> list[str]:
    """The URIs of the files, escaped: an object key may hold characters that Spark takes for a pattern."""
    return [re.sub(r"([\\*?\[\]{}])", r"\\\1", file.uri) for file in files]
