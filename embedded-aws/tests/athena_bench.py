"""The tables of a small library for tests of queries: one of each kind of file, and one role."""

import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from conftest import ACCOUNT, Bench, make_role, wait_for

BUCKET = "library-loans"
RESULTS = "library-answers"
DATABASE = "lending"
SIZES: dict[str, int] = {}
"""The sizes of the files of the table visits, by ``day/hall``."""
FORMATS = {
    "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "json": "org.openx.data.jsonserde.JsonSerDe",
    "csv": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
}


def make_bucket(bench: Bench, name: str, key: str = "") -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    if key:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def put(bench: Bench, key: str, body: bytes | str, bucket: str = BUCKET) -> int:
    """Put an object. Returns its size."""
    data = body.encode() if isinstance(body, str) else body
    bench.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
    return len(data)


def parquet(rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer)
    return buffer.getvalue()


def make_table(
    bench: Bench,
    name: str,
    columns: dict[str, str],
    kind: str = "parquet",
    keys: dict[str, str] | None = None,
    bucket: str = BUCKET,
    serde: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
) -> None:
    def listed(named: dict[str, str]) -> list[dict[str, str]]:
        return [{"Name": column, "Type": text} for column, text in named.items()]

    storage = {
        "Columns": listed(columns),
        "Location": f"s3://{bucket}/{name}/",
        "SerdeInfo": {"SerializationLibrary": FORMATS[kind], "Parameters": serde or {}},
    }
    table = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": storage,
        "PartitionKeys": listed(keys or {}),
        "Parameters": {"classification": kind, **(parameters or {})},
    }
    bench.client("glue").create_table(DatabaseName=DATABASE, TableInput=table)


def register(bench: Bench, table: str, folder: str, *values: str, bucket: str = BUCKET) -> None:
    storage = {"Location": f"s3://{bucket}/{table}/{folder}"}
    bench.client("glue").create_partition(
        DatabaseName=DATABASE,
        TableName=table,
        PartitionInput={"Values": list(values), "StorageDescriptor": storage},
    )


def run(athena: Any, sql: str, parameters: Sequence[str] = (), **request: Any) -> dict[str, Any]:
    """Start a query and wait for its end. Returns its description by GetQueryExecution."""
    wanted: dict[str, Any] = {"QueryString": sql, "QueryExecutionContext": {"Database": DATABASE}}
    if "WorkGroup" not in request:
        wanted["ResultConfiguration"] = {"OutputLocation": f"s3://{RESULTS}/plain/"}
    if parameters:
        wanted["ExecutionParameters"] = list(parameters)
    query = athena.start_query_execution(**{**wanted, **request})["QueryExecutionId"]

    def ended() -> Any:
        execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        return execution if execution["Status"]["State"] not in ("QUEUED", "RUNNING") else None

    return dict(wait_for(ended))


def rows_of(athena: Any, execution: dict[str, Any]) -> list[list[str | None]]:
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]


def ask(bench: Bench, sql: str, *parameters: str) -> list[list[str | None]]:
    """The rows of a result, without the header."""
    athena = bench.client("athena")
    return rows_of(athena, run(athena, sql, parameters))[1:]


def reason(bench: Bench, sql: str, *parameters: str) -> str:
    """The reason why a query fails."""
    status = run(bench.client("athena"), sql, parameters)["Status"]
    assert status["State"] == "FAILED", status
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
    return str(status["StateChangeReason"])


def as_role(bench: Bench, name: str, statements: list[dict[str, Any]]) -> dict[str, str]:
    """Temporary credentials of a role with these rights, as a service gets them."""
    iam = bench.client("iam")
    arn = make_role(bench, name, "states.amazonaws.com", statements)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    held = bench.client("sts").assume_role(RoleArn=arn, RoleSessionName="reader")["Credentials"]
    return {
        "aws_access_key_id": held["AccessKeyId"],
        "aws_secret_access_key": held["SecretAccessKey"],
        "aws_session_token": held["SessionToken"],
    }


LOANS: list[dict[str, Any]] = [
    {"id": "a", "pages": 7, "price": 2.5, "taken": datetime(2020, 1, 3, 11, 0), "tags": ["old", "red"]},
    {"id": "b", "pages": None, "price": 10000000.0, "taken": datetime(2020, 1, 4, 23, 30), "tags": []},
    {"id": "a", "pages": 10, "price": 0.25, "taken": None, "tags": ["new"]},
]
COLUMNS = {"id": "string", "pages": "int", "price": "double", "taken": "timestamp", "tags": "array<string>"}
COLUMNS["place"] = "struct<aisle:int>"


def stock(bench: Bench) -> None:
    """Make the library's tables, once."""
    if SIZES:
        return
    make_bucket(bench, BUCKET)
    make_bucket(bench, RESULTS)
    bench.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    make_table(bench, "loans", COLUMNS)
    places = [{**row, "place": {"Aisle": number}} for number, row in enumerate(LOANS)]
    put(bench, "loans/part-0.parquet", parquet(places))
    put(bench, "loans/_SUCCESS", "not a file of the table")
    make_table(bench, "visits", {"who": "string", "n": "bigint"}, "parquet", {"day": "string", "hall": "int"})
    for day, hall in (("2020-01-01", "1"), ("2020-01-02", "1"), ("2020-01-02", "2"), ("2020-01-03", "2")):
        rows = [{"who": f"{day}/{hall}", "n": number} for number in range(int(hall) * 50)]
        SIZES[f"{day}/{hall}"] = put(bench, f"visits/day={day}/hall={hall}/x.parquet", parquet(rows))
        if day != "2020-01-03":  # the last one is not registered
            register(bench, "visits", f"day={day}/hall={hall}/", day, hall)
    orders = '{"OrderId":"1","n":"5","items":[{"sku":"x","qty":2},{"sku":"y","qty":3}]}\n\n'
    orders += '{"OrderId":"2","more":1}\n'
    items = "array<struct<sku:string,qty:int>>"
    make_table(bench, "orders", {"orderid": "string", "n": "bigint", "items": items, "gone": "int"}, "json")
    put(bench, "orders/a.json", orders)
    delimited = {"field.delim": ","}
    make_table(
        bench,
        "prices",
        {"sku": "string", "price": "double"},
        "csv",
        serde=delimited,
        parameters={"skip.header.line.count": "1"},
    )
    put(bench, "prices/a.csv", "sku,price\nx,1.5\ny,nothing\n")
