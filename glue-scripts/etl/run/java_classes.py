"""Makes PySpark look up Java classes once."""

from typing import Any

from py4j.java_gateway import JavaClass, JavaMember
from pyspark.sql import SparkSession

# The classes that every column function looks up: by the names of Spark 3.5 and of Spark 4.
_ASKED = ("functions", "PythonUtils")
_PACKAGES = ("org.apache.spark.sql", "org.apache.spark.api.python")
_NAMES = (*_ASKED, *(f"{package}.{name}" for package, name in zip(_PACKAGES, _ASKED, strict=True)))


class _Remembered(JavaClass):  # type: ignore[misc]
    """A class that asks Java only once whether it has a method."""

    def __getattr__(self, name: str) -> Any:
        member = super().__getattr__(name)
        if isinstance(member, JavaMember):
            self.__dict__[name] = member
        return member


def remember_classes(spark: SparkSession) -> None:
    """PySpark asks Java for these classes whenever it makes a column, and Java then searches hundreds of jars
    for each package that the name might be in. That happens hundreds of times a run, and takes a fifth of the
    time of a small one. After one lookup they are attributes of the view in which PySpark looks."""
    view = spark.sparkContext._jvm
    assert view is not None
    for name in _NAMES:
        found = getattr(view, name)
        if isinstance(found, JavaClass):
            found.__class__ = _Remembered
            setattr(view, name, found)
