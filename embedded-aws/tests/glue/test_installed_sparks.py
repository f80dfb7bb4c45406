"""The Spark of each Glue version, and the errors when a part of it is missing."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import SPARK_4, settings_in

from embedded_aws.core.settings import SparkFiles
from embedded_aws.glue.spark.installed import SparkMissingError, spark_for
from embedded_aws.glue.spark.process import configuration_of, iceberg_values, spark_values

_HERE = Path("/nowhere")
WITHOUT = settings_in(_HERE)
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


@pytest.mark.parametrize(("glue_version", "spark"), [("5.1", "3.5_2.12-1.10.0"), ("6.0", "4.1_2.13-1.11.0")])
def test_a_job_gets_iceberg_if_it_asks(glue_version: str, spark: str) -> None:
    asked = [jar.name for jar in spark_for(glue_version, WITH, "iceberg").classpath]
    assert f"org.apache.iceberg_iceberg-spark-runtime-{spark}.jar" in asked
    others = [jar.name for jar in spark_for(glue_version, WITH).classpath]
    assert not any("iceberg" in name for name in others)
    with pytest.raises(SparkMissingError, match="'hudi,iceberg' is not supported here; use iceberg"):
        spark_for(glue_version, WITH, "hudi,iceberg")


def test_one_argument_of_glue_has_many_settings() -> None:
    given = "spark.sql.catalog.glue_catalog=a.B --conf spark.sql.catalog.glue_catalog.warehouse=s3://b/c=d/ "
    found = configuration_of(given)
    assert found == {
        "spark.sql.catalog.glue_catalog": "a.B",
        "spark.sql.catalog.glue_catalog.warehouse": "s3://b/c=d/",
    }
    assert configuration_of("") == {}
    # Iceberg's catalogues have clients of their own.
    values = iceberg_values(WITHOUT, found)
    assert values["spark.sql.catalog.glue_catalog.glue.endpoint"] == "https://127.0.0.1:1"
    assert iceberg_values(WITHOUT, {"spark.x": "y"}) == {}


def test_the_region_of_s3a_is_the_jobs_and_the_endpoint_is_the_embedded_aws() -> None:
    endpoint, region = (f"spark.hadoop.fs.s3a.{name}" for name in ("endpoint", "endpoint.region"))
    said = spark_values(WITHOUT, "Keys", {region: "eu-west-1", endpoint: "s3.amazonaws.com", "spark.x": "y"})
    assert (said[region], said[endpoint], said["spark.x"]) == ("eu-west-1", "https://127.0.0.1:1", "y")
    # Never the region of the embedded AWS.
    assert spark_values(WITHOUT, "Keys", {})[region] == "us-east-2"


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
def test_a_missing_part_is_named(spark_4: SparkFiles | None, message: str) -> None:
    with pytest.raises(SparkMissingError) as refusal:
        spark_for("6.0", replace(WITHOUT, spark4=spark_4))
    assert str(refusal.value) == message
