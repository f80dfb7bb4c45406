"""The Spark side of a Glue context: a session and a logger, without dynamic frames."""

from typing import Any

from pyspark.context import SparkContext
from pyspark.sql import SQLContext


class GlueContext(SQLContext):
    """Wraps a SparkContext as Glue's context does; ``spark_session`` is the session to use."""

    def __init__(self, sparkContext: SparkContext, **options: Any) -> None:  # noqa: N803 - Glue's name
        super().__init__(sparkContext)
        self._options = options

    @property
    def spark_session(self) -> Any:
        return self.sparkSession

    def get_logger(self) -> Any:
        """A logger of the JVM. Its lines go to the error stream."""
        jvm: Any = self.sparkSession.sparkContext._jvm
        return jvm.org.apache.log4j.LogManager.getLogger("GlueLogger")
