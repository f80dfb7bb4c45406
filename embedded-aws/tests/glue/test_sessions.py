"""Sessions on a running server: what the Data Catalog shows to Spark, with whose rights, and how they end."""

import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from ssl import create_default_context
from typing import Any

import athena_bench as library
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ACCOUNT, JARS, PACKAGE, REGION, SPARK_4, Bench, make_role, statement

BUCKET = "cellar-bottles"
DATABASE = "cellar"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
STORAGE = {
    "InputFormat": f"{PARQUET}.MapredParquetInputFormat",
    "OutputFormat": f"{PARQUET}.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": f"{PARQUET}.serde.ParquetHiveSerDe"},
    "Columns": [{"Name": "name", "Type": "string"}, {"Name": "litres", "Type": "decimal(5,2)"}],
}


@pytest.fixture(scope="module")
def cellar(bench: Bench) -> Bench:
    """Two tables of two years each, and a job whose role may read the first alone."""
    library.make_bucket(bench, BUCKET)
    glue = bench.client("glue")
    place = f"s3://{BUCKET}"
    glue.create_database(DatabaseInput={"Name": DATABASE, "LocationUri": f"{place}/"})
    for table in ("bottles", "barrels"):
        glue.create_table(
            DatabaseName=DATABASE,
            TableInput={
                "Name": table,
                "TableType": "EXTERNAL_TABLE",
                "PartitionKeys": [{"Name": "year", "Type": "string"}],
                "StorageDescriptor": {**STORAGE, "Location": f"{place}/{table}/"},
            },
        )
        for year, names in (("1999", ["a", "b"]), ("2000", ["c"])):
            # The folder is not named by the value, as after a run that writes a new one.
            folder = f"{table}/of-{year}/"
            rows = pa.table({"name": names, "litres": pa.array([1] * len(names), pa.decimal128(5, 2))})
            written = io.BytesIO()
            pq.write_table(rows, written)
            bench.client("s3").put_object(Bucket=BUCKET, Key=f"{folder}0.parquet", Body=written.getvalue())
            storage = {**STORAGE, "Location": f"{place}/{folder}"}
            partition = {"Values": [year], "StorageDescriptor": storage}
            glue.create_partition(DatabaseName=DATABASE, TableName=table, PartitionInput=partition)
    names = [f"{GLUE}:catalog", f"{GLUE}:database/{DATABASE}", f"{GLUE}:table/{DATABASE}/bottles"]
    role = make_role(
        bench,
        "bottles-reader",
        "glue.amazonaws.com",
        [
            statement(["glue:GetTable", "glue:GetPartitions"], names),
            statement(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/bottles/*"]),
            statement(["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"]),
        ],
    )
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/x.py"}
    glue.create_job(Name="count-bottles", Role=role, Command=command, GlueVersion="5.1")
    return bench


def keys_of(bench: Bench, job: str, secret: str | None = None) -> tuple[int, dict[str, str]]:
    """The answer to the owner's question for credentials of a job."""
    token = bench.ready["secretAccessKey"] if secret is None else secret
    asked = urllib.request.Request(  # noqa: S310 - our own https
        f"{bench.ready['endpoint']}/_embedded-aws/job-credentials",
        data=json.dumps({"job": job}).encode(),
        headers={"authorization": f"Bearer {token}"},
    )
    context = create_default_context(cafile=bench.ready["caBundle"])
    try:
        with urllib.request.urlopen(asked, context=context, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def session(
    bench: Bench, code: str, keys: dict[str, str] | None = None, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run a script as the owner, or with the keys of a role."""
    keys = keys or bench.ready
    command = [sys.executable, str(PACKAGE / "interactive_session.py"), "--region", REGION]
    command += [
        "--endpoint",
        bench.ready["endpoint"],
        "--tls",
        str(bench.folder / "tls"),
        "--jars",
        str(JARS),
    ]
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": keys["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["secretAccessKey"],
        "AWS_SESSION_TOKEN": keys.get("sessionToken", ""),
        "AWS_DEFAULT_REGION": REGION,
    }
    return subprocess.run(
        [*command, *options, "script"],
        input=code,
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
    )


AS_OWNER = """
import json
ask = lambda text: [list(map(str, row)) for row in spark.sql(text).collect()]
found = dict(
    databases=[name for name, in ask("show databases") if name != "default"],
    tables=sorted(row[1] for row in ask("show tables in cellar")),
    matching=[row[1] for row in ask("show tables in cellar like 'bott*'")],
    columns=spark.table("cellar.bottles").dtypes,
    partitions=ask("show partitions cellar.bottles"),
    all=ask("select year, name, litres from cellar.bottles order by name"),
    one=ask("select name from cellar.bottles where year = '2000'"),
)
plan = spark.sql("select * from cellar.bottles where year = '2000'")
found["files"] = len(plan.inputFiles())
spark.sql("create table glue_catalog.cellar.corks (n int) using iceberg location 's3://cellar-bottles/corks'")
spark.sql("insert into cellar.corks values (1), (2)")
found["iceberg"] = ask("select sum(n) from cellar.corks")
try:
    spark.sql("create table cellar.mine (x int) using parquet")
except Exception as error:
    found["refused"] = str(error)
print("FOUND" + json.dumps(found))
"""


def found_in(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    lines = [line for line in ended.stdout.splitlines() if line.startswith("FOUND")]
    assert lines, ended.stderr
    return dict(json.loads(lines[0].removeprefix("FOUND")))


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--glue-version", "6.0", *(f"--spark4-{name}={path}" for name, path in SPARK_4.items())],
    ],
    ids=["spark 3.5", "spark 4.1"],
)
def test_the_owner_sees_the_whole_catalogue(cellar: Bench, options: list[str]) -> None:
    found = found_in(session(cellar, AS_OWNER, None, *options))
    refused = found.pop("refused")
    assert DATABASE in found.pop("databases")
    assert found == {
        "tables": ["barrels", "bottles"],
        "matching": ["bottles"],
        "columns": [["name", "string"], ["litres", "decimal(5,2)"], ["year", "string"]],
        "partitions": [["year=1999"], ["year=2000"]],
        "all": [["1999", "a", "1.00"], ["1999", "b", "1.00"], ["2000", "c", "1.00"]],
        "one": [["c"]],
        "files": 1,
        "iceberg": [["3"]],
    }
    assert "a session changes only Iceberg tables" in refused
    cellar.client("glue").delete_table(DatabaseName=DATABASE, Name="corks")


AS_JOB = """
print("FOUND" + str(spark.sql("select count(*) from cellar.bottles").first()[0]))
try:
    spark.sql("select count(*) from cellar.barrels").show()
except Exception as error:
    print(str(error).replace(chr(10), " "))
try:
    spark.read.parquet("s3://cellar-bottles/barrels/of-2000/").show()
except Exception as error:
    print("files:", str(error).replace(chr(10), " ")[:300])
raise SystemExit(7)
"""


def test_a_jobs_session_has_the_rights_of_its_role_and_ends_with_the_scripts_code(cellar: Bench) -> None:
    status, keys = keys_of(cellar, "count-bottles")
    assert (status, keys["roleArn"]) == (200, f"arn:aws:iam::{ACCOUNT}:role/bottles-reader")
    ended = session(cellar, AS_JOB, keys)
    assert ended.returncode == 7, ended.stderr
    own, table, files = ended.stdout.splitlines()
    assert own == "FOUND3"
    assert f"not authorized to perform: glue:GetTable on resource: {GLUE}:table/{DATABASE}/barrels" in table
    assert files.startswith("files:")
    assert "AccessDenied" in files
    # On AWS, Spark asks for the database too.
    assert "Glue's own Spark would refuse this" in ended.stderr
    assert f"glue:GetDatabase on resource: {GLUE}:database/{DATABASE}" in ended.stderr


@pytest.mark.parametrize(
    ("job", "secret", "expected"),
    [
        ("count-bottles", "wrong", (403, "the owner's secret access key is needed as a bearer token")),
        ("count-nothing", None, (404, "job count-nothing does not exist")),
        ("of-another", None, (409, "does not trust glue.amazonaws.com to assume it")),
    ],
)
def test_credentials_are_given_to_the_owner_alone(
    cellar: Bench, job: str, secret: str | None, expected: tuple[int, str]
) -> None:
    if job == "of-another":
        role = make_role(cellar, "not-for-glue", "lambda.amazonaws.com", [])
        command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/x.py"}
        cellar.client("glue").create_job(Name=job, Role=role, Command=command)
    status, answer = keys_of(cellar, job, secret)
    assert status == expected[0]
    assert expected[1] in answer["message"]


@pytest.mark.parametrize(
    ("code", "expected", "said"),
    [
        (" \n", 2, "the script is empty: nothing was run"),
        ("print(", 1, "SyntaxError"),
    ],
)
def test_a_script_that_cannot_run_starts_no_spark(bench: Bench, code: str, expected: int, said: str) -> None:
    ended = session(bench, code)
    assert (ended.returncode, ended.stdout) == (expected, "")
    assert said in ended.stderr
    assert "WARN" not in ended.stderr
