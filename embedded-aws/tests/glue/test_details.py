"""Jobs, crawlers and partitions are described as they were created, so that a second plan is empty."""

import pytest
from conftest import ACCOUNT, REGION, Bench, make_role

GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"


@pytest.fixture(scope="module")
def role(bench: Bench) -> str:
    return make_role(bench, "details", "glue.amazonaws.com", [])


def test_a_job(bench: Bench, role: str) -> None:
    glue = bench.client("glue")
    command = {"Name": "glueetl", "ScriptLocation": "s3://x/y.py"}
    more = {"ExecutionProperty": {"MaxConcurrentRuns": 3}, "ExecutionClass": "FLEX", "Tags": {"team": "a"}}
    glue.create_job(Name="detailed", Role=role, Command=command, **more)
    job = glue.get_job(JobName="detailed")["Job"]
    assert (job["ExecutionProperty"], job["ExecutionClass"]) == ({"MaxConcurrentRuns": 3}, "FLEX")
    assert glue.get_tags(ResourceArn=f"{GLUE}:job/detailed")["Tags"] == {"team": "a"}
    update = {"Role": role, "Command": command, "ExecutionProperty": {"MaxConcurrentRuns": 1}}
    glue.update_job(JobName="detailed", JobUpdate=update)
    assert glue.get_job(JobName="detailed")["Job"]["ExecutionProperty"] == {"MaxConcurrentRuns": 1}


def test_a_crawler(bench: Bench, role: str) -> None:
    glue = bench.client("glue")
    targets = {"S3Targets": [{"Path": "s3://x/"}]}
    glue.create_crawler(Name="detailed", Role=role, DatabaseName="d", Targets=targets, Tags={"team": "a"})
    crawler = glue.get_crawler(Name="detailed")["Crawler"]
    assert crawler["LineageConfiguration"] == {"CrawlerLineageSettings": "DISABLE"}
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert glue.get_tags(ResourceArn=f"{GLUE}:crawler/detailed")["Tags"] == {"team": "a"}


def test_partitions_are_updated_and_deleted_in_batches(bench: Bench) -> None:
    glue = bench.client("glue")
    glue.create_database(DatabaseInput={"Name": "details"})
    glue.create_table(DatabaseName="details", TableInput={"Name": "t", "PartitionKeys": [{"Name": "d"}]})
    table = {"DatabaseName": "details", "TableName": "t"}
    for day in ("1", "2"):
        glue.create_partition(**table, PartitionInput={"Values": [day]})
    glue.update_partition(
        **table, PartitionValueList=["1"], PartitionInput={"Values": ["1"], "Parameters": {"n": "1"}}
    )
    assert glue.get_partition(**table, PartitionValues=["1"])["Partition"]["Parameters"] == {"n": "1"}
    gone = glue.batch_delete_partition(**table, PartitionsToDelete=[{"Values": ["2"]}, {"Values": ["9"]}])
    assert [error["PartitionValues"] for error in gone["Errors"]] == [["9"]]
    assert [entry["Values"] for entry in glue.get_partitions(**table)["Partitions"]] == [["1"]]
