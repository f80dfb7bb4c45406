"""Iceberg tables from end to end: a job commits through Glue and S3 with its role's rights, and Athena reads
the current snapshot, also after a MERGE."""

from typing import Any

import athena_bench as library
from conftest import ACCOUNT, S3A_REGION, Bench, make_role, statement
from job_ends import run_job

BUCKET = "harbour-berths"
DATABASE = "harbour"
GLUE = f"arn:aws:glue:eu-west-1:{ACCOUNT}"
CATALOGUE = "spark.sql.catalog.glue_catalog"
CONF = " --conf ".join(
    (
        S3A_REGION,
        "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        f"{CATALOGUE}=org.apache.iceberg.spark.SparkCatalog",
        f"{CATALOGUE}.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
        f"{CATALOGUE}.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
        f"{CATALOGUE}.warehouse=s3://{BUCKET}/berths/",
    )
)
TABLE = f"glue_catalog.{DATABASE}.berths"
SCRIPT = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sql(f'''CREATE TABLE {NAME} (ship string, berth int, seen timestamp_ntz, day string)
    USING iceberg PARTITIONED BY (day) LOCATION '{PLACE}'
    TBLPROPERTIES ('format-version' = '2', 'write.merge.mode' = 'copy-on-write')''')
spark.sql(f'''INSERT INTO {NAME} VALUES
    ('Ada', 1, timestamp_ntz'2020-01-01 10:00:00', '1'),
    ('Bob', 2, timestamp_ntz'2020-01-01 11:00:00', '1')''')
spark.sql(f'''MERGE INTO {NAME} old
    USING (SELECT 'Ada' ship, 7 berth, timestamp_ntz'2020-01-02 10:00:00' seen, '2' day) new
    ON old.ship = new.ship WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *''')
"""


def rights() -> list[dict[str, Any]]:
    """The rights that a job needs to write its Iceberg table."""
    below = f"arn:aws:s3:::{BUCKET}/berths"
    of_database = [f"{GLUE}:catalog", f"{GLUE}:database/{DATABASE}"]
    return [
        statement(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/code/*"]),
        statement(["s3:PutObject", "s3:DeleteObject", "s3:GetObject"], [below, f"{below}/*"]),
        statement(["logs:*"], ["*"]),
        statement(["glue:GetDatabase"], of_database),
        statement(
            ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"],
            [*of_database, f"{GLUE}:table/{DATABASE}/berths"],
        ),
    ]


def run(bench: Bench, name: str, role: str, arguments: dict[str, str]) -> dict[str, Any]:
    glue = bench.client("glue")
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/code/berths.py", "PythonVersion": "3"}
    glue.create_job(
        Name=name, Role=role, Command=command, GlueVersion="5.1", WorkerType="G.1X", NumberOfWorkers=2,
        DefaultArguments=arguments,
    )  # fmt: skip
    return run_job(bench, name, 240)


def test_athena_answers_from_the_snapshot_that_a_merge_made(bench: Bench) -> None:
    library.make_bucket(bench, BUCKET)
    library.make_bucket(bench, "harbour-answers")
    bench.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    names = f"NAME, PLACE = '{TABLE}', 's3://{BUCKET}/berths'"
    library.put(bench, "code/berths.py", names + SCRIPT, BUCKET)
    role = make_role(bench, "berths-writer", "glue.amazonaws.com", rights())

    without = run(bench, "berths-without", role, {"--conf": CONF})
    assert without["JobRunState"] == "FAILED"
    assert "iceberg" in without["ErrorMessage"]

    ended = run(bench, "berths", role, {"--conf": CONF, "--datalake-formats": "iceberg"})
    assert ended["JobRunState"] == "SUCCEEDED", ended
    athena = bench.client("athena")
    execution = library.run(
        athena,
        "select ship, berth, seen, day from berths order by ship",
        QueryExecutionContext={"Database": DATABASE},
        ResultConfiguration={"OutputLocation": "s3://harbour-answers/"},
    )
    assert library.rows_of(athena, execution)[1:] == [
        ["Ada", "7", "2020-01-02 10:00:00.000", "2"],
        ["Bob", "2", "2020-01-01 11:00:00.000", "1"],
    ]
    # The files of earlier snapshots are still there.
    entries = bench.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="berths/data/")["Contents"]
    assert sum(entry["Size"] for entry in entries) > execution["Statistics"]["DataScannedInBytes"]
