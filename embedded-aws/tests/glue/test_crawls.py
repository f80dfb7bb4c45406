"""Crawls of a museum's bucket through the API, with the crawler role's rights, and queries of the result."""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for

BUCKET = "museum-lake"
CATALOGUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"


@pytest.fixture(scope="module")
def museum(bench: Bench) -> Iterator[Bench]:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for day in ("2024-05-01", "2024-05-02"):
        visits = [
            {"Visitor": 1, "hall": "north", "seconds": 12.5},
            {"Visitor": 2, "hall": None, "tags": ["a"]},
        ]
        body = "\n".join(json.dumps(visit) for visit in visits)
        s3.put_object(Bucket=BUCKET, Key=f"raw/Visits/dt={day}/part.json", Body=body.encode())
        table = pyarrow.table(
            {
                "visitor": pyarrow.array([1, 2, 3], pyarrow.int64()),
                "at": pyarrow.array([0, 1, 2], pyarrow.timestamp("us", tz="UTC")),
                "fee": pyarrow.array([1, 2, 3], pyarrow.decimal128(10, 2)),
                "items": pyarrow.array([[{"qty": 1, "sku": "x"}], [], None]),
            }
        )
        sink = io.BytesIO()
        pyarrow.parquet.write_table(table, sink)
        s3.put_object(Bucket=BUCKET, Key=f"clean/visits/day={day}/part-0.parquet", Body=sink.getvalue())
    s3.put_object(Bucket=BUCKET, Key="raw/Visits/_SUCCESS", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="raw/Visits/dt=2024-05-01/notes.tmp", Body=b'{"draft": true}')
    glue = bench.client("glue")
    glue.create_database(DatabaseInput={"Name": "museum"})
    read = statement(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/*"])
    listing = statement(["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"])
    write = statement(
        ["glue:GetDatabase", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable",
         "glue:GetPartitions", "glue:BatchCreatePartition", "glue:BatchUpdatePartition",
         "glue:BatchDeletePartition"], [f"{CATALOGUE}:catalog", f"{CATALOGUE}:database/museum",
         f"{CATALOGUE}:table/museum/*"], )  # fmt: skip
    logs = statement(["logs:*"], ["*"])
    service = "glue.amazonaws.com"
    make_role(bench, "crawl-all", service, [read, listing, write, logs])
    make_role(bench, "crawl-blind", service, [read, write])
    make_role(bench, "crawl-silent", service, [read, listing])
    yield bench


def crawl(bench: Bench, name: str) -> dict[str, Any]:
    glue = bench.client("glue")
    glue.start_crawler(Name=name)

    def ended() -> Any:
        crawler = glue.get_crawler(Name=name)["Crawler"]
        return crawler if crawler["State"] == "READY" else None

    return dict(wait_for(ended)["LastCrawl"])


def make_crawler(bench: Bench, name: str, path: str, role: str = "crawl-all", **more: Any) -> None:
    target = {"Path": f"s3://{BUCKET}/{path}", "Exclusions": ["**.tmp"]}
    request = {"Role": f"arn:aws:iam::{ACCOUNT}:role/{role}", "DatabaseName": "museum", **more}
    bench.client("glue").create_crawler(Name=name, Targets={"S3Targets": [target]}, **request)


def query(bench: Bench, sql: str) -> list[list[str]]:
    athena = bench.client("athena")
    output = {"OutputLocation": f"s3://{BUCKET}/results/"}
    run = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": "museum"}, ResultConfiguration=output
    )["QueryExecutionId"]

    def ended() -> Any:
        execution = athena.get_query_execution(QueryExecutionId=run)["QueryExecution"]
        return execution if execution["Status"]["State"] in ("SUCCEEDED", "FAILED") else None

    execution = wait_for(ended)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    rows = athena.get_query_results(QueryExecutionId=run)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows[1:]]


def test_json_becomes_a_table_with_partitions(museum: Bench) -> None:
    before = time.time()
    make_crawler(museum, "visits-raw", "raw/Visits/", TablePrefix="raw_")
    assert museum.client("glue").get_crawler(Name="visits-raw")["Crawler"].get("LastCrawl") is None
    last = crawl(museum, "visits-raw")
    assert (last["Status"], last["LogGroup"], last["LogStream"]) == (
        "SUCCEEDED",
        "/aws-glue/crawlers",
        "visits-raw",
    )
    assert last["StartTime"].timestamp() >= before - 1
    glue = museum.client("glue")
    table = glue.get_table(DatabaseName="museum", Name="raw_visits")["Table"]
    columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert columns == {"visitor": "int", "hall": "string", "seconds": "double", "tags": "array<string>"}
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert table["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/raw/Visits/"
    assert (
        table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
        == "org.openx.data.jsonserde.JsonSerDe"
    )
    assert table["Parameters"]["classification"] == "json"
    assert (table["Parameters"]["objectCount"], table["Parameters"]["recordCount"]) == ("2", "4")
    assert table["Parameters"]["UPDATED_BY_CRAWLER"] == "visits-raw"
    partitions = glue.get_partitions(DatabaseName="museum", TableName="raw_visits")["Partitions"]
    assert [entry["Values"] for entry in partitions] == [["2024-05-01"], ["2024-05-02"]]
    log = museum.client("logs").get_log_events(logGroupName="/aws-glue/crawlers", logStreamName="visits-raw")
    assert all(last["MessagePrefix"] in event["message"] for event in log["events"])


def test_parquet_becomes_a_table_that_athena_counts_by_registered_partitions(museum: Bench) -> None:
    make_crawler(museum, "visits-clean", "clean/visits/")
    assert crawl(museum, "visits-clean")["Status"] == "SUCCEEDED"
    glue = museum.client("glue")
    table = glue.get_table(DatabaseName="museum", Name="visits")["Table"]
    assert {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]} == {
        "visitor": "bigint",
        "at": "timestamp",
        "fee": "decimal(10,2)",
        "items": "array<struct<qty:bigint,sku:string>>",
    }
    assert query(museum, "select count(*) from museum.visits") == [["6"]]
    assert query(museum, "select day, count(*) n from visits where day = '2024-05-02' group by day") == [
        ["2024-05-02", "3"]
    ]
    s3 = museum.client("s3")
    copy = {"Bucket": BUCKET, "Key": "clean/visits/day=2024-05-02/part-0.parquet"}
    s3.copy_object(Bucket=BUCKET, Key="clean/visits/day=2024-05-03/part-0.parquet", CopySource=copy)
    assert query(museum, "select count(*) from visits") == [["6"]], "a folder without a partition is not read"
    first = glue.get_crawler(Name="visits-clean")["Crawler"]["LastCrawl"]["StartTime"]
    assert crawl(museum, "visits-clean")["StartTime"] > first
    assert query(museum, "select count(*) from visits") == [["9"]]


def test_a_role_that_may_not_list_fails_the_crawl(museum: Bench) -> None:
    make_crawler(museum, "blind", "raw/Visits/", role="crawl-blind")
    last = crawl(museum, "blind")
    assert last["Status"] == "FAILED"
    assert "ListObjectsV2" in last["ErrorMessage"]


def test_a_role_that_may_not_write_the_catalogue_fails_the_crawl(museum: Bench) -> None:
    make_crawler(museum, "silent", "raw/Visits/", role="crawl-silent")
    last = crawl(museum, "silent")
    assert (last["Status"], "GetDatabase" in last["ErrorMessage"]) == ("FAILED", True)


def test_a_running_crawl_is_not_started_again(museum: Bench) -> None:
    make_crawler(museum, "busy", "clean/")
    glue = museum.client("glue")
    glue.start_crawler(Name="busy")
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name="busy")
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.update_crawler(Name="busy", Description="x")
    wait_for(lambda: glue.get_crawler(Name="busy")["Crawler"]["State"] == "READY")


def test_the_policy_decides_which_changes_are_made(museum: Bench) -> None:
    s3, glue = museum.client("s3"), museum.client("glue")
    glue.create_database(DatabaseInput={"Name": "museum_policy"})
    make_role(
        museum, "crawl-policy", "glue.amazonaws.com", [statement(["s3:*", "glue:*", "logs:*"], ["*"])]
    )  # fmt: skip
    s3.put_object(Bucket=BUCKET, Key="policy/coins/k=1/a.json", Body=b'{"id": 1, "metal": "gold"}')
    common = {"role": "crawl-policy", "DatabaseName": "museum_policy"}
    log_only = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    make_crawler(museum, "log-only", "policy/coins/", **common, SchemaChangePolicy=log_only)
    crawl(museum, "log-only")
    body = b'{"id": 1, "metal": "gold", "year": 1900, "found": true}'
    s3.put_object(Bucket=BUCKET, Key="policy/coins/k=1/a.json", Body=body)
    s3.put_object(Bucket=BUCKET, Key="policy/coins/k=2/a.json", Body=body)

    def columns() -> list[str]:
        table = glue.get_table(DatabaseName="museum_policy", Name="coins")["Table"]
        return [column["Name"] for column in table["StorageDescriptor"]["Columns"]]

    crawl(museum, "log-only")
    assert columns() == ["id", "metal"]
    partitions = glue.get_partitions(DatabaseName="museum_policy", TableName="coins")["Partitions"]
    assert [entry["Values"] for entry in partitions] == [["1"], ["2"]]
    merge = {"Version": 1, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}}
    glue.update_crawler(
        Name="log-only",
        Configuration=json.dumps(merge),
        SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"},
    )
    crawl(museum, "log-only")
    assert columns() == ["id", "metal", "year", "found"]
    s3.delete_object(Bucket=BUCKET, Key="policy/coins/k=1/a.json")
    crawl(museum, "log-only")
    partitions = glue.get_partitions(DatabaseName="museum_policy", TableName="coins")["Partitions"]
    assert [entry["Values"] for entry in partitions] == [["2"]]
    s3.delete_object(Bucket=BUCKET, Key="policy/coins/k=2/a.json")
    crawl(museum, "log-only")
    assert glue.get_tables(DatabaseName="museum_policy")["TableList"] == []
