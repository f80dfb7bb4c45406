"""Gives a notebook its Spark session as `spark`, `sc` and `sql`. IPython runs this file when a kernel starts.

The session starts with the first cell, so that the kernel answers at once: Jupyter gives up on a slow one.
"""

from typing import Any

from IPython import get_ipython


def open_session(*_: Any) -> None:
    shell.events.unregister("pre_run_cell", open_session)
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.config("spark.sql.repl.eagerEval.enabled", "true").getOrCreate()
    shell.push({"spark": spark, "sc": spark.sparkContext, "sql": spark.sql})


shell: Any = get_ipython()
shell.events.register("pre_run_cell", open_session)
