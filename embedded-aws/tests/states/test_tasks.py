"""A library's state machines call Athena and DynamoDB, each with its own role's rights only."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, Bench, make_role, statement, wait_for
from executions import chain, execute, history, kinds, machine, start, submitted, task, wait_until_ended

BUCKET, TABLE, GROUP = "library-shelves", "library-loans", "library-desk"
WORKGROUP = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{GROUP}"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"
COUNT = "SELECT count(*) AS books, max(title) AS last, max(lent) AS lent FROM books"
SLOW = "SELECT count(*) FROM pages a, pages b, pages c WHERE a.word || b.word < c.word || a.word"
ASKS = ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"]


@pytest.fixture(scope="module")
def library(bench: Bench) -> Iterator[Bench]:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    books = b'{"title": "Emma", "lent": null}\n{"title": "Ulysses", "lent": null}\n{"title": "Dubliners"}\n'
    s3.put_object(Bucket=BUCKET, Key="books/1.json", Body=books)
    pages = "".join(json.dumps({"word": f"{number:04d}" * 8}) + "\n" for number in range(450))
    s3.put_object(Bucket=BUCKET, Key="pages/1.json", Body=pages.encode())
    place = {"OutputLocation": f"s3://{BUCKET}/results/"}
    bench.client("athena").create_work_group(Name=GROUP, Configuration={"ResultConfiguration": place})
    glue = bench.client("glue")
    glue.create_database(DatabaseInput={"Name": "library"})
    for table, columns in (("books", ("title", "lent")), ("pages", ("word",))):
        storage = {
            "Columns": [{"Name": column, "Type": "string"} for column in columns],
            "Location": f"s3://{BUCKET}/{table}/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
        }
        described = {"Name": table, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
        glue.create_table(DatabaseName="library", TableInput=described)
    bench.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "book", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "book", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    items = [f"dynamodb:{verb}Item" for verb in ("Put", "Get", "Update", "Delete")]
    shelves = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    catalogue = [f"arn:aws:glue:{REGION}:{ACCOUNT}:{name}" for name in ("catalog", "database/*", "table/*")]
    reads = [  # what a query needs besides Athena
        statement(["s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject", "s3:PutObject"], shelves),
        statement(["glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"], catalogue),
    ]
    rights = {
        "reading-librarian": [
            statement([*ASKS, "athena:StopQueryExecution"], [WORKGROUP]),
            statement(items, [TABLE_ARN]),
            statement(["states:DescribeExecution"], [f"{STATES}:execution:read-*"]),
        ],
        "reader": [
            statement([*ASKS, "athena:StopQueryExecution"], [WORKGROUP.replace("desk", "attic")]),
            statement(items, [f"{TABLE_ARN}-of-last-year", f"{TABLE_ARN}/index/*"]),
            statement(["states:DescribeExecution"], [f"{STATES}:execution:kept-*"]),
        ],
        "starter": [statement(ASKS[:1], [WORKGROUP])],
        "hasty": [statement(ASKS, [WORKGROUP])],
    }
    for role, statements in rights.items():
        make_role(bench, role, "states.amazonaws.com", [*reads, *statements])
    yield bench


def query(sql: str, pattern: str = ".sync", **more: Any) -> dict[str, Any]:
    context = {"Database": "library", "Catalog": "AwsDataCatalog"}
    asked = {"QueryString": sql, "WorkGroup": GROUP, "QueryExecutionContext": context}
    return task(f"athena:startQueryExecution{pattern}", asked, **more)


def results(query_id: str) -> dict[str, Any]:
    return task("athena:getQueryResults", {"QueryExecutionId.$": query_id})


# -- Athena --


def test_a_task_waits_for_a_query_and_its_rows_are_read(library: Bench) -> None:
    states = chain(
        Ask=query(COUNT, ResultPath="$.asked"),
        Read={**results("$.asked.QueryExecution.QueryExecutionId"), "ResultPath": "$.read"},
    )
    done = execute(library, machine(library, "read-books", states, "reading-librarian"))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    output = json.loads(done["output"])
    asked = output["asked"]["QueryExecution"]
    assert (asked["Status"]["State"], asked["Query"], asked["WorkGroup"]) == ("SUCCEEDED", COUNT, GROUP)
    assert asked["QueryExecutionContext"]["Database"] == "library"
    moments = [asked["Status"][name] for name in ("SubmissionDateTime", "CompletionDateTime")]
    assert all(isinstance(moment, int) and moment > 1_600_000_000_000 for moment in moments)
    assert isinstance(asked["Statistics"]["DataScannedInBytes"], int)
    rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in output["read"]["ResultSet"]["Rows"]]
    assert rows == [["books", "last", "lent"], ["3", "Ulysses", None]]
    kinds_seen = kinds(library, done["executionArn"])
    assert kinds_seen[2:6] == ["TaskScheduled", "TaskSubmitted", "TaskSucceeded", "TaskStateExited"]
    names = history(library, done["executionArn"])[2]["taskScheduledEventDetails"]
    assert (names["resourceType"], names["resource"]) == ("athena", "startQueryExecution.sync")
    assert submitted(library, done["executionArn"], "QueryExecutionId") == asked["QueryExecutionId"]


def test_a_started_query_can_be_polled(library: Bench) -> None:
    states = chain(
        Ask=query(COUNT, "", ResultPath="$.asked"),
        Wait={"Type": "Wait", "Seconds": 25},
        Look={
            **task("athena:getQueryExecution", {"QueryExecutionId.$": "$.asked.QueryExecutionId"}),
            "ResultPath": "$.seen",
        },
        Left={"Type": "Choice", "Choices": [running("Wait")], "Default": "Stop"},
        Stop={
            **task("athena:stopQueryExecution", {"QueryExecutionId.$": "$.asked.QueryExecutionId"}),
            "ResultPath": "$.stopped",
        },
    )
    done = execute(library, machine(library, "asks-only", states, "reading-librarian"))
    output = json.loads(done["output"])
    assert list(output["asked"]) == ["QueryExecutionId"]
    status = output["seen"]["QueryExecution"]["Status"]
    assert (status["State"], isinstance(status["SubmissionDateTime"], int)) == ("SUCCEEDED", True)
    assert output["stopped"] == {}


def running(then: str) -> dict[str, Any]:
    state = "$.seen.QueryExecution.Status.State"
    choices = [{"Variable": state, "StringEquals": value} for value in ("QUEUED", "RUNNING")]
    return {"Or": choices, "Next": then}


def test_a_failed_query_fails_the_task_with_the_query_as_cause(library: Bench) -> None:
    caught = {"Type": "Pass", "Parameters": {"query.$": "States.StringToJson($.Cause)"}, "End": True}
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]
    states = {"Ask": query("SELECT pages FROM books", Catch=catch), "Caught": caught}
    done = execute(library, machine(library, "fails-query", states, "reading-librarian"))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    failed = json.loads(done["output"])["query"]["QueryExecution"]
    assert failed["Status"]["State"] == "FAILED"
    assert "pages" in failed["Status"]["StateChangeReason"]
    nothing = {"Read": task("athena:getQueryResults", {"QueryExecutionId": failed["QueryExecutionId"]})}
    refused = execute(library, machine(library, "reads-failed", nothing, "reading-librarian"))
    assert refused["error"] == "Athena.InvalidRequestException"


def slow_query(bench: Bench, run: str) -> str:
    """The id of the query that an execution waits for, once it runs."""
    query_id = str(wait_for(lambda: submitted(bench, run, "QueryExecutionId")))
    assert wait_for(lambda: query_state(bench, query_id)) in ("QUEUED", "RUNNING")
    return query_id


def query_state(bench: Bench, query_id: str) -> str:
    found = bench.client("athena").get_query_execution(QueryExecutionId=query_id)
    return str(found["QueryExecution"]["Status"]["State"])


def wait_until_cancelled(bench: Bench, query_id: str) -> None:
    wait_for(lambda: query_state(bench, query_id) == "CANCELLED")


def test_a_stopped_execution_stops_its_query(library: Bench) -> None:
    run = start(library, machine(library, "stops-query", {"Ask": query(SLOW)}, "reading-librarian"))
    query_id = slow_query(library, run)
    library.client("stepfunctions").stop_execution(executionArn=run)
    wait_until_cancelled(library, query_id)
    assert kinds(library, run)[-1] == "ExecutionAborted"


def test_a_query_beyond_the_states_or_the_machines_time_out_is_stopped(library: Bench) -> None:
    of_state = {"Ask": query(SLOW, TimeoutSeconds=1)}
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("of-state", of_state, {}),
        ("of-all", {"Ask": query(SLOW)}, {"TimeoutSeconds": 1}),
    ]
    for name, states, top in cases:
        done = execute(library, machine(library, f"late-{name}", states, "reading-librarian", **top))
        assert (done["status"], done["error"]) == ("TIMED_OUT" if top else "FAILED", "States.Timeout")
        query_id = str(submitted(library, done["executionArn"], "QueryExecutionId"))
        wait_until_cancelled(library, query_id)


def test_a_role_that_may_not_stop_the_query_still_times_out(library: Bench) -> None:
    states = {"Ask": query(SLOW, TimeoutSeconds=1)}
    done = execute(library, machine(library, "hasty-query", states, "hasty"))
    assert (done["status"], done["error"]) == ("FAILED", "States.Timeout")


def test_a_cancelled_query_fails_the_task(library: Bench) -> None:
    run = start(library, machine(library, "cancelled", {"Ask": query(SLOW)}, "reading-librarian"))
    library.client("athena").stop_query_execution(QueryExecutionId=slow_query(library, run))
    done = wait_until_ended(library, run)
    assert (done["status"], done["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(done["cause"])["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_athena_is_called_with_the_machines_role_on_the_workgroup(library: Bench) -> None:
    denied = "Athena.AmazonAthenaException"
    elsewhere = execute(library, machine(library, "no-desk", {"Ask": query(COUNT)}, "reader"))
    assert (elsewhere["error"], "athena:StartQueryExecution" in elsewhere["cause"]) == (denied, True)
    assert submitted(library, elsewhere["executionArn"], "QueryExecutionId") is None
    polls = execute(library, machine(library, "no-polls", {"Ask": query(COUNT)}, "starter"))
    assert (polls["error"], "athena:GetQueryExecution" in polls["cause"]) == (denied, True)
    query_id = str(submitted(library, polls["executionArn"], "QueryExecutionId"))
    for action in ("getQueryResults", "getQueryExecution", "stopQueryExecution"):
        states = {"Call": task(f"athena:{action}", {"QueryExecutionId": query_id})}
        done = execute(library, machine(library, f"no-{action}", states, "reader"))
        assert done.get("error") == denied, action


# -- DynamoDB --

KEY = {"book": {"S": "Emma"}}
ITEM = {**KEY, "by": {"S.$": "$.by"}, "days": {"N": "14"}, "new": {"BOOL": True}, "tags": {"SS": ["a", "b"]}}


def lend(**more: Any) -> dict[str, Any]:
    parameters = {
        "TableName": TABLE,
        "Item": ITEM,
        "ConditionExpression": "attribute_not_exists(#by) OR #by = :me",
        "ExpressionAttributeNames": {"#by": "by"},
        "ExpressionAttributeValues": {":me": {"S.$": "$.by"}},
    }
    return task("dynamodb:putItem", parameters, ResultPath=None, **more)


def test_an_item_is_put_read_changed_and_deleted(library: Bench) -> None:
    change = {
        "TableName": TABLE,
        "Key": KEY,
        "UpdateExpression": "SET days = :days, note = :none",
        "ExpressionAttributeValues": {":days": {"N": "7"}, ":none": {"NULL": True}},
        "ReturnValues": "ALL_NEW",
    }
    read = {"TableName": TABLE, "Key": KEY, "ConsistentRead": True}
    delete = {"TableName": TABLE, "Key": KEY, "ReturnValues": "ALL_OLD"}
    steps = chain(
        Put=lend(),
        Read=task("dynamodb:getItem", read, ResultPath="$.read"),
        Change=task("dynamodb:updateItem", change, ResultPath="$.changed"),
        Delete=task("dynamodb:deleteItem", delete, ResultPath="$.deleted"),
        Gone=task("dynamodb:getItem", read, ResultPath="$.gone"),
    )
    done = execute(library, machine(library, "lends", steps, "reading-librarian"), {"by": "ann"})
    assert done["status"] == "SUCCEEDED", done.get("cause")
    output = json.loads(done["output"])
    written = {**ITEM, "by": {"S": "ann"}}
    assert with_sorted_sets(output["read"]["Item"]) == written
    changed = {**written, "days": {"N": "7"}, "note": {"NULL": True}}
    assert with_sorted_sets(output["changed"]["Attributes"]) == changed
    assert with_sorted_sets(output["deleted"]["Attributes"]) == changed
    assert "Item" not in output["gone"]


def with_sorted_sets(item: dict[str, Any]) -> dict[str, Any]:
    return {key: {"SS": sorted(value["SS"])} if "SS" in value else value for key, value in item.items()}


def test_a_failed_condition_and_other_errors_have_awss_names(library: Bench) -> None:
    catch = [{"ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "Next": "Lent"}]
    lent = {"Type": "Fail", "Error": "Lent"}
    arn = machine(library, "lends-once", {"Put": lend(Catch=catch), "Lent": lent}, "reading-librarian")
    outcomes = [execute(library, arn, {"by": who}) for who in ("bob", "bob", "cid")]
    assert [done.get("error") for done in outcomes] == [None, None, "Lent"]
    held = library.client("dynamodb").get_item(TableName=TABLE, Key=KEY)["Item"]["by"]
    assert held == {"S": "bob"}
    wrong = {"TableName": TABLE, "Key": {"title": {"S": "Emma"}}}
    for action in ("dynamodb:getItem", "aws-sdk:dynamodb:getItem"):
        done = execute(
            library, machine(library, f"no-key-{action[:3]}", {"G": task(action, wrong)}, "reading-librarian")
        )
        general = "DynamoDb.DynamoDbException" if "sdk" in action else "DynamoDB.AmazonDynamoDBException"
        assert (done["status"], done["error"]) == ("FAILED", general)
    missing = task("dynamodb:scan", {"TableName": TABLE})
    refused = execute(library, machine(library, "scans", {"Scan": missing}, "reading-librarian"))
    assert (refused["error"], "not an integration" in refused["cause"]) == ("States.Runtime", True)


def test_dynamodb_is_called_with_the_machines_role_on_the_table(library: Bench) -> None:
    calls: dict[str, dict[str, Any]] = {
        "putItem": {"Item": KEY},
        "getItem": {"Key": KEY},
        "updateItem": {"Key": KEY, "UpdateExpression": "REMOVE note"},
        "deleteItem": {"Key": KEY},
    }
    for action, parameters in calls.items():
        for prefix, error in (
            ("", "DynamoDB.AmazonDynamoDBException"),
            ("aws-sdk:", "DynamoDb.DynamoDbException"),
        ):
            states = {"Call": task(f"{prefix}dynamodb:{action}", {"TableName": TABLE, **parameters})}
            name = f"{prefix[:3]}-{action}"
            refused = execute(library, machine(library, f"reader{name}", states, "reader"))
            assert refused.get("error") == error, name
            allowed = execute(library, machine(library, f"librarian{name}", states, "reading-librarian"))
            assert allowed["status"] == "SUCCEEDED", allowed.get("cause")


def test_the_sdk_integration_names_attributes_as_the_sdk_for_java(library: Bench) -> None:
    item = {**KEY, "new": {"Bool": True}, "note": {"Nul": True}, "days": {"Ns": ["7"]}}
    states = chain(
        Put=task("aws-sdk:dynamodb:putItem", {"TableName": TABLE, "Item": item}),
        Get=task("aws-sdk:dynamodb:getItem", {"TableName": TABLE, "Key": KEY}),
    )
    done = execute(library, machine(library, "java", states, "reading-librarian"))
    assert json.loads(done.get("output", "{}")) == {"Item": item}, done.get("cause")


# -- executions --


def test_an_execution_is_described_with_the_machines_role(library: Bench) -> None:
    done = execute(
        library, machine(library, "read-me", {"Done": {"Type": "Succeed"}}, "reading-librarian"), {"a": 1}
    )
    run = done["executionArn"]

    def describe(name: str, which: str, role: str) -> dict[str, Any]:
        call = {"Call": task("aws-sdk:sfn:describeExecution", {"ExecutionArn": which})}
        return execute(library, machine(library, name, call, role))

    seen = json.loads(describe("describes", run, "reading-librarian")["output"])
    assert (seen["Status"], seen["Input"], seen["RedriveStatus"]) == (
        "SUCCEEDED",
        '{"a": 1}',
        "NOT_REDRIVABLE",
    )
    assert seen["StartDate"].endswith("Z")
    missing = describe("describes-nobody", f"{run}-of-nobody", "reading-librarian")
    assert missing["error"] == "Sfn.ExecutionDoesNotExistException"
    refused = describe("describes-not", run, "reader")
    assert (refused["error"], run in refused["cause"]) == ("Sfn.SfnException", True)
