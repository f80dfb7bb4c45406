"""Which Spark a Glue version gets, and what is said when it is not wholly there."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import JARS, SPARK_4
from settings import Settings, SparkFiles
from sparks import SparkMissingError, spark_for

_HERE = Path("/nowhere")
WITHOUT = Settings(
    "https://127.0.0.1:1", "0" * 12, "eu-west-1", _HERE, JARS, _HERE, _HERE, _HERE, "", "key", "secret", 60.0
)
WITH = replace(WITHOUT, spark4=SparkFiles(**SPARK_4))


def test_each_glue_version_has_its_own_spark() -> None:
    first, second = spark_for("5.1", WITH), spark_for("6.0", WITH)
    assert (first.python, second.python) == (Path(sys.executable), SPARK_4["python"])
    names = [[jar.name for jar in spark.classpath] for spark in (first, second)]
    for spark, jars in zip((first, second), names, strict=True):
        assert sum(name.startswith("spark-core_") for name in jars) == 1
        assert f"spark-core_{'2.12' if spark is first else '2.13'}-{spark.kind.version}.jar" in jars
    assert any(name.startswith("com.amazonaws_aws-java-sdk-s3") for name in names[0])
    assert any(name.startswith("software.amazon.awssdk_s3-2") for name in names[1])
    # S3A must be of the Hadoop that Spark ships.
    for jars in names:
        (client,) = [name for name in jars if name.startswith("hadoop-client-api-")]
        version = client.removeprefix("hadoop-client-api-")
        assert f"org.apache.hadoop_hadoop-aws-{version}" in jars


@pytest.mark.parametrize(
    ("spark_4", "message"),
    [
        (None, "Glue 6.0 needs PySpark 4.1.1, which is not installed"),
        (
            SparkFiles(Path("/nowhere/python"), SPARK_4["jars"]),
            "Glue 6.0 needs PySpark 4.1.1, which is not installed",
        ),
        (SparkFiles(Path(sys.executable), SPARK_4["jars"]), "Glue 6.0 needs PySpark 4.1.1, not 3.5.6"),
        (
            SparkFiles(SPARK_4["python"], Path("/nowhere")),
            "/nowhere does not hold the jars that jars-spark4.json names",
        ),
    ],
)
def test_what_is_missing_is_named(spark_4: SparkFiles | None, message: str) -> None:
    with pytest.raises(SparkMissingError) as refusal:
        spark_for("6.0", replace(WITHOUT, spark4=spark_4))
    assert str(refusal.value) == message
