"""Java's classes as PySpark finds them."""

from typing import Any

from py4j.java_gateway import JavaClass, JavaMember
from pyspark.sql import SparkSession

# What every function of every column asks for: as Spark 3.5 names them, and as Spark 4 does.
_ASKED = ("functions", "PythonUtils")
_PACKAGES = ("org.apache.spark.sql", "org.apache.spark.api.python")
_NAMES = (*_ASKED, *(f"{package}.{name}" for package, name in zip(_PACKAGES, _ASKED, strict=True)))


class _Remembered(JavaClass):  # type: ignore[misc]
    """A class that asks Java once whether it has a method of a name."""

    def __getattr__(self, name: str) -> Any:
        member = super().__getattr__(name)
        if isinstance(member, JavaMember):
            self.__dict__[name] = member
        return member


def remember_classes(spark: SparkSession) -> None:
    """PySpark asks Java for these by name whenever it makes a column, and Java looks through hundreds of jars
    for each package that the name might be in: hundreds of times a run, a fifth of the time of a small one.
    Asked once, they are attributes of the view that they are looked up in."""
    view = spark.sparkContext._jvm
    assert view is not None
    for name in _NAMES:
        found = getattr(view, name)
        if isinstance(found, JavaClass):
            found.__class__ = _Remembered
            setattr(view, name, found)
